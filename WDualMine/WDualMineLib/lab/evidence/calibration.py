"""Makes scores of suspicion log-odds for patients: one number, folded into the network.

Cross-entropy makes scores log-odds on the stacks of the training. These are stranger than patients,
in whom scores are lower for the same fault; and volumes that were learned from are quieter than
others. So scores are raised, but only so far, and lowered where sound volumes would cry wolf.
Likelihood, which was tried, does not do: with faults nobody can see in half of the volumes it makes
all maps grey.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...fusion.evidence import score_steps
from ...fusion.score_maps import SHARPENED
from ...network.evidence import Evidence
from ...network.reliability import shown
from ...progress import finish
from .anatomies import Anatomy
from .drawing import windowed

_SEED = 1 << 20
"""Of the windows; training uses another."""

_TISSUE = 0.05

_FLAGGED = 0.5
"""What is shown of a suspicion where the reliability is .25."""


_RAISED = 0.5
"""At most. By 1.0 the error of calibration of ``bench truth --quick`` is .086 and not .100, but
flags in volumes of which little is flagged are right in .94 and not in .98, and of a template in a
brain window 8.5 % are flagged for nothing and not 2.4."""

_MOST = 0.9
"""Share of the sound volumes in which no more than what is allowed is flagged."""


def scores_of_sound(model: Evidence, anatomies: list[Anatomy]) -> list[Tensor]:
    """Scores (N,) in the tissue of whole volumes that are sound: both of each pair."""
    rng = np.random.default_rng(_SEED)
    found = []
    for anatomy in anatomies:
        if len(anatomy.images) != 2:
            continue
        a, b = windowed(anatomy, rng)
        scores = finish(score_steps(model, a, b, anatomy.spacing)).float()
        tissue = torch.from_numpy((np.maximum(a, b) > _TISSUE).astype(np.float32))
        inside = F.adaptive_avg_pool3d(tissue[None, None], tuple(scores.shape[1:]))[0, 0] > 0.5
        found += [x[inside] for x in scores if inside.any()]
    return found


def quiet_shift(scores: list[Tensor], allowed: float) -> float:
    """What has to be added for a part ``allowed`` to be flagged in the ninth of ten sound volumes,
    but no more than .5.

    Not on average: one volume that the network cannot judge would silence it in all others.

    Args:
        scores: of each, (N,).
        allowed: share of the tissue.
    """

    def flagged(shift: float) -> float:
        moved = [torch.sigmoid(x.double() + SHARPENED * shift) for x in scores]
        shares = [shown(x) > _FLAGGED for x in moved]
        return float(np.quantile([x.double().mean().item() for x in shares], _MOST))

    low, high = -40.0, _RAISED
    if flagged(high) <= allowed:
        return high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if flagged(middle) > allowed else (middle, high)
    return low


@torch.no_grad()
def fold(model: Evidence, shift: float) -> None:
    """Build a shift into a network: it is added to its scores."""
    model.direct.bias += shift


@torch.no_grad()
def blend(model: Evidence, start: Evidence, share: float) -> None:
    """Weights between those that a run began with and those it ended with, in place.

    What is between finds of the new what the end finds, and keeps of the former what was lost
    (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).

    Args:
        model: as the run ended; takes the result.
        start: as it began.
        share: of the end, in [0, 1].
    """
    for end, begin in zip(model.parameters(), start.parameters(), strict=True):
        end.lerp_(begin, 1 - share)
