"""Mutual information at a set of points, in numpy: cheap enough to try hundreds of poses a second.

SimpleITK's own metric rebuilds gradients and histograms at every call; the coarse search and the
verdict need only values, thousands of them.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from .preparation import Prepared, isotropic

BINS = 32
LEAST_OVERLAP = 0.3


class PointMetric:
    """Mutual information between fixed values at points and the moving image under a transform.

    Args:
        points: (N, 3) LPS mm, in the fixed volume's space.
        values: (N,) fixed intensities in [0, 1] there.
        moving: isotropic image in [0, 1].
    """

    def __init__(
        self, points: np.ndarray, values: np.ndarray, moving: sitk.Image, bins: int = BINS
    ) -> None:
        self.points = np.ascontiguousarray(points.T, dtype=np.float32)
        self.bins = bins
        self.fixed_bins = np.minimum((values * bins).astype(np.int64), bins - 1) * bins
        self.array = np.ascontiguousarray(sitk.GetArrayFromImage(moving).astype(np.float32))
        self.to_index = np.linalg.inv(index_to_lps(moving))

    @classmethod
    def between(
        cls,
        fixed: Prepared,
        moving: Prepared,
        spacing: float,
        count: int,
        rng: np.random.Generator,
        margin: float = 8.0,
    ) -> PointMetric:
        """Up to ``count`` points drawn from the fixed body and ``margin`` mm around it."""
        image = isotropic(fixed.image, spacing)
        points, values = draw_points(image, fixed.foreground, margin, count, rng)
        return cls(points, values, isotropic(moving.image, spacing))

    def sample(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Moving values (trilinear) at the mapped points that lie inside, and which those are."""
        to_index = (self.to_index @ matrix).astype(np.float32)
        index = to_index[:3, :3] @ self.points + to_index[:3, 3:]
        shape = self.array.shape
        limits = np.array(shape[::-1], dtype=np.float32)[:, None] - 1
        inside = np.all((index >= 0) & (index <= limits), axis=0)
        i, j, k = index[:, inside]
        i0 = np.minimum(i.astype(np.int32), max(shape[2] - 2, 0))
        j0 = np.minimum(j.astype(np.int32), max(shape[1] - 2, 0))
        k0 = np.minimum(k.astype(np.int32), max(shape[0] - 2, 0))
        u, v, w = i - i0, j - j0, k - k0
        row, plane = shape[2], shape[1] * shape[2]
        base = (k0 * shape[1] + j0) * shape[2] + i0
        flat = self.array.ravel()

        def along_i(offset: int) -> np.ndarray:
            first = flat[base + offset]
            return first + u * (flat[base + (offset + 1)] - first)

        front = along_i(0)
        front += v * (along_i(row) - front)
        back = along_i(plane)
        back += v * (along_i(plane + row) - back)
        return front + w * (back - front), inside

    def histogram(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """Joint histogram (bins, bins), linear in the moving value, and the share of points inside."""
        values, inside = self.sample(matrix)
        if values.size < 50:
            return np.zeros((self.bins, self.bins)), float(inside.mean())
        position = values * (self.bins - 1)
        lower = np.minimum(position.astype(np.int64), self.bins - 2)
        weight = position - lower
        cell = self.fixed_bins[inside] + lower
        total = self.bins * self.bins
        joint = np.bincount(cell, 1.0 - weight, total) + np.bincount(cell + 1, weight, total)[:total]
        return joint.reshape(self.bins, self.bins), float(inside.mean())

    def information(self, matrix: np.ndarray) -> tuple[float, float, float]:
        """Mutual information (bits), its normalised form (H(F)+H(M))/H(F,M), share inside."""
        joint, share = self.histogram(matrix)
        return (*information_of(joint), share)

    def __call__(self, matrix: np.ndarray) -> float:
        """Score to maximise: normalised MI, worth less the more points fall outside."""
        _, normalised, share = self.information(matrix)
        return (normalised - 1.0) * min(1.0, share / LEAST_OVERLAP)


def information_of(joint: np.ndarray) -> tuple[float, float]:
    """Mutual information in bits, and (H(F)+H(M))/H(F,M), of a joint histogram; (0, 1) when empty."""
    total = joint.sum()
    if total <= 0:
        return 0.0, 1.0
    joint = joint / total
    h_joint, h_fixed, h_moving = (
        -float(np.sum(p[p > 0] * np.log2(p[p > 0])))
        for p in (joint, joint.sum(axis=1), joint.sum(axis=0))
    )
    if h_joint <= 0:
        return 0.0, 1.0
    return h_fixed + h_moving - h_joint, (h_fixed + h_moving) / h_joint


def index_to_lps(image: sitk.Image) -> np.ndarray:
    """4x4 matrix from voxel indices (i, j, k, 1) to LPS mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def draw_points(
    image: sitk.Image, foreground: sitk.Image, margin: float, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Voxel centres of ``image`` within ``margin`` mm of the body, at most ``count``, with values.

    Returns:
        (N, 3) LPS mm and (N,) intensities. Drawn without replacement, so that a small image is
        used whole; jittered never, so that equal seeds give equal points.
    """
    mask = near_body(image, foreground, margin)
    candidates = np.flatnonzero(sitk.GetArrayViewFromImage(mask))
    if candidates.size > count:
        candidates = np.sort(rng.choice(candidates, count, replace=False))
    k, j, i = np.unravel_index(candidates, image.GetSize()[::-1])
    index = np.stack([i, j, k, np.ones_like(i)]).astype(np.float64)
    values = sitk.GetArrayViewFromImage(image).ravel()[candidates]
    return (index_to_lps(image) @ index)[:3].T, values.astype(np.float32)


def near_body(image: sitk.Image, foreground: sitk.Image, margin: float) -> sitk.Image:
    """uint8 mask on the grid of ``image``: the body and ``margin`` mm around it."""
    radius = [max(1, round(margin / s)) for s in foreground.GetSpacing()]
    wide = sitk.BinaryDilate(foreground, radius) if margin > 0 else foreground
    return sitk.Resample(wide, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
