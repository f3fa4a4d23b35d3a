"""What is at a point: every value of it, in words and with its unit."""

from __future__ import annotations

import numpy as np

from ..pipeline.parts import BY_NAME, FUSED
from ..scene.application.probe_words import in_units
from ..volumes.volume import Volume
from .planes import to_ras
from .study import Study, fused_of
from .told import Point


def read_out(study: Study, ras: Point, look: tuple[float, float]) -> list[tuple[str, str]]:
    """(name, value) of both sources, where they are shown, and of every part of the result.

    Args:
        ras: mm, of the fixed volume's space.
        look: strength and floor.
    """
    lps = np.array([*to_ras(ras), 1.0])
    record = study.result.record
    said = []
    for role, volume in study.sources.items():
        matrix = study.result.alignment.matrix if role == "moving" else np.eye(4)
        value = _at(volume, matrix @ lps)
        source = getattr(record, role)
        words = "outside" if value is None else in_units(float(value), source.window)
        said.append((f"{role.capitalize()} ({source.name})", words))
    for name, volume in study.result.volumes.items():
        part = BY_NAME[name]
        value = _at(fused_of(study, look) if part is FUSED else volume, lps)
        if value is None:
            words = "outside"
        elif volume.is_colour:
            words = "RGB " + ", ".join(str(int(channel)) for channel in value)
        else:
            words = f"{float(value):.3f} ({part.unit})"
        said.append((part.heading, words))
    return said


def _at(volume: Volume, lps: np.ndarray) -> np.ndarray | None:
    """The nearest voxel; None outside."""
    place = np.rint(np.linalg.inv(volume.geometry.ijk_to_lps) @ lps)[:3].astype(int)
    if not all(0 <= n < size for n, size in zip(place, volume.geometry.size, strict=True)):
        return None
    i, j, k = place
    return np.asarray(volume.array[k, j, i])
