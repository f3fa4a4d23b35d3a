"""Joint statistics of two whole volumes, in passes that hold nothing of their size."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..network.statistics import ENOUGH, JointStatistics, joint_statistics
from .chunks import for_ranges


def statistics_of(a: np.ndarray, b: np.ndarray) -> JointStatistics:
    """:func:`~..network.statistics.joint_statistics` of one pair of volumes.

    Args:
        a, b: float32 (K, J, I) in [0, 1].
    """
    flat = [np.ascontiguousarray(x).reshape(-1) for x in (a, b)]
    stride = -(-flat[0].size // ENOUGH)
    found = joint_statistics(*(torch.from_numpy(_sampled(x, stride))[None] for x in flat))
    if stride == 1:
        return found
    # Of all voxels, as they are known by their squares.
    return found._replace(deviations=torch.tensor([[_deviation(x) for x in flat]]))


def _sampled(x: np.ndarray, stride: int) -> np.ndarray:
    """Every so many voxels."""

    def sample(piece: slice) -> np.ndarray:
        first = -(-piece.start // stride) * stride
        return x[first : piece.stop : stride].copy()

    return np.concatenate(list(for_ranges(sample, x.size)))


def _deviation(x: np.ndarray) -> float:
    # Any number near the mean keeps the sums of squares exact.
    origin = float(x[:: max(1, x.size // 4096)].mean(dtype=np.float64))

    def sums(piece: slice) -> tuple[float, float]:
        values = x[piece].astype(np.float64)
        values -= origin
        return float(values.sum()), float(np.einsum("i,i->", values, values))

    first, second = (sum(part) / x.size for part in zip(*for_ranges(sums, x.size), strict=True))
    return math.sqrt(max(0.0, second - first**2))
