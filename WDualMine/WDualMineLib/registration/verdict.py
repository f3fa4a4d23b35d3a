"""Good, doubtful or failed: thresholds on figures, and the reasons in words for clinicians.

Where the thresholds come from: docs/registration.md, "The verdict".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .registration_result import Verdict

Figures = dict[str, float]
OFFSET_MM = 3.0
LEAST_OVERLAP = 0.2


@dataclass(frozen=True)
class Rule:
    """A figure and the limits beyond which it makes an alignment doubtful or failed.

    Attributes:
        name: of the figure, in tables.
        figure: the larger, the worse.
        doubtful, failed: limits; None where the figure alone never goes that far.
        words: the reason, from the figures.
    """

    name: str
    figure: Callable[[Figures], float]
    doubtful: float | None
    failed: float | None
    words: Callable[[Figures], str]


def _size(figures: Figures) -> float:
    """The size difference, where stretching explains a good part more."""
    return figures["size_difference"] if figures["size_gain"] > 0.1 else 0.0


def _loss(figures: Figures) -> float:
    """The information lost, unless next to nothing was moved.

    Volumes that lie voxel on voxel share more than a hair beside, where one is interpolated.
    """
    if max(figures["shift_mm"], figures["turn_degrees"]) < 1.0:
        return 0.0
    return figures["mi_before"] - figures["mi_after"]


RULES = (
    Rule(
        "outside the field of view",
        lambda f: 1.0 - f["overlap"],
        0.5,
        1.0 - LEAST_OVERLAP,
        lambda f: (
            f"only {f['overlap']:.0%} of the body in the fixed volume lies in the moving "
            "volume's field of view"
        ),
    ),
    Rule(
        "background",
        lambda f: f["background"],
        0.42,
        0.5,
        lambda f: (
            "the best alignment fits hardly better than others nearby (they reach "
            f"{f['background']:.0%} of its score), as with different body parts or patients"
        ),
    ),
    Rule(
        "agreement_mm",
        lambda f: f["agreement_mm"],
        1.0,
        5.0,
        lambda f: f"independent starts ended {f['agreement_mm']:.1f} mm apart",
    ),
    Rule(
        "searches",
        lambda f: f["searches"] - 2,
        0.5,
        None,
        lambda f: "the first two starts disagreed, a third decided",
    ),
    Rule(
        "mirror",
        lambda f: f["mirror"],
        1.005,
        1.01,
        lambda f: (
            "the volumes fit better with left and right exchanged: one of them may be mirrored"
        ),
    ),
    Rule(
        "parts_mm",
        lambda f: f["parts_mm"],
        2.7,
        None,
        lambda f: (
            f"parts of the body fit best {f['parts_mm']:.1f} mm from where the whole fits: "
            "another patient, a body part that bends, or too little contrast"
        ),
    ),
    Rule(
        "size_difference",
        _size,
        0.10,
        None,
        lambda f: (
            f"their sizes differ by {f['size_difference']:.0%}: another patient, or a wrong "
            "spacing in one header"
        ),
    ),
    Rule(
        "turn_degrees",
        lambda f: f["turn_degrees"],
        75.0,
        None,
        lambda f: (
            f"the moving volume had to be turned by {f['turn_degrees']:.0f} degrees, more than "
            "the search covers"
        ),
    ),
    Rule(
        "fitted better before",
        _loss,
        0.0,
        None,
        lambda f: "the volumes fitted better as they lay before",
    ),
)


def judge(figures: Figures, given: bool = False) -> tuple[Verdict, list[str]]:
    """The verdict on figures of :func:`.evidence.measure`, and its reasons, the gravest first.

    Args:
        given: the transform is the user's own. It is doubted where the volumes fit better
            elsewhere, but fails only where they do not meet.
    """
    if given:
        return _judge_given(figures)
    failed = [r.words(figures) for r in RULES if r.failed and r.figure(figures) > r.failed]
    doubts = [
        rule.words(figures)
        for rule in RULES
        if rule.doubtful is not None and rule.figure(figures) > rule.doubtful
    ]
    if failed:
        return Verdict.FAILED, failed + [doubt for doubt in doubts if doubt not in failed]
    if doubts:
        return Verdict.DOUBTFUL, doubts
    return Verdict.GOOD, [
        f"independent starts agree within {figures['agreement_mm']:.1f} mm, and poses nearby reach "
        f"{figures['background']:.0%} of the score"
    ]


def _judge_given(figures: Figures) -> tuple[Verdict, list[str]]:
    if figures["overlap"] < LEAST_OVERLAP:
        return Verdict.FAILED, [RULES[0].words(figures)]
    if figures["offset_mm"] > OFFSET_MM:
        return Verdict.DOUBTFUL, [
            f"the volumes fit better up to {figures['offset_mm']:.1f} mm away from the given place"
        ]
    return Verdict.GOOD, [
        f"no better alignment was found further than {OFFSET_MM:.0f} mm from the given place"
    ]
