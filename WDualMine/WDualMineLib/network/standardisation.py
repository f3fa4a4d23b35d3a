"""The standardised average: the image that correlates best with both sources."""

from __future__ import annotations

from torch import Tensor

_LEAST = 1e-3
"""Standard deviation below which a source is taken for constant."""


def standardised_average(a: Tensor, b: Tensor, deviations: Tensor) -> Tensor:
    """``(a / sd_a + b / sd_b) / (1 / sd_a + 1 / sd_b)``.

    With ``A^ = a / sd_a`` and ``B^ = b / sd_b`` the mean correlation with a and b is greatest for
    ``A^ + B^``; scaled like this it is an average of a and b, hence in [0, 1] and 0 in air.

    Args:
        a, b: (N, 1, H, W) in [0, 1].
        deviations: (N, 2) or (1, 2), standard deviations of a and b, or of the volumes they are of.

    Returns:
        (N, 1, H, W) in [0, 1]; unchanged when the inputs are exchanged.
    """
    of_a, of_b = shares_of(deviations)[:, :, None, None, None].unbind(1)
    return of_a * a + of_b * b


def shares_of(deviations: Tensor) -> Tensor:
    """(N, 2): how much a and b count in it."""
    deviations = deviations.clamp_min(_LEAST)
    # 1/sd_a over the sum of both is sd_b over the sum of both.
    return (deviations / deviations.sum(1, keepdim=True)).flip(1)
