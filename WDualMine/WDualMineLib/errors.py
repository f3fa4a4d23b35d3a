"""The one kind of failure that users are meant to read.

A clinician cannot debug: whatever is raised as :class:`WDualMineError` carries what failed, why,
and what to do next. The command line prints it on one line and exits with ``exit_code``; the
Slicer module shows it in its panel. Anything else that is raised is a defect.
"""

from __future__ import annotations

# A damaged header may hold a name of any length.
_LONGEST = 2000


def printable(text: object) -> str:
    """``text`` on one line: control characters and bytes that are no text become escapes."""
    return "".join(c if c.isprintable() else _escaped(c) for c in str(text))


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte that the file system's encoding does not know
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


class WDualMineError(Exception):
    """A failure with its remedy.

    Args:
        what: what failed and why, naming the file or the volume; no closing full stop needed.
        remedy: what the user can do next, as an imperative sentence.
    """

    exit_code = 2

    def __init__(self, what: str, remedy: str) -> None:
        self.what = _short(printable(what)).rstrip(". ")
        self.remedy = _short(printable(remedy)).rstrip(". ")
        super().__init__(f"{self.what}. {self.remedy}.")


class InputError(WDualMineError):
    """A file, folder, volume or number given by the user cannot be used."""


class OutputError(WDualMineError):
    """A result cannot be written: no room, no permission, or it would overwrite something."""


class NoRoom(OutputError):
    """The disk is full, or a quota used up: what comes next will fail alike."""


class WeightsError(WDualMineError):
    """The network's weights are missing, corrupt, or of another architecture."""


class DeviceError(WDualMineError):
    """The compute device asked for is absent, or has too little memory for a single slice."""


class RegistrationFailed(WDualMineError):
    """The two volumes could not be aligned well enough to be fused."""

    exit_code = 3


class Cancelled(WDualMineError):
    """The user stopped the work; nothing was changed."""

    exit_code = 130

    def __init__(self, what: str = "Stopped on request", remedy: str = "Start again when ready"):
        super().__init__(what, remedy)


class Caution(str):
    """A note to the user that asks for a look before the result is used; others inform."""

    __slots__ = ()
