"""Options that several commands share, so that they read and behave alike."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from ..fusion.settings import DEFAULT_FLOOR, DEFAULT_STRENGTH


def add_pair(parser: argparse.ArgumentParser, fixed: str, moving: str) -> None:
    """The two volumes, each with a few words on its part."""
    for role, text in (("fixed", fixed), ("moving", moving)):
        parser.add_argument(
            role,
            type=Path,
            metavar=role.upper(),
            help=f"{text}: NIfTI, NRRD, MetaImage or a DICOM folder",
        )


def add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="batches of a training step that are computed at once, each on one CPU thread "
        "(default 1); the result is the same",
    )


def add_different_patients(parser: argparse.ArgumentParser) -> None:
    """The override, by name, of the check that both volumes are of one patient."""
    parser.add_argument(
        "--different-patients",
        action="store_true",
        help="take two series although they name different patients; what comes of it goes out "
        "under neither",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def add_look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strength",
        type=float,
        default=DEFAULT_STRENGTH,
        metavar="GAIN",
        help="detail strength: gain of what the network adds to the average, 0 to 2 (default 1)",
    )
    parser.add_argument(
        "--correlation-floor",
        type=float,
        default=DEFAULT_FLOOR,
        metavar="TAU",
        help="least correlation with the sources, as part of the possible, 0 (off) to below 1 "
        f"(default {DEFAULT_FLOOR})",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", metavar="auto|cpu|cuda|mps", help="where to compute"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="network weights other than those that ship"
    )


def take_negative_pairs(parser: argparse.ArgumentParser) -> None:
    """Let ``-160,240`` be a value; argparse would take it for an option because of the comma."""
    parser._negative_number_matcher = re.compile(r"^-(\d|\.\d)[\d.eE+,-]*$")
