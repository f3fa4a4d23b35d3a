"""``--fixed-series`` and ``--moving-series``: which series of a DICOM folder is meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError
from ..pipeline.sources import NoSeries, read
from ..volumes.volume import Volume


def add_series(parser: argparse.ArgumentParser) -> None:
    """The options for both volumes."""
    for role in ("fixed", "moving"):
        parser.add_argument(
            f"--{role}-series",
            metavar="UID",
            help=f"which DICOM series is the {role} volume, where its folder holds several",
        )


def read_chosen(path: Path, series_uid: str | None, option: str) -> Volume:
    """:func:`~..pipeline.sources.read`, with messages that name the option of the command.

    Raises:
        InputError: it cannot be used as a scalar 3-D volume.
    """
    try:
        with naming_option(option):
            return read(path, series_uid)
    except NoSeries as error:
        raise InputError(error.what, f"Leave {option} out") from error


@contextmanager
def naming_option(option: str) -> Iterator[None]:
    """Where one of several series must be chosen, say by which option of this command."""
    from ..dicom.read import SeveralSeries

    try:
        yield
    except SeveralSeries as error:
        raise InputError(
            error.what, f"Choose one with {option} UID, or give the folder of one of them"
        ) from error
