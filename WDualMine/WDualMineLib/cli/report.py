"""``report.json``: everything needed to tell how a fusion was made, and to make it again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..fusion.intensity import Window
from ..fusion.result import FusionResult
from ..network.weights import default_path, weights_hash
from ..volumes.volume import Volume
from .inputs import fingerprint, voxel_fingerprint
from .json_report import describe_geometry, describe_program

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


def describe_run(result: FusionResult) -> dict[str, Any]:
    """Versions, settings, weights, figures and notes of a fusion."""
    weights = Path(result.settings.weights or default_path())
    return describe_program(_LIBRARIES) | {
        "settings": asdict(result.settings),
        "weights": {"file": weights.name, "sha256": weights_hash(weights)},
        "measures": result.measures,
        "notes": result.notes,
    }
