"""A tilted or unevenly spaced stack, resampled onto an upright and even grid by its own shear."""

from __future__ import annotations

import numpy as np

from ..volumes.geometry import Geometry
from .stacking import Stack


def geometry_of(stack: Stack) -> Geometry:
    """The grid that represents the stack.

    K is the slice normal. In-plane axes and spacing are those of the slices; the first slice keeps
    its pixels exactly where they are, and a tilt widens the grid so that no pixel is lost.
    """
    first = stack.frames[0]
    size, start = _in_plane(stack)
    depth = float(stack.depths[-1]) if len(stack.depths) > 1 else 0.0
    slices = round(depth / stack.spacing) + 1 if stack.even else _slices(depth, stack.spacing)
    axes = np.stack([first.rows_along, first.columns_along, first.normal], axis=1)
    origin = first.position + axes[:, :2] @ (start * np.array(first.spacing))
    return Geometry(
        (int(size[0]), int(size[1]), slices),
        (*first.spacing, stack.spacing),
        tuple(float(x) for x in origin),
        tuple(float(x) for x in axes.ravel()),
    )


def resample(stack: Stack, slices: np.ndarray) -> np.ndarray:
    """The voxels on :func:`geometry_of` the stack, (K, J, I) float32.

    Args:
        slices: (n, rows, columns) float32, in the order of the stack.

    Each slice is first moved within its own plane (bilinear), then planes are interpolated along
    the normal where they are uneven. What no slice covers gets the lowest value of the stack,
    which is air in CT and nothing in MR and PET.
    """
    if not stack.tilted and stack.even:
        return np.ascontiguousarray(slices, dtype=np.float32)
    fill = float(slices.min())
    moved = _moved(stack, slices, fill) if stack.tilted else slices
    if stack.even:
        return moved
    planes = np.arange(geometry_of(stack).size[2]) * stack.spacing
    above = np.clip(np.searchsorted(stack.depths, planes, side="right"), 1, len(moved) - 1)
    below = above - 1
    width = stack.depths[above] - stack.depths[below]
    weight = np.clip((planes - stack.depths[below]) / width, 0.0, 1.0).astype(np.float32)
    weight = weight[:, None, None]
    return moved[below] * (1 - weight) + moved[above] * weight


def _slices(depth: float, spacing: float) -> int:
    """As many planes as fit, and the last within half a spacing of the last slice."""
    return int(np.floor(depth / spacing + 0.5)) + 1


def _offsets(stack: Stack) -> np.ndarray:
    """(n, 2) pixels along I and J by which each slice is shifted against the first."""
    return np.outer(stack.depths, stack.shear) / np.array(stack.frames[0].spacing)


def _in_plane(stack: Stack) -> tuple[np.ndarray, np.ndarray]:
    """Size along I and J, and the index of the grid's start in the first slice's pixels."""
    offsets = _offsets(stack)
    # A hair of rounding must not cost a whole row of pixels.
    start = np.floor(offsets.min(axis=0) + 1e-6)
    stop = np.ceil(offsets.max(axis=0) - 1e-6)
    rows, columns = stack.frames[0].shape
    return np.array([columns, rows]) + (stop - start).astype(int), start


def _moved(stack: Stack, slices: np.ndarray, fill: float) -> np.ndarray:
    size, start = _in_plane(stack)
    result = np.full((len(slices), size[1], size[0]), fill, dtype=np.float32)
    for target, image, offset in zip(result, slices, _offsets(stack) - start, strict=True):
        whole = np.floor(offset + 1e-6).astype(int)
        part = np.clip(offset - whole, 0.0, 1.0)
        padded = np.pad(image.astype(np.float32), 1, constant_values=fill)
        for axis, fraction in ((1, part[0]), (0, part[1])):
            # Moving by a part of a pixel: each takes its share of the one before it.
            if fraction > 1e-6:
                padded = (1 - fraction) * padded + fraction * np.roll(padded, 1, axis=axis)
        rows, columns = image.shape
        extra = (part > 1e-6).astype(int)
        target[whole[1] : whole[1] + rows + extra[1], whole[0] : whole[0] + columns + extra[0]] = (
            padded[1 : 1 + rows + extra[1], 1 : 1 + columns + extra[0]]
        )
    return result
