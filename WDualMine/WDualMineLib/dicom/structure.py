"""Whether a DICOM file ends where its own lengths say (PS3.5 7.1 to 7.5).

pydicom takes a file that breaks off between two elements, or inside of a sequence, for a shorter
one. Here only lengths and delimiters are followed, and no value is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PREAMBLE = 132


def require_complete(raw: bytes, transfer_syntax: str) -> None:
    """Follow all lengths of a file with preamble.

    Raises:
        ValueError: it breaks off.
    """
    meta = _Walk(raw, explicit=True, order="little")
    position = meta.group_2(_PREAMBLE)
    if transfer_syntax == DeflatedExplicitVRLittleEndian:
        return  # packed as a whole, and broken off it does not unpack
    order = "big" if transfer_syntax == ExplicitVRBigEndian else "little"
    walk = _Walk(raw, explicit=transfer_syntax != ImplicitVRLittleEndian, order=order)
    while position < len(raw):
        position = walk.element(position)


@dataclass(frozen=True)
class _Walk:
    raw: bytes
    explicit: bool
    order: str

    def number(self, start: int, size: int) -> int:
        if start + size > len(self.raw):
            raise ValueError("it breaks off")
        return int.from_bytes(self.raw[start : start + size], self.order)

    def tag(self, start: int) -> int:
        return self.number(start, 2) << 16 | self.number(start + 2, 2)

    def group_2(self, position: int) -> int:
        while self.number(position, 2) == 2:
            position = self.element(position)
        return position

    def element(self, position: int) -> int:
        """Where the element at ``position`` ends."""
        inside = self
        if not self.explicit:
            length, start = self.number(position + 4, 4), position + 8
        elif (vr := self.raw[position + 4 : position + 6]) in _LONG:
            length, start = self.number(position + 8, 4), position + 12
            if vr == b"UN":  # of undefined length: a sequence that somebody did not know
                inside = _Walk(self.raw, False, self.order)
        else:
            length, start = self.number(position + 6, 2), position + 8
        return inside.items(start) if length == _UNDEFINED else self.past(start, length)

    def past(self, start: int, length: int) -> int:
        if start + length > len(self.raw):
            raise ValueError("it breaks off")
        return start + length

    def items(self, position: int) -> int:
        """Where a sequence of undefined length ends, or pixels in pieces."""
        while (tag := self.tag(position)) == _ITEM:
            length = self.number(position + 4, 4)
            position += 8
            if length != _UNDEFINED:
                position = self.past(position, length)
                continue
            while self.tag(position) != _ITEM_END:
                position = self.element(position)
            position += 8
        if tag != _SEQUENCE_END:
            raise ValueError("a sequence in it does not end")
        return self.past(position, 8)
