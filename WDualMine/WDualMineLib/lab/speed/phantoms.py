"""A head in air, of any size, for timing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...volumes import scratch
from ...volumes.geometry import Geometry
from ...volumes.volume import Volume

FIELD_MM = 256.0
"""Of view, along every axis: the same head, whatever the number of voxels."""

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def phantoms(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 (K, J, I) in [0, 1] of a head in air: a bright shell, and texture within it.

    Times hardly depend on what the voxels hold; air and edges make the floor do its usual work.
    """
    bone, soft = (scratch.empty(shape) for _ in range(2))
    for k, (of_bone, of_soft) in enumerate(_slices(shape)):
        bone[k], soft[k] = of_bone, of_soft
    return bone, soft


def phantom_volumes(
    shape: tuple[int, int, int],
    moving_shape: tuple[int, int, int] | None = None,
    field_mm: float = FIELD_MM,
) -> tuple[Volume, Volume]:
    """:func:`phantoms` as 16-bit volumes, as scanners give them: one in [-1000, 1000], one in
    [0, 1000].

    Args:
        shape: (K, J, I) of the first.
        moving_shape: of the second, by default the same; it shows the same head.
        field_mm: of view along every axis.
    """
    bone = _stored(shape, 0, 2000, -1000)
    soft = _stored(moving_shape or shape, 1, 1000, 0)
    return (
        Volume(bone, _grid(bone, field_mm), "bone"),
        Volume(soft, _grid(soft, field_mm), "soft"),
    )


def phantom_files(folder: Path, *shapes: tuple[int, int, int]) -> tuple[Path, Path]:
    """:func:`phantom_volumes` as NRRD files that are not compressed."""
    # Here and not above: slices are timed where SimpleITK is not installed.
    from ...volumes.writing import write_volume

    fixed, moving = (
        write_volume(volume, folder / f"{volume.name}.nrrd", compress=False)
        for volume in phantom_volumes(*shapes)
    )
    return fixed, moving


def _stored(shape: tuple[int, int, int], which: int, span: int, low: int) -> np.ndarray:
    array = scratch.empty(shape, np.int16)
    for into, pair in zip(array, _slices(shape), strict=True):
        into[...] = np.rint(span * pair[which] + low)
        scratch.let_go()
    return array


def _slices(shape: tuple[int, int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each slice of both."""
    rng = np.random.default_rng(0)
    deep, *plane = (
        (np.linspace(-1, 1, n) if n > 1 else np.zeros(1)).astype(np.float32) ** 2 for n in shape
    )
    for z in deep:
        radius = np.sqrt(z + plane[0][:, None] + plane[1])
        head, brain = radius < 0.85, radius < 0.75
        noise = rng.random(radius.shape, dtype=np.float32) * np.float32(0.05) * head
        bone = np.where(brain, np.float32(0.2), np.float32(0.9)) * head + noise
        yield bone, (np.float32(0.5) + np.float32(0.3) * np.sin(20 * radius)) * brain + noise


def _grid(array: np.ndarray, field_mm: float) -> Geometry:
    k, j, i = array.shape
    spacing = (field_mm / i, field_mm / j, field_mm / k)
    # Centres of the first voxels, of fields that have one centre.
    x, y, z = ((step - field_mm) / 2 for step in spacing)
    return Geometry((i, j, k), spacing, (x, y, z), _IDENTITY)
