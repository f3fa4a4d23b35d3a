"""Joint statistics of two whole volumes, in passes that hold nothing of their size."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..network.statistics import ENOUGH, JointStatistics, joint_statistics
from .chunks import for_ranges, taken_every


def statistics_of(a: np.ndarray, b: np.ndarray) -> JointStatistics:
    """:func:`~..network.statistics.joint_statistics` of one pair of volumes.

    Args:
        a, b: float32 (K, J, I) in [0, 1].
    """
    flat = [np.ascontiguousarray(x).reshape(-1) for x in (a, b)]
    stride = -(-flat[0].size // ENOUGH)
    samples = [taken_every(x, stride) for x in flat]
    found = joint_statistics(*(torch.from_numpy(x)[None] for x in samples))
    if stride == 1:
        return found
    deviations = [_deviation(x, float(s.mean())) for x, s in zip(flat, samples, strict=True)]
    return found._replace(deviations=torch.tensor([deviations]))


def _deviation(x: np.ndarray, near: float) -> float:
    """Standard deviation, by sums over what is left of a number near the mean."""

    def sums(piece: slice) -> tuple[float, float]:
        values = x[piece].astype(np.float64)
        values -= near
        return float(values.sum()), float(np.einsum("i,i->", values, values))

    first, second = (sum(part) / x.size for part in zip(*for_ranges(sums, x.size), strict=True))
    return math.sqrt(max(0.0, second - first**2))
