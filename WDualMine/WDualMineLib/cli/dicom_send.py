"""``wdualmine dicom send``: DICOM objects to a server."""

from __future__ import annotations

import argparse
from pathlib import Path

from .console import ConsoleProgress, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of DICOM objects")
    parser.add_argument("--to", required=True, metavar="AET@HOST:PORT", help="the server")
    parser.add_argument(
        "--as", dest="own_title", default="WDUALMINE", metavar="AET", help="our own title"
    )
    group = parser.add_argument_group("TLS")
    group.add_argument("--tls", action="store_true", help="encrypt, and check the server")
    group.add_argument("--ca", type=Path, metavar="PEM", help="authority [those of the system]")
    group.add_argument("--cert", type=Path, metavar="PEM", help="our certificate, if asked for")
    group.add_argument("--key", type=Path, metavar="PEM", help="its private key")


def stopped(_options: argparse.Namespace) -> str:
    """What an interrupt leaves, as half a sentence."""
    return "objects that were sent before stay on the server, and sending again does no harm"


def run(options: argparse.Namespace) -> int | None:
    from ..dicom.send import parse_server, send

    server = parse_server(
        options.to,
        own_title=options.own_title,
        tls=options.tls or options.ca is not None,
        authority=options.ca,
        certificate=options.cert,
        key=options.key,
    )
    with ConsoleProgress() as progress:
        sent = send(options.folder, server, progress)
    for text in sent.notes:
        note(text)
    print(f"{server.title} has all {sent.count} objects")
    return None
