"""Means and covariances of a fused volume and its two sources, in one lean pass.

Sums are accumulated in float64 over pieces of the volume, so that nothing of the size of the volume
is allocated. Values are shifted by their approximate mean first, which keeps the one-pass formula
exact to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .chunks import for_ranges, taken_every

TISSUE = 0.05
"""A voxel counts as tissue where a source is above this. Below it is what a window leaves of noise
in the air, and the halo of what was blurred."""

# A variance this small beside the squared largest value is rounding, not contrast.
_NO_CONTRAST = 1e-13
# Below this bound the standardised sources cancel out: their sum is rounding, not an image.
_CANCELLED = 1e-5


@dataclass(frozen=True)
class Moments:
    """First and second moments of (fused, a, b) over one set of voxels.

    Attributes:
        n: voxels.
        mean: (3,) float64.
        covariance: (3, 3) float64, divided by n.
        largest: (3,) float64, the largest values.
    """

    n: int
    mean: np.ndarray
    covariance: np.ndarray
    largest: np.ndarray

    @property
    def contrast(self) -> tuple[bool, bool, bool]:
        """Which of (fused, a, b) vary at all."""
        scale = np.maximum(np.abs(self.largest), np.abs(self.mean)) ** 2
        varies = np.diag(self.covariance) > _NO_CONTRAST * scale
        fused, a, b = (bool(v) for v in varies)
        return fused, a, b

    @property
    def weights(self) -> tuple[float, float]:
        """1 / standard deviation of a and of b; 0 for a constant source, which takes no part."""
        a, b = (1 / math.sqrt(self.covariance[k, k]) if self.contrast[k] else 0.0 for k in (1, 2))
        return a, b

    @property
    def bound(self) -> float:
        """The largest CC that any image can have: ``sqrt((1 + corr(a, b)) / 2)``.

        1 with only one source that varies, nan with none.
        """
        if not any(self.weights):
            return math.nan
        if not all(self.weights):
            return 1.0
        wa, wb = self.weights
        return math.sqrt(max(0.0, (1 + wa * wb * self.covariance[1, 2]) / 2))

    @property
    def cc(self) -> float:
        """Mean of corr(fused, a) and corr(fused, b), of the sources that vary.

        0 if only ``fused`` is constant, nan if both sources are.
        """
        if not any(self.weights):
            return math.nan
        if not self.contrast[0]:
            return 0.0
        along = float(np.dot(self.weights, self.covariance[0, 1:]))
        return along / math.sqrt(self.covariance[0, 0]) / sum(map(bool, self.weights))

    @property
    def cc_over_bound(self) -> float:
        """corr(fused, U) with U the sum of the standardised sources: one angle.

        nan where U does not exist: no source varies, or each is the other's negative.
        """
        return self.cc / self.bound if self.has_common_direction else math.nan

    @property
    def has_common_direction(self) -> bool:
        """Whether U, the sum of the standardised sources, varies."""
        return self.bound > _CANCELLED

    @property
    def variance_of_u(self) -> float:
        """var(U) = 2 + 2 corr(a, b), or 1 with only one source that varies."""
        return sum(map(bool, self.weights)) ** 2 * self.bound**2

    def second_moment(self, p: np.ndarray, q: np.ndarray) -> float:
        """Mean of (p . x)(q . x) with x = (fused, a, b), about 0 and not about the mean."""
        return float(p @ (self.covariance + np.outer(self.mean, self.mean)) @ q)


class Sets(NamedTuple):
    """Moments over sets of voxels, each within the one before.

    Attributes:
        whole: all of the volume.
        head: where a or b is above 0.
        tissue: where a or b is above :data:`TISSUE`.
    """

    whole: Moments
    head: Moments
    tissue: Moments


def measure(
    fused: np.ndarray, a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None
) -> Sets:
    """Moments over the whole volume, over the head in it and over the tissue in that.

    Args:
        fused, a, b: arrays of one shape, any real type.
        mask: boolean, the same shape; only what is inside counts, for all results.

    Returns:
        See :class:`Sets`. Of an empty set all moments are 0.
    """
    f, a, b = (np.ascontiguousarray(x).reshape(-1) for x in (fused, a, b))
    if not f.size == a.size == b.size:
        raise ValueError(f"sizes differ: fused {f.size}, a {a.size}, b {b.size} voxels")
    inside = None if mask is None else np.ascontiguousarray(mask, dtype=bool).reshape(-1)
    # Any number near the mean will do; a sample of the voxels gives it.
    every = max(1, f.size // 4096)
    shift = np.array(
        [taken_every(x, every).mean(dtype=np.float64) if x.size else 0.0 for x in (f, a, b)]
    )

    def sums(piece: slice) -> tuple[_Sums, _Sums, _Sums, np.ndarray]:
        values = [x[piece] for x in (f, a, b)]
        if inside is not None:
            values = [x[inside[piece]] for x in values]
        n = values[0].size
        if n == 0:
            return _Sums.none(), _Sums.none(), _Sums.none(), np.full(3, -np.inf)
        x = np.empty((3, n))
        for row, value, origin in zip(x, values, shift, strict=True):
            np.subtract(value, origin, out=row, dtype=np.float64)
        brighter = np.maximum(values[1], values[2])
        air = (values[1] == 0) & (values[2] == 0)
        faint = (brighter <= TISSUE) & ~air
        high = np.array([value.max() for value in values], dtype=np.float64)
        return _Sums.of(x), _Sums.of_air(x[0][air], shift), _Sums.of(x[:, faint]), high

    whole, air, faint = (_Sums.none() for _ in range(3))
    largest = np.full(3, -np.inf)
    for in_all, in_air, in_faint, high in for_ranges(sums, f.size):
        whole, air, faint = whole + in_all, air + in_air, faint + in_faint
        largest = np.maximum(largest, high)
    head = whole - air
    return Sets(*(x.moments(largest, shift) for x in (whole, head, head - faint)))


@dataclass(frozen=True)
class _Sums:
    """Of n voxels: their number, first and second moments of (fused, a, b) less the shift."""

    n: int
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def none(cls) -> _Sums:
        return cls(0, np.zeros(3), np.zeros((3, 3)))

    @classmethod
    def of(cls, x: np.ndarray) -> _Sums:
        return cls(x.shape[1], x.sum(axis=1), np.array([[_dot(p, q) for q in x] for p in x]))

    @classmethod
    def of_air(cls, fused: np.ndarray, shift: np.ndarray) -> _Sums:
        """Where a = b = 0 all sums but those with the fused volume are known without looking."""
        first = np.array([fused.sum(), *(-shift[1:] * fused.size)])
        constant = np.array([0.0, *-shift[1:]])
        second = np.outer(constant, constant) * fused.size
        second[0, 1:] = second[1:, 0] = constant[1:] * first[0]
        second[0, 0] = _dot(fused, fused)
        return cls(fused.size, first, second)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(self.n + other.n, self.first + other.first, self.second + other.second)

    def __sub__(self, other: _Sums) -> _Sums:
        return _Sums(self.n - other.n, self.first - other.first, self.second - other.second)

    def moments(self, largest: np.ndarray, shift: np.ndarray) -> Moments:
        if self.n == 0:
            return Moments(0, np.zeros(3), np.zeros((3, 3)), np.zeros(3))
        mean = self.first / self.n
        covariance = self.second / self.n - np.outer(mean, mean)
        return Moments(self.n, mean + shift, covariance, largest)


def _dot(p: np.ndarray, q: np.ndarray) -> float:
    # Not ``p @ q``: BLAS would start threads of its own in each of ours, and they would stall each
    # other.
    return float(np.einsum("i,i->", p, q))
