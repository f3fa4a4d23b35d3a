"""``report.json``: everything needed to tell how a fusion was made, and to make it again."""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ..fusion.intensity import Window
from ..fusion.result import FusionResult
from ..network.weights import default_path, weights_hash
from ..version import __version__
from ..volumes.geometry import Geometry
from ..volumes.volume import Volume
from .inputs import fingerprint, voxel_fingerprint

_LIBRARIES = ("numpy", "torch", "PyWavelets", "SimpleITK", "pydicom", "matplotlib")


def describe_input(path: Path, volume: Volume, window: Window) -> dict[str, Any]:
    """A source: where it lay, what it held, and the window it was seen through."""
    return {
        "path": str(path),
        "sha256": fingerprint(path),
        "sha256_of_voxels": voxel_fingerprint(volume),
        "name": volume.name,
        "modality": volume.modality,
        "geometry": describe_geometry(volume.geometry),
        "window": asdict(window),
    }


def describe_geometry(geometry: Geometry) -> dict[str, Any]:
    """The grid in LPS mm, every number to its last bit."""
    return {
        "size": geometry.size,
        "spacing_mm": geometry.spacing,
        "origin_lps_mm": geometry.origin,
        "direction_lps": geometry.direction,
    }


def describe_run(result: FusionResult) -> dict[str, Any]:
    """Versions, settings, weights, figures and notes of a fusion."""
    weights = Path(result.settings.weights or default_path())
    return {
        "program": "WDualMine",
        "version": __version__,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "settings": asdict(result.settings),
        "weights": {"file": weights.name, "sha256": weights_hash(weights)},
        "measures": result.measures,
        "notes": result.notes,
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write ``report`` as JSON that every reader takes: no NaN, paths as text."""
    text = json.dumps(_plain(report), indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


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
