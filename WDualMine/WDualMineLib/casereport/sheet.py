"""The page as a picture: A4 upright, 150 dots an inch, black on white as it is printed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .columns import Column
from .content import Page, Section
from .patient_planes import Plane
from .typeface import face, writable

DOTS_PER_INCH = 150
SIZE = (1240, 1754)  # pixels: A4
_MARGIN, _GAP = 60, 8
_INK, _PALE, _RULE, _ALARM = "#1a1a1a", "#5c5f66", "#c4c7cc", "#b3261e"
_TITLE, _HEADING, _TEXT, _SMALL = 30, 19, 16, 14
_LINE = 1.32  # of a font's size
_NAMES = 0.36  # share of a column of text for the names of its rows
_MOST_PICTURES = 0.52  # of the page's height


def draw(
    page: Page, planes: Sequence[Plane], columns: Sequence[Column], through: str
) -> Image.Image:
    """The whole page. What does not fit below is cut off with a line that says so."""
    sheet = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(sheet)
    y = _head(pen, page)
    y = _pictures(sheet, pen, y, planes, columns)
    _write(pen, (_MARGIN, y), f"Planes through {through}. Radiological view.", _SMALL, _PALE)
    y += round(_SMALL * _LINE) + 2 * _GAP
    bottom = SIZE[1] - _MARGIN - round(_SMALL * _LINE) - _GAP
    width = (SIZE[0] - 2 * _MARGIN - 3 * _GAP) // 2
    _sections(pen, page.left, _MARGIN, y, width, bottom)
    _sections(pen, page.right, SIZE[0] - _MARGIN - width, y, width, bottom)
    pen.line([(_MARGIN, bottom + _GAP), (SIZE[0] - _MARGIN, bottom + _GAP)], _RULE)
    _write(pen, (_MARGIN, bottom + 2 * _GAP), page.footer, _SMALL, _PALE)
    return sheet


def _head(pen: ImageDraw.ImageDraw, page: Page) -> int:
    width, y = SIZE[0] - 2 * _MARGIN, _MARGIN
    for line in _wrapped(page.title, _TITLE, width)[:2]:
        _write(pen, (_MARGIN, y), line, _TITLE, _INK)
        y += round(_TITLE * _LINE)
    if page.whose:
        _write(pen, (_MARGIN, y), _wrapped(page.whose, _HEADING, width)[0], _HEADING, _PALE)
        y += round(_HEADING * _LINE)
    return y + _GAP


def _pictures(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    top: int,
    planes: Sequence[Plane],
    columns: Sequence[Column],
) -> int:
    """Draw the grid of pictures; returns where it ends."""
    count = max(len(columns), 1)
    room = (SIZE[0] - 2 * _MARGIN - (count - 1) * _GAP) // count
    widest = max(plane.extent_mm[0] for plane in planes)
    heights = sum(plane.extent_mm[1] for plane in planes)
    scale = min(room / widest, (_MOST_PICTURES * SIZE[1] - len(planes) * _GAP) / heights)
    titles, scales = [column.title for column in columns], [column.scale for column in columns]
    y = top + _row(pen, top, titles, room, _TEXT, _INK)
    for row, plane in enumerate(planes):
        size = _pixels(plane.extent_mm[0] * scale), _pixels(plane.extent_mm[1] * scale)
        for number, column in enumerate(columns):
            x = _MARGIN + number * (room + _GAP) + (room - size[0]) // 2
            sheet.paste(_scaled(column.pictures[row], size), (x, y))
            if number == 0:
                name = f"{plane.name} {plane.position}"
                _write(pen, (x + 4, y + 3), name, _SMALL, "#ffffff", outline="#000000")
                _letters(pen, plane, (x, y), size)
        y += size[1] + _GAP
    return y + _row(pen, y, scales, room, _SMALL, _PALE) + _GAP


def _row(
    pen: ImageDraw.ImageDraw, y: int, texts: Sequence[str], room: int, size: int, ink: str
) -> int:
    """A line of text or two over each column; returns its height."""
    lines = [_wrapped(text, size, room)[:2] for text in texts]
    for number, of_column in enumerate(lines):
        for row, line in enumerate(of_column):
            indent = (room - face(size).getlength(writable(line))) / 2
            place = (_MARGIN + number * (room + _GAP) + indent, y + row * size * _LINE)
            _write(pen, place, line, size, ink)
    return round(max((len(of) for of in lines), default=0) * size * _LINE)


def _letters(
    pen: ImageDraw.ImageDraw, plane: Plane, corner: tuple[int, int], size: tuple[int, int]
) -> None:
    left, right, _, bottom = plane.edges
    (x, y), (width, height) = corner, size
    for letter, place in (
        (left, (x + 4, y + height // 2 - _SMALL // 2)),
        (right, (x + width - 14, y + height // 2 - _SMALL // 2)),
        (bottom, (x + width // 2 - 4, y + height - _SMALL - 6)),
    ):
        _write(pen, place, letter, _SMALL, "#ffd24d", outline="#000000")


def _sections(
    pen: ImageDraw.ImageDraw,
    sections: Sequence[Section],
    x: int,
    y: int,
    width: int,
    bottom: int,
) -> None:
    line = round(_TEXT * _LINE)
    for section in sections:
        if y + round(_HEADING * _LINE) + line > bottom:
            return
        _write(pen, (x, y), section.heading, _HEADING, _INK)
        y += round(_HEADING * _LINE)
        for name, value in section.rows:
            indent = round(_NAMES * width) if name else 0
            lines = _wrapped(value, _TEXT, width - indent)
            if y + line * len(lines) > bottom:
                _write(pen, (x, min(y, bottom - line)), "... more in report.json", _TEXT, _PALE)
                return
            if name:
                _write(pen, (x, y), name, _TEXT, _PALE)
            alarm = value.startswith(("DOUBTFUL", "FAILED"))
            for text in lines:
                _write(pen, (x + indent, y), text, _TEXT, _ALARM if alarm else _INK)
                y += line
        y += _GAP


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    ink: str,
    outline: str = "",
) -> None:
    pen.text(
        place,
        writable(text),
        fill=ink,
        font=face(size),
        stroke_width=2 if outline else 0,
        stroke_fill=outline or None,
    )


def _wrapped(text: str, size: int, width: float) -> list[str]:
    """Lines of at most ``width`` pixels; a word that is longer is broken."""
    font, lines, current = face(size), [], ""
    for word in writable(text).split():
        while font.getlength(word) > width:
            cut = max(1, int(len(word) * width / font.getlength(word)) - 1)
            lines += [current] if current else []
            lines, current, word = [*lines, word[:cut]], "", word[cut:]
        longer = f"{current} {word}".strip()
        if current and font.getlength(longer) > width:
            lines, current = [*lines, current], word
        else:
            current = longer
    return [*lines, current] if current or not lines else lines


def _pixels(length: float) -> int:
    return max(1, round(length))


def _scaled(picture: np.ndarray, size: tuple[int, int]) -> Image.Image:
    finer = size[0] >= picture.shape[1]
    how = Image.Resampling.NEAREST if finer else Image.Resampling.BOX
    return Image.fromarray(picture).resize(size, how)
