"""``report.json``: everything needed to tell how a result was made, and to make it again."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..version import __version__
from ..volumes.geometry import Geometry
from .record import IDENTITY
from .sources import fingerprint

if TYPE_CHECKING:
    from ..dicom.context import Patient
    from .record import SourceRecord
    from .result import Result

SHIPPED = "wdualmine.pt"
"""File name of the network weights that ship."""

_LIBRARIES = ("numpy", "torch", "PyWavelets", "SimpleITK", "pydicom", "matplotlib")


def describe_program(libraries: Sequence[str]) -> dict[str, Any]:
    """Who wrote a report and when, with the versions of the libraries that had a part in it."""
    return {
        "program": "WDualMine",
        "version": __version__,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: _version(name) for name in libraries},
    }


def describe_result(result: Result) -> dict[str, Any]:
    """Program, settings, weights, figures, notes, sources and alignment of a result."""
    record = result.record
    weights = result.settings.weights
    report = describe_program(_LIBRARIES) | {
        "settings": asdict(result.settings),
        "weights": {
            "file": Path(weights).name if weights else SHIPPED,
            "sha256": record.weights_sha256,
        },
        "measures": result.measures,
        "notes": result.notes,
        "fixed": describe_source(record.fixed) | {"window": asdict(record.fixed.window)},
        "moving": describe_source(record.moving) | {"window": asdict(record.moving.window)},
        "registration": result.alignment.report(),
    }
    # Told where it is so: a reader that does not know the key takes the usual for granted.
    report |= {key: True for key in ("different_patients", "anonymised") if getattr(record, key)}
    if record.moving_to_fixed is not None:
        report["registration"]["moving_to_fixed_lps_mm"] = record.moving_to_fixed
    if record.functional:
        report["luminance_of_colours"] = record.functional
    return report


def describe_source(source: SourceRecord) -> dict[str, Any]:
    """Where a source lay and what it held."""
    sha256 = source.sha256
    if not sha256 and source.path is not None and source.path.exists():
        sha256 = fingerprint(source.path)
    return {
        "path": None if source.path is None else str(source.path),
        "sha256": sha256 or None,
        "sha256_of_voxels": source.sha256_of_voxels or None,
        "name": source.name,
        "modality": source.modality,
        "geometry": None if source.geometry is None else describe_geometry(source.geometry),
        "patient": describe_patient(source.patient),
        "series_uid": source.series_uid or None,
    }


def describe_patient(patient: Patient | None) -> dict[str, str] | None:
    """Whose a source is, as far as :meth:`~..dicom.context.Patient.differences` compares."""
    return None if patient is None else {key: getattr(patient, key) for key in IDENTITY}


def describe_geometry(geometry: Geometry) -> dict[str, Any]:
    """The grid in LPS mm, every number to its last bit."""
    return {
        "size": geometry.size,
        "spacing_mm": geometry.spacing,
        "origin_lps_mm": geometry.origin,
        "direction_lps": geometry.direction,
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write ``report`` as JSON that every reader takes: no NaN, paths as text."""
    text = json.dumps(_plain(report), indent=2, allow_nan=False, ensure_ascii=False)
    # A path may hold bytes that are no text.
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
