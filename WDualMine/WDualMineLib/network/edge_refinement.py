"""Edge refinement: unrolled steps that bring edges of both sources into the fused slice."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import garrote

_FLAT = 0.05
"""Sobel strength (of images in [0, 1]) below which there is no edge: three grey levels of 255."""

_HALF_STRENGTH, _STRENGTH_SLOPE = 0.5, 15.0
"""An edge counts as kept from half the source's strength on (Xydeas and Petrovic's constants)."""

_ALIGNED, _ALIGNMENT_SLOPE = 0.9, 24.0
"""Squared cosine of 18 degrees, from which on an edge is lost, and the slope there of theirs."""

_LONGEST = 0.03
"""Largest change of a voxel in one step, before its keenness."""


class _Edges(NamedTuple):
    """Of one source: unit direction across the edge (N, 2, H, W) and strength (N, 1, H, W)."""

    direction: Tensor
    strength: Tensor


class EdgeRefinement(nn.Module):
    """``C <- garrote(C + pursuit * rate * Sobel' (w_A pull_A + w_B pull_B))``, a few times.

    C is the change to F, 0 at first. ``pull_X`` is the derivative of ``strength_X * kept_X`` by the
    gradient of F + C, ``kept_X`` in [0, 1] a smooth measure of how far it keeps strength and
    orientation of X's edge there. Its form is that of Xydeas and Petrovic, "Objective image fusion
    performance measure", Electronics Letters 2000, whose constants it has; rates and thresholds are
    learned. Thresholding keeps C sparse, for every change that is not a function of the two sources
    at that voxel costs mutual information. This is iterative thresholding (Daubechies et al., CPAM
    2004), unrolled as in Gregor and LeCun, "Learning fast approximations of sparse coding", ICML
    2010.

    A source that is not trusted has no say, and no step makes an edge that neither source has.

    Args:
        steps: how many.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.log_rates = nn.Parameter(torch.full((steps,), math.log(4e-3)))
        self.log_thresholds = nn.Parameter(torch.full((steps,), math.log(4 / 255)))

    def forward(self, fused: Tensor, a: Tensor, b: Tensor, w_a: Tensor, pursuit: Tensor) -> Tensor:
        """Refine.

        Args:
            fused, a, b: (N, 1, H, W) in about [0, 1].
            w_a: (N, 1, H, W) share of a in the pull, in [0, 1]; that of b is the rest.
            pursuit: (N, steps, H, W), not negative: how keenly edges are pursued at each place.

        Returns:
            (N, 1, H, W); unchanged when a and b are exchanged along with their reliabilities.
        """
        edges_a, edges_b = _edges(a), _edges(b)
        change = torch.zeros_like(fused)
        for step in range(self.steps):
            gradient = _gradient(fused + change)
            pull = w_a * _pull(edges_a, gradient) + (1 - w_a) * _pull(edges_b, gradient)
            # Even weights are 1/2 each: the factor makes them count once.
            ascent = 2 * self.log_rates[step].exp() * _adjoint(pull)
            change = change + pursuit[:, step : step + 1] * ascent.clamp(-_LONGEST, _LONGEST)
            change = garrote(change, self.log_thresholds[step].exp())
        return fused + change


def sobel(x: Tensor) -> Tensor:
    """Sobel derivatives (across the columns, down the rows) without a border.

    By sums of shifted images, which on a CPU take a tenth of the time of a convolution.

    Args:
        x: (N, 1, H + 2, W + 2).

    Returns:
        (N, 2, H, W).
    """
    return torch.cat([_across(x), _down(x)], 1)


def _across(x: Tensor) -> Tensor:
    smooth = torch.add(x[:, :, :-2] + x[:, :, 2:], x[:, :, 1:-1], alpha=2)
    return smooth[..., 2:] - smooth[..., :-2]


def _down(x: Tensor) -> Tensor:
    smooth = torch.add(x[..., :-2] + x[..., 2:], x[..., 1:-1], alpha=2)
    return smooth[:, :, 2:] - smooth[:, :, :-2]


def _adjoint(pull: Tensor) -> Tensor:
    """What a pull (N, 2, H, W) at the gradient does to the pixels (N, 1, H, W).

    The adjoint of Sobel's filters is their negative.
    """
    padded = F.pad(pull, (1, 1, 1, 1))
    return -(_across(padded[:, :1]) + _down(padded[:, 1:]))


def _gradient(x: Tensor) -> Tensor:
    return sobel(F.pad(x, (1, 1, 1, 1), mode="replicate"))


def _edges(x: Tensor) -> _Edges:
    gradient = _gradient(x)
    strength = torch.sqrt((gradient**2).sum(1, keepdim=True) + _FLAT**2)
    return _Edges(gradient / strength, strength)


def _pull(source: _Edges, gradient: Tensor) -> Tensor:
    """Derivative of ``strength * kept(strength) * kept(orientation)`` by F's gradient (N, 2, ...).

    With n the strength of F's gradient f, u the source's direction and s its strength:
    ``r = min(n/s, s/n)``, ``c^2 = (f.u / n)^2``, and both are passed through a sigmoid.
    """
    squared = (gradient**2).sum(1, keepdim=True) + _FLAT**2
    inverse = torch.rsqrt(squared)
    ratio = squared * inverse / source.strength
    closeness = torch.minimum(ratio, 1 / ratio)
    along = (gradient * source.direction).sum(1, keepdim=True) * inverse
    strength = torch.sigmoid(_STRENGTH_SLOPE * (closeness - _HALF_STRENGTH))
    aligned = torch.sigmoid(_ALIGNMENT_SLOPE * (along**2 - _ALIGNED))
    kept = source.strength * strength * aligned * inverse
    # d closeness / dn is r/n while F's edge is the weaker one, -r/n when it is the stronger.
    stretch = _STRENGTH_SLOPE * (1 - strength) * closeness * torch.sign(1 - ratio)
    turn = 2 * _ALIGNMENT_SLOPE * (1 - aligned) * along
    return kept * ((stretch - turn * along) * inverse * gradient + turn * source.direction)
