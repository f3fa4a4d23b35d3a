"""``wdualmine serve``: a result, a batch or two volumes in a browser."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..fusion.settings import FusionSettings
from ..pipeline.folder import file_names, require_room
from ..pipeline.parts import FUSED
from ..pipeline.request import AS_THEY_LIE, Request
from ..pipeline.sources import read
from ..volumes.kept_inputs import refuse_overwriting
from ..volumes.reading import require_readable

if TYPE_CHECKING:
    from ..web.catalogue import Catalogue

_NEEDED = ("aiohttp", "slicer", "PIL")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "given",
        nargs="+",
        type=Path,
        metavar="RESULT_DIR | BATCH_DIR | FIXED MOVING",
        help="what `fuse` or `batch` wrote, or two volumes, which are fused first",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port to listen on (default a free one)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="interface to listen on (default 127.0.0.1: this machine alone)",
    )
    parser.add_argument(
        "--sources",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder in which the sources of a result may be read, beside its own",
    )
    parser.add_argument(
        "--registration",
        default=AS_THEY_LIE,
        metavar="none|rigid|affine|FILE",
        help="of two volumes, as for `fuse` (default none)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="of two volumes: save the result there"
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="of a result: run the network again on its sources, so that strength and floor can be "
        "changed",
    )
    parser.add_argument(
        "--prior",
        type=Path,
        metavar="DIR",
        help="beside a result: an earlier one of the same patient",
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--anonymise", action="store_true", help="show neither patient, names nor paths"
    )
    parser.add_argument("--certificate", type=Path, metavar="PEM", help="for TLS, with --key")
    parser.add_argument("--key", type=Path, metavar="PEM", help="for TLS, with --certificate")
    parser.add_argument(
        "--idle",
        type=float,
        default=15.0,
        metavar="MINUTES",
        help="let go of a viewer that asks for nothing so long (default 15)",
    )


def run(options: argparse.Namespace) -> None:
    _require_sense(options)
    # Here and not above: bad input is answered without what serving needs.
    from ..web.server import Address, Server

    catalogue = _catalogue(options)
    address = Address(
        options.host, options.port, options.certificate, options.key, 60 * options.idle
    )
    server = Server(catalogue, address)
    if catalogue.fusing is not None:
        catalogue.fusing.start()
    try:
        asyncio.run(server.run(lambda url: _say(url, address.is_loopback, options)))
    finally:
        if catalogue.fusing is not None:
            catalogue.fusing.close()


def _require_sense(options: argparse.Namespace) -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"Serving needs {', '.join(missing)}, which this installation lacks",
            "Install it: pip install 'wdualmine[web]'",
        )
    if len(options.given) > 2:
        raise InputError(
            f"{len(options.given)} paths were given", "Give one folder, or two volumes"
        )
    if (options.certificate is None) != (options.key is None):
        raise InputError("TLS takes a certificate and its key", "Give both, or neither")
    if not 0 <= options.port <= 65535:
        raise InputError(f"There is no port {options.port}", "Give one from 0 to 65535")
    if options.idle <= 0:
        raise InputError("No viewer is let go before it came", "Give --idle above 0")
    prior = [] if options.prior is None else [options.prior]
    for path in (*options.given, *options.sources, *prior):
        require_readable(path)
    is_result = len(options.given) == 1 and (options.given[0] / FUSED.file).is_file()
    if options.again and not is_result:
        raise InputError("Only a result can be fused again", "Leave --again out")
    if prior and not is_result:
        raise InputError(
            "A prior study is shown beside one result, not beside a batch or two volumes",
            "Fuse them first, and serve the result",
        )
    if prior and not (options.prior / FUSED.file).is_file():
        raise InputError(
            f"{options.prior} holds no {FUSED.file}",
            "Give what `wdualmine fuse` wrote of the earlier study",
        )
    if len(options.given) == 1:
        if options.output is not None:
            raise InputError("A result is shown and not saved again", "Leave --output out")
        if options.registration != AS_THEY_LIE:
            raise InputError("A result is not registered again", "Leave --registration out")


def _catalogue(options: argparse.Namespace) -> Catalogue:
    from ..web.catalogue import Folders
    from ..web.prior import BesidePrior

    catalogue = _of_given(options)
    if options.prior is None:
        return catalogue
    prior = Folders(options.prior, options.sources, anonymise=options.anonymise)
    return BesidePrior(catalogue, prior)


def _of_given(options: argparse.Namespace) -> Catalogue:
    from ..web.batch_table import SUMMARY, is_batch
    from ..web.catalogue import Folders, Fused
    from ..web.fusing import Fusing, Order, request_steps

    if len(options.given) == 1:
        (folder,) = options.given
        if not is_batch(folder) and not (folder / FUSED.file).is_file():
            raise InputError(
                f"{folder} holds neither {FUSED.file} nor {SUMMARY}",
                "Give what `wdualmine fuse` or `wdualmine batch` wrote, or two volumes",
            )
        if not options.again:
            return Folders(folder, options.sources, anonymise=options.anonymise)
        from ..web.again import again_steps

        again = Order(lambda: again_steps(folder, options.sources), anonymise=options.anonymise)
        return Fused(Fusing(again))
    fixed, moving = options.given
    settings = FusionSettings()
    if options.output is not None:
        names = file_names(settings, with_transform=options.registration != AS_THEY_LIE)
        refuse_overwriting([options.output / name for name in names], options.given)
        require_room(options.output, names, force=options.force)

    def request() -> Request:
        return Request.of(read(fixed), read(moving), settings, options.registration)

    order = Order(lambda: request_steps(request), options.output, options.force, options.anonymise)
    return Fused(Fusing(order))


def _say(url: str, is_loopback: bool, options: argparse.Namespace) -> None:
    print(f"Open {url}", flush=True)
    print("Whoever has this address sees the patient's images. Ctrl-C ends the server.", flush=True)
    if not is_loopback and options.certificate is None:
        print(
            "Warning: other machines can reach this port, and nothing is encrypted: give "
            "--certificate and --key",
            flush=True,
        )
