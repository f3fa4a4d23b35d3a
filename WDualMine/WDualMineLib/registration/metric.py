"""Mutual information at points in physical space, with its gradient, in numpy.

SimpleITK's Mattes metric needs about a microsecond a point and iteration and forty gradient steps
or hundreds of line-search steps to settle within 0.3 mm; here an evaluation costs a tenth of it, so
that hundreds of poses can be tried and a quasi-Newton method brought to convergence in a second
(figures in docs/registration.md). It also is the same to the last bit on every run.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from .grids import index_to_lps
from .preparation import Prepared

BINS = 32
LEAST_SHARE = 0.3
"""Of the points, how many must lie inside the moving volume for the full score."""

CHUNK = 1 << 15
_TINY = 1e-12


class PointMetric:
    """Normalised mutual information between fixed values at points and a moving image.

    The histogram takes fixed values to the nearest bin and shares moving values linearly between
    two, so that the score is continuous in the transform (Maes et al., 1997). Points that fall
    outside the moving image are left out; once fewer than 30 % are left, the score falls with them.

    Args:
        points: (N, 3) LPS mm, in the fixed volume's space.
        values: (N,) fixed intensities in [0, 1] there.
        moving: isotropic image in [0, 1].
    """

    def __init__(
        self,
        points: np.ndarray,
        values: np.ndarray,
        moving: sitk.Image,
        bins: int = BINS,
        least_share: float = LEAST_SHARE,
    ) -> None:
        self.least_share = least_share
        self.points = np.ascontiguousarray(points.T, dtype=np.float32)
        self.bins = bins
        self.fixed_bins = np.minimum((values * bins).astype(np.intp), bins - 1) * bins
        self.sampler = Sampler(moving)

    @classmethod
    def between(
        cls,
        fixed: Prepared,
        moving: Prepared,
        spacing: float,
        count: int,
        seed: int,
        bins: int = BINS,
        least_share: float = LEAST_SHARE,
    ) -> PointMetric:
        """At most ``count`` points of the fixed body, both images at ``spacing`` mm."""
        points, values = draw_points(fixed, spacing, count, seed)
        return cls(points, values, moving.domain(spacing), bins, least_share)

    def histogram(self, values: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joint counts (bins, bins) of the points ``inside``, and each point's lower cell."""
        position = np.maximum(values, 0.0) * np.float32((self.bins - 1) * (1 - 1e-6))
        lower = position.astype(np.int32)
        cell = self.fixed_bins + lower
        weight = position - lower
        size = self.bins * self.bins + 1
        chosen = (cell, weight) if inside.all() else (cell[inside], weight[inside])
        upper = np.bincount(*chosen, minlength=size)
        joint = np.bincount(chosen[0], minlength=size) - upper
        joint[1:] += upper[:-1]
        return joint[:-1].reshape(self.bins, self.bins), cell

    def information(self, matrix: np.ndarray) -> tuple[float, float, float]:
        """Mutual information in bits, its normalised form (H(F)+H(M))/H(F,M) - 1, share inside."""
        values, _, inside = self.sampler(self.points, matrix, gradient=False)
        joint, _ = self.histogram(values, inside)
        fixed, moving, both = entropies(joint)
        if both <= 0:
            return 0.0, 0.0, float(inside.mean())
        information = fixed + moving - both
        return information / np.log(2), information / both, float(inside.mean())

    def __call__(self, matrix: np.ndarray) -> float:
        """The score of a 4x4 ``matrix`` from fixed to moving points: larger is better."""
        _, normalised, share = self.information(matrix)
        return normalised * min(1.0, share / self.least_share)

    def evidence(self, matrix: np.ndarray) -> float:
        """The score to choose between peaks by: a small overlap may fit well by chance."""
        _, normalised, share = self.information(matrix)
        return normalised * share

    def with_gradient(self, matrix: np.ndarray) -> tuple[float, np.ndarray]:
        """The score, and its derivative (3, 4) by the upper rows of ``matrix``.

        How the overlap changes with the transform is not differentiated.
        """
        values, slopes, inside = self.sampler(self.points, matrix, gradient=True)
        joint, cell = self.histogram(values, inside)
        count = joint.sum()
        fixed, moving, both = entropies(joint)
        if both <= 0:
            return 0.0, np.zeros((3, 4))
        factor = min(1.0, count / inside.size / self.least_share)
        share = joint / count
        log_joint = np.log(share + _TINY)
        log_moving = np.log(share.sum(axis=0) + _TINY)
        by_share = ((fixed + moving) * log_joint - both * log_moving) / both**2
        step = np.zeros(joint.size + 1)
        step[:-2] = np.diff(by_share.ravel())
        weight = step.astype(np.float32).take(cell)
        weight *= np.float32(factor * (self.bins - 1) / count)
        weight *= inside
        slopes *= weight
        by_index = np.column_stack([slopes @ self.points.T, slopes.sum(axis=1)]).astype(np.float64)
        score = factor * ((fixed + moving) / both - 1.0)
        return score, self.sampler.to_index[:3, :3].T @ by_index


class Sampler:
    """Trilinear values of an image at mapped points, and their slopes along its axes."""

    def __init__(self, image: sitk.Image) -> None:
        array = sitk.GetArrayFromImage(image).astype(np.float32, copy=False)
        self.flat = np.ascontiguousarray(array).ravel()
        self.size = np.array(image.GetSize(), dtype=np.float32)[:, None]
        self.row, self.plane = image.GetSize()[0], image.GetSize()[0] * image.GetSize()[1]
        self.to_index = np.linalg.inv(index_to_lps(image))

    def __call__(
        self, points: np.ndarray, matrix: np.ndarray, gradient: bool
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Values (N,), slopes (3, N) per voxel or None, and which of ``points`` (3, N) lie inside.

        Outside, the value is that of the nearest voxel; below 0 there is no data, also outside.
        """
        count = points.shape[1]
        mapping = (self.to_index @ matrix).astype(np.float32)
        values = np.empty(count, np.float32)
        slopes = np.empty((3, count), np.float32) if gradient else None
        inside = np.empty(count, bool)
        for first in range(0, count, CHUNK):  # a chunk's temporaries stay in the cache
            part = slice(first, first + CHUNK)
            index = mapping[:3, :3] @ points[:, part]
            index += mapping[:3, 3:]
            inside[part] = np.all((index >= 0) & (index <= self.size - 1), axis=0)
            np.clip(index, 0, self.size - np.float32(1.001), out=index)
            values[part], chunk = self._trilinear(index, gradient)
            inside[part] &= values[part] >= 0.0
            if slopes is not None:
                slopes[:, part] = chunk
        return values, slopes, inside

    def _trilinear(self, index: np.ndarray, gradient: bool) -> tuple[np.ndarray, object]:
        whole = index.astype(np.intp)
        index -= whole
        u, v, w = index
        base = whole[0] + self.row * whole[1] + self.plane * whole[2]
        take = self.flat.take
        near, di_near, dj_near = self._bilinear(base, u, v, take, gradient)
        far, di_far, dj_far = self._bilinear(base + self.plane, u, v, take, gradient)
        along_k = far - near
        value = near + w * along_k
        if not gradient:
            return value, None
        return value, (di_near + w * (di_far - di_near), dj_near + w * (dj_far - dj_near), along_k)

    def _bilinear(self, base, u, v, take, gradient: bool) -> tuple:
        first, third = take(base), take(base + self.row)
        low, high = take(base + 1) - first, take(base + (self.row + 1)) - third
        first += u * low
        third += u * high
        along_j = third - first
        along_i = low + v * (high - low) if gradient else None
        return first + v * along_j, along_i, along_j


def entropies(joint: np.ndarray) -> tuple[float, float, float]:
    """Entropies in nats: of the fixed values, the moving values, and both; zeros when empty."""
    total = joint.sum()
    if total <= 0:
        return 0.0, 0.0, 0.0
    joint = joint / total
    return tuple(
        -float(np.sum(p * np.log(p + _TINY))) for p in (joint.sum(axis=1), joint.sum(axis=0), joint)
    )


def draw_points(
    prepared: Prepared, spacing: float, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """At most ``count`` points of the body and the image's values (``spacing`` mm) there.

    Returns:
        (N, 3) LPS mm and (N,) in [0, 1]. Each lies at random within its voxel: points on the grid
        would reward transforms that put one grid onto the other (Pluim et al., 2000).
    """
    rng = np.random.default_rng(seed)
    image = prepared.level(spacing)
    mask = sitk.Resample(prepared.body, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    candidates = np.flatnonzero(sitk.GetArrayViewFromImage(mask))
    if candidates.size > count:
        candidates = np.sort(rng.choice(candidates, count, replace=False))
    k, j, i = np.unravel_index(candidates, image.GetSize()[::-1])
    index = np.stack([i, j, k]) + rng.uniform(-0.5, 0.5, (3, candidates.size))
    matrix = index_to_lps(image)
    points = (matrix[:3, :3] @ index + matrix[:3, 3:]).astype(np.float32)
    values, _, inside = Sampler(image)(points, np.eye(4), gradient=False)
    return points[:, inside].T.astype(np.float64), values[inside]
