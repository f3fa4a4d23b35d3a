"""``wdualmine dicom``: results to DICOM objects, and objects to a server."""

from __future__ import annotations

import argparse

from . import dicom_export, dicom_send

_ACTIONS = {
    "export": (dicom_export, "write a result as DICOM objects that refer to the source series"),
    "send": (dicom_send, "send a folder of DICOM objects to a server (C-STORE)"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (module, summary) in _ACTIONS.items():
        module.add_arguments(
            actions.add_parser(
                name, help=summary, description=summary[0].upper() + summary[1:] + "."
            )
        )


def run(options: argparse.Namespace) -> int | None:
    return _ACTIONS[options.action][0].run(options)


def stopped(options: argparse.Namespace) -> str:
    """What an interrupt leaves, as half a sentence."""
    if options.action == "send":
        return dicom_send.stopped(options)
    return "no partial files were left"
