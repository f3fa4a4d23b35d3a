"""Correlation: the floor as a differentiable step, and the sum of correlations of differences."""

from __future__ import annotations

import torch
from torch import Tensor

_TINY = 1e-8


def _centred(x: Tensor) -> Tensor:
    x = x.flatten(1)
    return x - x.mean(1, keepdim=True)


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return (x * y).sum(1, keepdim=True)


def pearson(x: Tensor, y: Tensor) -> Tensor:
    """Pearson correlation of each slice, (N, 1) in [-1, 1]; 0 where one is constant."""
    x, y = _centred(x), _centred(y)
    return _dot(x, y) / torch.sqrt(_dot(x, x) * _dot(y, y) + _TINY**2)


def scd(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Sum of the correlations of differences, (N, 1); see ``quality.pearson.scd``."""
    return pearson(fused - b, a) + pearson(fused - a, b)


def standardised_sum(a: Tensor, b: Tensor) -> Tensor:
    """``V = a/sd(a) + b/sd(b)`` of each slice, (N, 1, H, W): 0 where both are, not below 0."""
    return sum(x / x.flatten(1).std(1).clamp_min(1e-4)[:, None, None, None] for x in (a, b))


def correlation_floor(fused: Tensor, a: Tensor, b: Tensor, floor: float) -> Tensor:
    """Every slice raised to ``corr(F, U) >= floor`` and clipped: training sees what users see.

    ``F_t = t F + (1 - t) s V``. With ``F - mean = c V' + r``, r orthogonal to the centred V', the
    correlation is ``floor`` at ``t |r| = k |V'| (t c + (1 - t) s)``, with
    ``k = sqrt(1 - floor^2) / floor``, which is linear in t. What clipping costs is made up for, to
    first order, by a second pass that aims higher by as much. The shipped form, with its guarantee
    on what is written to disk, is ``fusion.correlation``.

    Args:
        fused, a, b: (N, 1, H, W).
        floor: in (0, 1).

    Returns:
        (N, 1, H, W) in [0, 1]; slices above the floor are only clipped.
    """
    fused = fused.clamp(0, 1)
    v = standardised_sum(a, b)
    target = fused.new_full((len(fused), 1), floor)
    with torch.no_grad():
        first = _raised(fused, v, target).clamp(0, 1)
        target += (floor - pearson(first, v)).clamp_min(0)
    return _raised(fused, v, target.clamp_max(0.9999)).clamp(0, 1)


def _raised(fused: Tensor, v: Tensor, target: Tensor) -> Tensor:
    flat, centred = _centred(fused), _centred(v)
    energy = _dot(centred, centred).clamp_min(_TINY)
    along = _dot(flat, centred) / energy
    rest = torch.sqrt(_dot(flat - along * centred, flat - along * centred) + _TINY)
    scale = _dot(fused.flatten(1), v.flatten(1)) / _dot(v.flatten(1), v.flatten(1)).clamp_min(_TINY)
    allowed = (1 - target**2).sqrt() / target * energy.sqrt()
    t = allowed * scale / (rest - allowed * (along - scale)).clamp_min(_TINY)
    t = torch.where(rest <= allowed * along, torch.ones_like(t), t.clamp(0, 1))[:, :, None, None]
    return t * fused + (1 - t) * scale[:, :, None, None] * v
