"""One study of a batch, and how it went."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..pipeline.request import AFFINE, AS_THEY_LIE, RIGID
from ..progress import Progress

WITHOUT_FILE = (AS_THEY_LIE, RIGID, AFFINE)
"""Registrations that no file of a transform gives."""

DONE, KEPT, FAILED, FAILED_BEFORE, WAITING = "done", "kept", "failed", "failed before", "waiting"
STATES = (DONE, KEPT, FAILED, FAILED_BEFORE, WAITING)
"""Done in this run; done in an earlier one; failed in this run; failed in an earlier one and not
tried again; not come to yet."""

OUT_OF_TIME, OUT_OF_MEMORY, REFUSED, DEFECT, LOST, NO_ROOM, UNFIT = (
    "time limit", "memory", "refused", "defect", "lost workers", "no room", "unfit worker",
)  # fmt: skip
"""Kinds of failure; the last three say nothing of the study."""

Perform = Callable[[argparse.Namespace, Callable[[Progress], None], Any], dict[str, Any]]
"""Does one study: options of ``wdualmine fuse``, a reporter of progress and a loaded network to
what ``report.json`` holds. Named, not built on the spot: workers look it up by its name."""


@dataclass(frozen=True)
class Bids:
    """Where a study stands in a BIDS dataset.

    Attributes:
        root: of the dataset.
        entities: of the fixed image.
        datatype: "anat", "pet" or "ct", of the fixed image.
        suffix: of the fixed image, such as "T1w".
        tag: letters and digits that tell the moving image from others of the same fixed one.
    """

    root: Path
    entities: tuple[tuple[str, str], ...]
    datatype: str
    suffix: str
    tag: str


@dataclass(frozen=True)
class Row:
    """A study as a source lists it, before anything is checked.

    Attributes:
        place: where it stands, for messages: "row 7" or "sub-01/ses-2".
        fixed, moving: paths as they were written, relative to the source or absolute.
        name: what its folder is to be called; "" for a number.
        words: options of ``wdualmine fuse`` by their long names without dashes in front.
        timeout: seconds, as written; "" for that of the batch.
        bids: where it stands in a BIDS dataset.
        doubt: why it cannot run before somebody has looked at it; "" if it can.
    """

    place: str
    fixed: str
    moving: str
    name: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    timeout: str = ""
    bids: Bids | None = None
    doubt: str = ""


@dataclass(frozen=True)
class Study:
    """A study that was found possible.

    Attributes:
        place: as in :class:`Row`.
        name: of its folder.
        options: of ``wdualmine fuse``, with absolute paths; ``output`` is the folder of the study.
        recipe: SHA-256 of everything but the inputs that decides on the result.
        timeout: seconds that it may take; None for any.
        bids: where it stands in a BIDS dataset.
        notes: what is to be known of it before it runs.
    """

    place: str
    name: str
    options: argparse.Namespace
    recipe: str
    timeout: float | None = None
    bids: Bids | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing that is written may tell what it was made of."""
        return bool(self.options.anonymise)

    @property
    def inputs(self) -> dict[str, Path]:
        """Fixed and moving volume, and a transform where a file gives it."""
        found = {"fixed": self.options.fixed, "moving": self.options.moving}
        if self.options.registration not in WITHOUT_FILE:
            found["transform"] = Path(self.options.registration)
        return found


@dataclass(frozen=True)
class Outcome:
    """How a study stands.

    Attributes:
        state: one of :data:`STATES`.
        kind: of a failure: one of the constants above; "" without.
        words: of a failure, as the user reads them.
        figures: of a result; see :func:`~.figures.figures_of`.
        attempts: how often it was begun in the run that ended it.
        worker: where.
        seconds: from its start to its end there.
        notes: of a result.
    """

    state: str
    kind: str = ""
    words: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    worker: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether there is a whole result."""
        return self.state in (DONE, KEPT)

    @property
    def is_failed(self) -> bool:
        """Whether it was tried, now or before, and came to nothing."""
        return self.state in (FAILED, FAILED_BEFORE)
