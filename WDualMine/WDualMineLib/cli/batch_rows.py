"""The studies that ``wdualmine batch`` was given, and what a row of them says of its options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from ..batch import bids_pairs, dicom_pairs
from ..batch.plan import Rules
from ..batch.study import Row
from ..batch.study_list import read_list, write_list
from ..errors import InputError
from ..fusion.colour import colour_table
from ..progress import Progress
from ..volumes.whole_files import writing_errors
from . import fuse, fuse_dicom
from .options import take_negative_pairs

_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


def rows_of(
    options: argparse.Namespace, progress: Callable[[Progress], None]
) -> tuple[list[Row], list[str], bool]:
    """The studies, what is wrong with their list, and whether it is our own proposal."""
    source: Path = options.source
    if not source.exists():
        raise InputError(f"{source} does not exist", "Check the path for typing errors")
    if source.is_file():
        options.root = (options.root or source.parent).absolute()
        rows, wrong = read_list(source, _row_options())
        return rows, wrong, False
    options.root = (options.root or source).absolute()
    if bids_pairs.is_dataset(source):
        return bids_pairs.pairs_of(source.absolute()), [], True

    def tell(words: str) -> None:
        progress(Progress(0, words))

    return dicom_pairs.pairs_of(source.absolute(), options.output, tell), [], True


def rules_of(options: argparse.Namespace, is_proposal: bool) -> Rules:
    """What holds for all studies; of a proposal, what the options say goes before its rows."""
    reader = _RowParser(options, is_proposal)
    return Rules(
        options.root,
        reader.options_of,
        options.timeout,
        options.force,
        options.verify,
        options.memory,
        options.retry == "failed",
    )


def write_rows(options: argparse.Namespace, rows: Sequence[Row]) -> None:
    """Write ``rows`` to ``options.list``, which can be given as SOURCE from anywhere.

    Raises:
        OutputError: it cannot be written.
    """
    absolute = [
        Row(r.place, str(options.root / r.fixed), str(options.root / r.moving), r.name, r.words)
        for r in rows
    ]
    with writing_errors(options.list):
        write_list(options.list, absolute)


class _RowParser(argparse.ArgumentParser):
    """Reads the words of a row as ``wdualmine fuse`` reads its options."""

    def __init__(self, options: argparse.Namespace, is_proposal: bool) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        take_negative_pairs(self)
        fuse.add_settings(self)
        self._root: Path = options.root
        kinds = {action.dest: action for action in self._actions}
        self._kinds = kinds
        self._defaults = {dest: getattr(options, dest) for dest in kinds}
        # What is proposed gives way to what the user said.
        self._said = {
            dest for dest, action in kinds.items() if self._defaults[dest] != action.default
        } if is_proposal else set()  # fmt: skip

    def options_of(self, row: Row) -> argparse.Namespace:
        """The options of a row.

        Raises:
            InputError: an option or a value that there is not.
        """
        found = argparse.Namespace(**self._defaults)
        words = []
        for name, value in row.words.items():
            dest = name.replace("-", "_")
            if dest in self._said:
                continue
            if self._kinds[dest].nargs == 0:
                setattr(found, dest, _flag(name, value))
            else:
                words.append(f"--{name}={value}")
        self.parse_args(words, found)
        fuse_dicom.require_dicom_wanted(found)
        fuse.settings_of(found)
        if found.colour is not None:
            colour_table(found.colour)
        if found.weights is not None:
            # Of a row they lie below the root, as its volumes; else where the command was given.
            at = self._root if "weights" in row.words else Path()
            found.weights = (at / found.weights).absolute()
        return found

    def error(self, message: str) -> NoReturn:
        raise InputError(
            re.sub(r"^argument --", "the option ", message), "See `wdualmine fuse --help`"
        )


def _row_options() -> list[str]:
    parser = argparse.ArgumentParser(add_help=False)
    fuse.add_settings(parser)
    return [action.option_strings[0][2:] for action in parser._actions]


def _flag(name: str, value: str) -> bool:
    if value.lower() not in (*_YES, *_NO):
        raise InputError(f"{name} is {value!r}", "Write yes or no")
    return value.lower() in _YES
