"""Options of ``wdualmine batch``, and what of them cannot be together."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from ..batch.study import WITHOUT_FILE
from ..errors import InputError
from ..volumes.whole_files import refuse_existing
from . import fuse
from .options import take_negative_pairs

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine batch``, and those of ``fuse`` as defaults for every study."""
    take_negative_pairs(parser)
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="study list (CSV with the columns fixed and moving), BIDS dataset, or folder tree of "
        "DICOM files",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="worker processes on this machine (default: one a core); 0: in this process, without "
        "Dask",
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask cluster that runs already: tcp://host:8786"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, show what would run, and end"
    )
    parser.add_argument(
        "--list",
        type=Path,
        metavar="FILE",
        help="also write the studies as a study list, to be corrected and given as SOURCE",
    )
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of all volumes (default: that of SOURCE)"
    )
    parser.add_argument(
        "--retry",
        choices=["failed"],
        help="try studies again that failed before, though nothing was mended",
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds a study may take")
    parser.add_argument(
        "--memory", type=_bytes, metavar="SIZE", help="memory a worker may take, such as 4G"
    )
    parser.add_argument(
        "--verify", action="store_true", help="read results whole before they count as done"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace folders of studies that no batch wrote"
    )
    fuse.add_settings(parser)


def require_sense(options: argparse.Namespace) -> None:
    """Refuse options that cannot be, or not together, before anything is read.

    Raises:
        InputError, OutputError: says which, and what to give instead.
    """
    if options.workers is not None and options.workers < 0:
        raise InputError(f"--workers {options.workers} is not possible", "Give 0 or more")
    if options.timeout is not None and not 0 < options.timeout < 1e9:
        raise InputError(f"--timeout {options.timeout:g} is not possible", "Give seconds above 0")
    if options.memory is not None and options.scheduler is not None:
        raise InputError(
            "--memory is for workers on this machine, and --scheduler takes those of a cluster",
            "Give the limit where they are started: `dask worker --memory-limit`",
        )
    if options.device == "cuda" and (options.workers or 1) > 1:
        raise InputError(
            "Several workers on this machine would share one GPU",
            "Start a worker for each GPU yourself and give --scheduler; see docs/scale.md",
        )
    if options.list is not None:
        refuse_existing([options.list], force=False)
    if options.registration not in WITHOUT_FILE:
        options.registration = str(Path(options.registration).absolute())


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 4G or 800M")
    return int(float(match[1]) * _UNITS[match[2].upper()])
