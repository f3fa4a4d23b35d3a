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
    """Of both sources, one above the other, in the units in which they are compared with F's.

    Attributes:
        across, down: (2, N, H, W), unit direction across the edge, times the root of the slope of
            alignment.
        strength, weakness: (2, N, H, W), the slope of strength times it, and over it.
        say: (2, N, H, W), strength times the share of the source in the pull.
    """

    across: Tensor
    down: Tensor
    strength: Tensor
    weakness: Tensor
    say: Tensor


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

    def forward(
        self, fused: Tensor, a: Tensor, b: Tensor, w_a: Tensor | None, pursuit: Tensor
    ) -> Tensor:
        """Refine.

        Args:
            fused, a, b: (N, 1, H, W) in about [0, 1].
            w_a: (N, 1, H, W) share of a in the pull, in [0, 1]; that of b is the rest. None:
                half of it each.
            pursuit: (N, steps, H, W), not negative: how keenly edges are pursued at each place.

        Returns:
            (N, 1, H, W); unchanged when a and b are exchanged along with their reliabilities.
        """
        fused = fused[:, 0]
        shares = 0.5 if w_a is None else torch.stack([w_a[:, 0], 1 - w_a[:, 0]])
        edges = _edges(torch.stack([a[:, 0], b[:, 0]]), shares)
        change = torch.zeros_like(fused)
        for step in range(self.steps):
            across, down = _pull(edges, *_sobel(_bordered(fused + change)))
            # Even weights are 1/2 each: the factor makes them count once. The adjoint of Sobel's
            # filters is their negative.
            ascent = _across(_surrounded(across)) + _down(_surrounded(down))
            ascent = ascent * (-2 * self.log_rates[step].exp())
            bounded = ascent.clamp(-_LONGEST, _LONGEST)
            change = torch.addcmul(change, pursuit[:, step], bounded)
            change = garrote(change, self.log_thresholds[step].exp())
        return (fused + change)[:, None]


def _sobel(x: Tensor) -> tuple[Tensor, Tensor]:
    """Sobel derivatives across the columns and down the rows, without a border.

    By sums of shifted images, which on a CPU take a tenth of the time of a convolution.

    Args:
        x: (..., H + 2, W + 2).

    Returns:
        (..., H, W) twice.
    """
    return _across(x), _down(x)


def _across(x: Tensor) -> Tensor:
    smooth = torch.add(x[..., :-2, :] + x[..., 2:, :], x[..., 1:-1, :], alpha=2)
    return smooth[..., 2:] - smooth[..., :-2]


def _down(x: Tensor) -> Tensor:
    smooth = torch.add(x[..., :-2] + x[..., 2:], x[..., 1:-1], alpha=2)
    return smooth[..., 2:, :] - smooth[..., :-2, :]


def _bordered(x: Tensor) -> Tensor:
    """(N, H, W) with its border repeated once."""
    return F.pad(x, (1, 1, 1, 1), mode="replicate")


def _surrounded(x: Tensor) -> Tensor:
    """(N, H, W) with zeros around it."""
    return F.pad(x, (1, 1, 1, 1))


def _squared(across: Tensor, down: Tensor) -> Tensor:
    """Squared strength of an edge, a little more than 0 where there is none."""
    faint = across.new_full((), _FLAT**2)
    return torch.addcmul(torch.addcmul(faint, across, across), down, down)


def _edges(sources: Tensor, shares: Tensor | float) -> _Edges:
    """Of (2, N, H, W) both sources and their shares in the pull."""
    across, down = _sobel(_bordered(sources.flatten(0, 1)).unflatten(0, (2, -1)))
    squared = _squared(across, down)
    inverse = torch.rsqrt(squared)
    strength = squared * inverse
    scale = math.sqrt(_ALIGNMENT_SLOPE) * inverse
    return _Edges(
        across * scale,
        down * scale,
        _STRENGTH_SLOPE * strength,
        _STRENGTH_SLOPE * inverse,
        shares * strength,
    )


def _pull(edges: _Edges, across: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
    """Derivative of ``sum over X of w_X strength_X kept_X`` by F's gradient (N, H, W) twice.

    With n the strength of F's gradient f, u a source's direction and s its strength:
    ``r = min(n/s, s/n)``, ``c^2 = (f.u / n)^2``, and both are passed through a sigmoid.
    """

    # Maps that are not needed any more take what is computed next, where nothing will be
    # differentiated: most of the time goes into fetching and storing them.
    def spare(x: Tensor) -> Tensor | None:
        return None if torch.is_grad_enabled() else x

    squared = _squared(across, down)
    inverse = torch.rsqrt(squared)
    weaker = edges.weakness * torch.mul(squared, inverse, out=spare(squared))
    stronger = edges.strength * inverse
    closeness = torch.minimum(weaker, stronger)
    # d closeness / dn is r/n while F's edge is the weaker one, -r/n when it is the stronger.
    signs = torch.sub(stronger, weaker, out=spare(stronger)).sign()
    signed = torch.mul(signs, closeness, out=spare(signs))
    strength = torch.sub(closeness, _STRENGTH_SLOPE * _HALF_STRENGTH, out=spare(closeness))
    strength = torch.sigmoid(strength, out=spare(strength))
    along = torch.mul(edges.across, across, out=spare(weaker))
    along = torch.addcmul(along, edges.down, down, out=spare(along))
    along = torch.mul(along, inverse, out=spare(along))
    aligned = torch.addcmul(across.new_full((), -_ALIGNMENT_SLOPE * _ALIGNED), along, along)
    aligned = torch.sigmoid(aligned, out=spare(aligned))
    stretch = torch.addcmul(signed, signed, strength, value=-1, out=spare(signed))
    kept = torch.mul(strength, aligned, out=spare(strength))
    kept = torch.mul(kept, edges.say, out=spare(kept))
    turn = torch.addcmul(along, along, aligned, value=-1, out=spare(aligned))
    stretch = torch.addcmul(stretch, turn, along, value=-2, out=spare(stretch))
    of_a, of_b = torch.mul(stretch, kept, out=spare(stretch))
    length = (of_a + of_b) * inverse
    kept = torch.mul(kept, turn, out=spare(kept))
    pulls = []
    for gradient, direction in ((across, edges.across), (down, edges.down)):
        of_a, of_b = kept * direction
        turned = torch.add(of_a, of_b, out=spare(of_a)) * 2
        pull = torch.addcmul(turned, gradient, length, out=spare(turned))
        pulls.append(torch.mul(pull, inverse, out=spare(pull)))
    return pulls[0], pulls[1]
