"""What is looked at: a result, and its sources where they may be read."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..casereport.content import describe as describe_doubt
from ..casereport.content import words_of
from ..casereport.found_sources import NOT_SHOWN, read_sources
from ..errors import InputError, WDualMineError
from ..fusion.colour import PET_HEAT, colour_table
from ..palettes import PALETTES
from ..pipeline.anonymous import anonymous
from ..pipeline.folder import REPORT, TRANSFORM, load
from ..pipeline.parts import BY_NAME, FUSED, PARTS, Part
from ..pipeline.record import SourceRecord
from ..pipeline.result import Result
from ..scene.views.appearance import in_uptake_colours
from ..volumes.volume import Volume
from . import planes
from .folders import require_within

_LOG = logging.getLogger(__name__)
_LOOKS_KEPT = 4
_COLOURS_OF_LEGEND = 17

Look = tuple[float, float]


@dataclass(frozen=True)
class Study:
    """A result for viewers; never changed.

    Attributes:
        result: anonymised already, if it is to be.
        fixed, moving: the sources in their own units; None where they are not shown.
        notes: why something is not shown.
        patients: whose it is, as far as is known, to be compared and never told.
        frame_of_reference: UID of that of the fixed volume, likewise; "" where it is not known.
        prior: the study that is shown beside it.
    """

    result: Result
    fixed: Volume | None = None
    moving: Volume | None = None
    notes: tuple[str, ...] = ()
    patients: tuple[Any, ...] = field(default=(), repr=False)
    frame_of_reference: str = field(default="", repr=False)
    prior: Study | None = None
    _looks: OrderedDict[Look, Result] = field(
        default_factory=OrderedDict, repr=False, compare=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def sources(self) -> dict[str, Volume]:
        """Those that are shown, by role."""
        both = {"fixed": self.fixed, "moving": self.moving}
        return {role: volume for role, volume in both.items() if volume is not None}

    def both(self, look: Look) -> list[tuple[str, Study, Look]]:
        """This study in a look, and the prior one in its own: what precedes its names, and each."""
        prior = [] if self.prior is None else [("Prior: ", self.prior, self.prior.own_look)]
        return [("", self, look), *prior]

    @property
    def own_look(self) -> Look:
        """Detail strength and correlation floor that it was fused with."""
        settings = self.result.settings
        return settings.strength, settings.correlation_floor

    @property
    def has_looks(self) -> bool:
        """Whether strength and floor can be changed."""
        return self.result.inputs is not None and self.result.output is not None

    def with_look(self, look: Look) -> Result:
        """The result with another strength and floor, from any thread; the last few are kept.

        Raises:
            InputError: see :meth:`~..pipeline.result.Result.with_look`.
        """
        if look == self.own_look:
            return self.result
        with self._lock:
            found = self._looks.pop(look, None)
            if found is None:
                found = self.result.with_look(*look)
            self._looks[look] = found
            while len(self._looks) > _LOOKS_KEPT:
                self._looks.popitem(last=False)
            return found


def read_study(folder: Path, sources_in: Sequence[Path], *, anonymise: bool = False) -> Study:
    """The study in a result folder; no other file is read but sources within ``sources_in``.

    Raises:
        InputError: it holds no result that can be read, or a file of it lies elsewhere.
    """
    result = _load(folder)
    try:
        fixed, moving = _read_sources(result, folder, sources_in)
    except InputError as error:
        notes, patients = (f"{NOT_SHOWN}{error.what}. {error.remedy}.",), _patients(result)
        if anonymise:  # why a source is not shown may name its file
            result, notes = anonymous(result, ()), (f"{NOT_SHOWN}they are not at hand.",)
        return Study(result, notes=notes, patients=patients)
    return study_of(result, fixed, moving, anonymise=anonymise)


def read_result_and_sources(
    folder: Path, sources_in: Sequence[Path]
) -> tuple[Result, Volume, Volume]:
    """What :func:`read_study` reads, where it is all there.

    Raises:
        InputError: see there; or a source may not or cannot be read.
    """
    result = _load(folder)
    return result, *_read_sources(result, folder, sources_in)


def _load(folder: Path) -> Result:
    for name in (*(part.file for part in PARTS), REPORT, TRANSFORM):
        require_within(folder / name, [folder])
    return load(folder)


def _read_sources(
    result: Result, folder: Path, sources_in: Sequence[Path]
) -> tuple[Volume, Volume]:
    for role in (result.record.fixed, result.record.moving):
        if role.path is not None:
            require_within(role.path, [folder, *sources_in])
    return read_sources(result.record)


def study_of(result: Result, fixed: Volume, moving: Volume, *, anonymise: bool) -> Study:
    """The study of a result whose sources are at hand."""
    patients = _patients(result)
    frame = "" if fixed.context is None else fixed.context.frame_of_reference_uid
    if anonymise:
        result = anonymous(result, (fixed, moving))
        fixed, moving = (
            replace(volume, name=role, context=None, path=None, attributes={}, notes=())
            for volume, role in ((fixed, "fixed"), (moving, "moving"))
        )
    return Study(result, fixed, moving, patients=patients, frame_of_reference=frame)


def _patients(result: Result) -> tuple[Any, ...]:
    both = result.record.fixed.patient, result.record.moving.patient
    return tuple(patient for patient in both if patient is not None)


def unnamed(error: WDualMineError) -> InputError:
    """What an anonymised viewer is told in place of ``error``, which may name files."""
    _LOG.warning("%s", error)
    return InputError("The study cannot be shown", "Ask who runs the server, which printed why")


def describe(study: Study) -> dict[str, Any]:
    """All that the page is told of a study, ready for JSON."""
    result, record = study.result, study.result.record
    page = words_of(result, study.notes)
    strength, floor = study.own_look
    return planes.describe(result.fused.geometry) | {
        "title": page.title,
        "whose": page.whose,
        "footer": page.footer,
        "notes": study.notes,
        "warning": result.alignment.warning,
        "sections": [
            {"heading": section.heading, "rows": section.rows}
            for section in (*page.left, *page.right)
        ],
        "parts": [
            _described(BY_NAME[name], volume.is_colour) for name, volume in result.volumes.items()
        ],
        "sources": [
            {
                "name": role,
                "heading": f"{role.capitalize()}: {source.name}",
                "window": [source.window.low, source.window.high],
                "unit": source.window.units,
                "colours": _colours_of(source, study.sources[role]),
            }
            for role, source in (("fixed", record.fixed), ("moving", record.moving))
            if role in study.sources
        ],
        "doubts": [
            {
                "text": f"In the {doubt.role}: {describe_doubt(doubt)}",
                "point": planes.to_ras(doubt.point),
            }
            for doubt in page.doubts
        ],
        "look": {"strength": strength, "floor": floor, "changes": study.has_looks},
    }


def _described(part: Part, is_colour: bool) -> dict[str, Any]:
    return {
        "name": part.name,
        "heading": part.heading,
        "unit": part.unit,
        "window": None if is_colour else list(part.scale),
        "ends": part.ends,
        "map": part.is_map,
        "overlay": part.is_map and part.overlay,
        "from": part.shown_from,
        "nothing": part.says_nothing,
        "colours": _colours(part.palette),
    }


def _colours_of(source: SourceRecord, volume: Volume) -> list[str]:
    if not in_uptake_colours(source.window.name, volume.modality):
        return []
    return _in_words(np.rint(255 * colour_table(PET_HEAT)))


def _colours(palette: str) -> list[str]:
    return _in_words(PALETTES[palette]) if palette else []


def _in_words(table: np.ndarray) -> list[str]:
    """Some colours of an (N, 3 or 4) table of 0 to 255, as a style sheet has them."""
    rows = np.linspace(0, len(table) - 1, _COLOURS_OF_LEGEND).round().astype(int)
    chosen = table[rows, :3].astype(np.uint8)
    return ["#" + bytes(colour.tolist()).hex() for colour in chosen]


def fused_of(study: Study, look: Look) -> Volume:
    """The fused volume in a look."""
    return study.with_look(look).volumes[FUSED.name]
