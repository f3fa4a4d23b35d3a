"""How a result was made: settings, windows and placement, as values and as strings.

The same keys and words go into the headers of NRRD files, the attributes of MRML nodes,
``report.json`` and the description in DICOM objects, and are read back from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..fusion.intensity import Window
from ..fusion.settings import FusionSettings
from ..volumes.geometry import Geometry
from ..volumes.volume import Volume
from .sources import voxel_fingerprint

ROLES = ("fixed", "moving")
IDENTITY = ("patient_id", "issuer_of_id", "name", "birth_date", "sex")
"""Fields of :class:`~..dicom.context.Patient` that a report keeps."""

_IN_WORDS = ("fixed_window", "moving_window", "axis", "strength", "correlation_floor", "colour")
PLACEMENT = "MovingToFixed"
"""Key of the 4x4 matrix from points of the moving volume to the fixed one, as JSON."""

_WEIGHTS, _SHA256, _REGISTRATION = "Weights", "sha256:", "Registration"

Matrix = tuple[tuple[float, ...], ...]
_IDENTITY_WITHIN = 1e-9


@dataclass(frozen=True)
class SourceRecord:
    """One of the two volumes, as far as it matters once it was fused.

    Attributes:
        name, modality, geometry, path, context: as in :class:`~..volumes.volume.Volume`;
            ``geometry`` is None where a record does not tell.
        window: how its units became [0, 1].
        sha256_of_voxels: whatever the format of the file; "" where a record does not tell.
        sha256: of the file or folder, from an earlier report; "" where it was not looked at.
        patient: whose it is (:class:`~..dicom.context.Patient`); None where nothing tells.
        series_uid: of its DICOM series; "" without.
    """

    name: str
    window: Window
    modality: str = ""
    geometry: Geometry | None = None
    path: Path | None = None
    sha256_of_voxels: str = ""
    context: Any = None
    sha256: str = ""
    patient: Any = None
    series_uid: str = ""

    @property
    def known_modality(self) -> str:
        """As a header said it, or as the window tells: Hounsfield units are CT's alone."""
        return self.modality or ("CT" if self.window.units == "HU" else "")

    @classmethod
    def of(cls, volume: Volume, window: Window) -> SourceRecord:
        """What is kept of ``volume``; its voxels are not."""
        return cls(
            volume.name,
            window,
            volume.modality,
            volume.geometry,
            volume.path,
            voxel_fingerprint(volume.array),
            volume.context,
            patient=None if volume.context is None else volume.context.patient,
            series_uid="" if volume.context is None else volume.context.series_uid,
        )


@dataclass(frozen=True)
class Record:
    """What a result was made of, and how.

    Attributes:
        fixed, moving: the sources.
        settings: of the fusion.
        functional: "fixed" or "moving", the source that is shown in colour; "" without colour.
        moving_to_fixed: 4x4 from points of the moving volume to the fixed one (LPS mm), as they
            were fused; None where a record does not tell.
        weights_sha256: of the network's weights; "" where a record does not tell.
        registration: how they were aligned (:class:`~.request.Request`); "" where it does not tell.
        told: of a result that does not tell its sources: what it does tell, in words.
        different_patients: whether the sources are of two patients, as was allowed.
        anonymised: whether it was removed whose the sources are.
    """

    fixed: SourceRecord
    moving: SourceRecord
    settings: FusionSettings
    functional: str = ""
    moving_to_fixed: Matrix | None = None
    weights_sha256: str = ""
    registration: str = ""
    told: Mapping[str, str] | None = None
    different_patients: bool = False
    anonymised: bool = False

    @property
    def pair_name(self) -> str:
        """What a result is called after: both sources."""
        return f"{self.fixed.name} + {self.moving.name}"

    @property
    def fixed_to_moving(self) -> np.ndarray | None:
        """4x4 from fixed to moving points; None for the identity, and where nothing is known."""
        if self.moving_to_fixed is None:
            return None
        matrix = np.linalg.inv(np.array(self.moving_to_fixed))
        identity = np.allclose(matrix, np.eye(4), rtol=0, atol=_IDENTITY_WITHIN)
        return None if identity else matrix

    def window_in_words(self, role: str) -> str:
        """The window of "fixed" or "moving" by its name, or by numbers where it has none."""
        window = self.fixed.window if role == "fixed" else self.moving.window
        named = window.name != "explicit"
        return window.name if named else f"{window.low:g},{window.high:g}"

    def attributes(self) -> dict[str, Any]:
        """What the fused volume's header and the nodes of a scene tell, without prefix.

        ``units = low + (high - low) * value`` with ``fixed_window_low`` and so on, for values up to
        ``fixed_window_knee`` where there is one; from there on units grow faster, and 1 stands for
        ``fixed_window_brightest``.
        """
        told: dict[str, Any] = {}
        for role, source in (("fixed", self.fixed), ("moving", self.moving)):
            told[f"{role}_name"] = source.name
            told[f"{role}_window"] = source.window.name
            told[f"{role}_window_low"] = source.window.low
            told[f"{role}_window_high"] = source.window.high
            if source.window.brightest is not None:
                told[f"{role}_window_knee"] = source.window.knee
                told[f"{role}_window_brightest"] = source.window.brightest
            told[f"{role}_units"] = source.window.units
            if source.window.suv_factor is not None:
                told[f"{role}_suv_factor"] = source.window.suv_factor
        if self.functional:
            told["luminance_of_colours"] = self.functional
        told["axis"] = self.settings.axis
        told["strength"] = self.settings.strength
        told["correlation_floor"] = self.settings.correlation_floor
        told["share"] = self.settings.share
        return told

    def strings(self) -> dict[str, str]:
        """:meth:`attributes`, colours and placement, from which :meth:`of_strings` makes it again.

        Device and precision say nothing of the picture and stay out.
        """
        told = {key: str(value) for key, value in self.attributes().items()}
        if self.settings.colour is not None:
            told["colour"] = json.dumps(self.settings.colour)
        if self.moving_to_fixed is not None:
            told[PLACEMENT] = json.dumps(self.moving_to_fixed)
        if self.weights_sha256:
            told[_WEIGHTS] = _SHA256 + self.weights_sha256
        if self.registration:
            told[_REGISTRATION] = self.registration
        return told

    def described(self) -> dict[str, str]:
        """What a description in words lists: windows as they were used, and the settings."""
        if self.told is not None:
            return dict(self.told)
        told = {f"{role}_window": self.window_in_words(role) for role in ROLES}
        told |= {
            "axis": self.settings.axis,
            "strength": f"{self.settings.strength:g}",
            "correlation_floor": f"{self.settings.correlation_floor:g}",
        }
        if self.settings.colour is not None:
            named = isinstance(self.settings.colour, str)
            told["colour"] = str(self.settings.colour) if named else "a table of its own"
        return told

    def with_settings(self, settings: FusionSettings) -> Record:
        """The same sources with another look."""
        return replace(self, settings=settings)

    @classmethod
    def of_little(cls, settings: Mapping[str, Any]) -> Record:
        """Where a folder holds a fused volume, and a report that tells settings at the most."""
        told = {key: str(settings[key]) for key in _IN_WORDS if settings.get(key) is not None}
        window = Window(0.0, 1.0, "unknown")
        fixed, moving = (SourceRecord(role, window) for role in ROLES)
        return cls(fixed, moving, FusionSettings(), told=told)

    @classmethod
    def of_strings(cls, told: Mapping[str, str]) -> Record:
        """The record that :meth:`strings` tell, of this version or an earlier one.

        Raises:
            KeyError, ValueError: something is missing or is no number.
        """
        fixed, moving = (_source(told, role) for role in ROLES)
        colour, placement = told.get("colour"), told.get(PLACEMENT)
        settings = FusionSettings(
            _asked_for(fixed.window),
            _asked_for(moving.window),
            axis=told["axis"],
            strength=float(told["strength"]),
            correlation_floor=float(told["correlation_floor"]),
            colour=json.loads(colour) if colour else None,
            share=told.get("share") == str(True),
        )
        return cls(
            fixed,
            moving,
            settings,
            told.get("luminance_of_colours", ""),
            as_matrix(json.loads(placement)) if placement else None,
            told.get(_WEIGHTS, "").removeprefix(_SHA256),
            told.get(_REGISTRATION, ""),
        )

    @classmethod
    def of_report(cls, report: Mapping[str, Any]) -> Record:
        """The record that a ``report.json`` tells.

        Raises:
            KeyError, TypeError, ValueError, InputError: it is damaged.
        """
        asked = dict(report["settings"])
        weights = asked.get("weights")
        settings = FusionSettings(**asked | {"weights": Path(weights) if weights else None})
        fixed, moving = (_reported(report[role]) for role in ROLES)
        placement = report.get("registration", {}).get("moving_to_fixed_lps_mm")
        functional = report.get("luminance_of_colours") or ""
        return cls(
            fixed,
            moving,
            settings,
            functional,
            as_matrix(placement) if placement else None,
            (report.get("weights") or {}).get("sha256") or "",
            kind_told(report.get("registration", {}).get("kind")),
            different_patients=bool(report.get("different_patients")),
            anonymised=bool(report.get("anonymised")),
        )


def kind_told(kind: object) -> str:
    """The kind of alignment that a report tells, where a file stands for a given transform."""
    if not kind:
        return ""
    return str(kind) if kind in ("none", "rigid", "affine") else "transform"


def as_matrix(rows: Any) -> Matrix:
    """4x4 as tuples, which compare and hash."""
    return tuple(tuple(float(x) for x in row) for row in np.asarray(rows))


def _asked_for(window: Window) -> str | tuple[float, float]:
    return (window.low, window.high) if window.name == "explicit" else window.name


def _source(told: Mapping[str, str], role: str) -> SourceRecord:
    factor, brightest = (told.get(f"{role}_{key}") for key in ("suv_factor", "window_brightest"))
    window = Window(
        float(told[f"{role}_window_low"]),
        float(told[f"{role}_window_high"]),
        told[f"{role}_window"],
        told.get(f"{role}_units", ""),
        float(factor) if factor else None,
        float(brightest) if brightest else None,
    )
    return SourceRecord(told.get(f"{role}_name", ""), window)


def _reported(source: Mapping[str, Any]) -> SourceRecord:
    grid = source["geometry"]
    keys = ("size", "spacing_mm", "origin_lps_mm", "direction_lps")
    geometry = None if grid is None else Geometry(*(tuple(grid[key]) for key in keys))
    return SourceRecord(
        source["name"],
        Window(**source["window"]),
        source["modality"],
        geometry,
        Path(source["path"]) if source.get("path") else None,
        source.get("sha256_of_voxels") or "",
        sha256=source.get("sha256") or "",
        patient=_patient(source.get("patient")),
        series_uid=source.get("series_uid") or "",
    )


def _patient(told: Mapping[str, str] | None) -> Any:
    # Here and not above: most results are made without DICOM, and are read without it.
    from ..dicom.context import Patient

    if told is None:
        return None
    words: dict[str, Any] = {key: str(told.get(key, "")) for key in IDENTITY}
    return Patient(**words)
