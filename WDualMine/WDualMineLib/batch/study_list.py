"""A CSV file, a row a study, as spreadsheets write it."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from ..errors import InputError
from ..volumes.paths import printable, require_readable
from .study import Row

REQUIRED = ("fixed", "moving")
OWN = ("name", "timeout", *REQUIRED)
"""Columns that are no options of ``wdualmine fuse``."""

_SEPARATORS = ",;\t"
_MOST_CELL = 1 << 17


def read_list(path: Path, options: Collection[str]) -> tuple[list[Row], list[str]]:
    """The rows of a study list, and what is wrong with it, a sentence a row.

    Args:
        path: CSV with a header; comma, semicolon or tabulator between the cells, UTF-8.
        options: names of columns that are options, without the dashes in front.

    Raises:
        InputError: it cannot be read as a table, or its header cannot be used.
    """
    require_readable(path)
    name = printable(path.name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 text: byte {error.start} cannot be read",
            "Save it as CSV UTF-8 from the spreadsheet",
        ) from error
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    csv.field_size_limit(_MOST_CELL)
    try:
        header = [cell.strip().lower().replace("_", "-") for cell in next(reader, [])]
        _require_columns(name, header, options)
        rows: list[Row] = []
        wrong: list[str] = []
        line = reader.line_num
        for cells in reader:
            place, line = f"row {line + 1}", reader.line_num
            values = [cell.strip() for cell in cells]
            if not any(values):
                continue
            if len(values) != len(header):
                wrong.append(f"{place}: it has {len(values)} cells, the header {len(header)}")
                continue
            rows.append(_row(place, dict(zip(header, values, strict=True))))
    except csv.Error as error:
        raise InputError(
            f"{name} cannot be read as a table, line {reader.line_num}: {error}",
            "Save it as CSV from the spreadsheet",
        ) from error
    if not rows and not wrong:
        raise InputError(
            f"{name} has a header and no rows", "Write a row for each study below the header"
        )
    return rows, wrong


def write_list(path: Path, rows: list[Row]) -> None:
    """Write ``rows`` as :func:`read_list` reads them. Raises OSError if it cannot be written."""
    options = sorted({option for row in rows for option in row.words})
    with path.open("x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", *REQUIRED, *options])
        for row in rows:
            words = [row.words.get(option, "") for option in options]
            writer.writerow([row.name, row.fixed, row.moving, *words])


def _require_columns(name: str, header: list[str], options: Collection[str]) -> None:
    lacking = [column for column in REQUIRED if column not in header]
    if lacking:
        raise InputError(
            f"{name}, row 1, has no column {' and no column '.join(lacking)}",
            "Give a header with the columns fixed and moving, and paths below them",
        )
    known = {*OWN, *options}
    unknown = [column for column in header if column not in known]
    if unknown:
        raise InputError(
            f"{name}, row 1, has a column {unknown[0]!r}, which is no option of wdualmine fuse",
            f"Use {', '.join(sorted(known))}, or remove it",
        )
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice:
        raise InputError(f"{name}, row 1, has the column {twice} twice", "Remove one of them")


def _row(place: str, cells: dict[str, str]) -> Row:
    words = {name: cell for name, cell in cells.items() if name not in OWN and cell}
    return Row(
        place,
        cells["fixed"],
        cells["moving"],
        cells.get("name", ""),
        words,
        cells.get("timeout", ""),
    )
