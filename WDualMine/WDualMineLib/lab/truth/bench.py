"""The whole measure of one network: which cases, which faults, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from torch import nn

from ...progress import Progress, Steps, scaled
from ..training.ablation import trusting_evenly
from .bad_input import try_bad_input
from .cases import LARGEST, Case, bounded
from .evaluation import Evaluation, Predict, evaluate_maps
from .faults import KINDS, WHOLE
from .patients import patient_cases
from .pictures import draw_pictures
from .reading import fusing
from .report import summarise
from .resolution import compare_resolutions
from .simulation import simulated_cases

ODD = "simulated T2+PET"
"""The case that bad input is made from: it needs no data, and its voxels are cubes."""


@dataclass(frozen=True)
class Scope:
    """How much is measured.

    Attributes:
        largest: voxels up to which a case is taken whole.
        names: of the cases; None for all.
        every: each case gets each Nth kind of fault, by turns.
        resolutions: cases that are measured at 1 and at 2 mm.
    """

    largest: int = LARGEST
    names: tuple[str, ...] | None = None
    every: int = 1
    resolutions: int | None = None


FULL = Scope()
QUICK = Scope(
    800_000,
    (
        "template T1+PET",
        "template T1+SPECT",
        "STS_010",
        "STS_032",
        "stack SPECT-MRI 22",
        "packaged T1 + simulated PET",
        "simulated CT+PET",
        "simulated T2+PET",
    ),
    3,
    2,
)


def collect_cases(data: Path | None, scope: Scope = FULL, seed: int = 0) -> list[Case]:
    """The sound cases, patients first.

    Args:
        data: the folder with ``volumes`` and ``harvard``; None for packaged and simulated ones.
        scope: how many, and how large.
        seed: of what is simulated.

    Raises:
        InputError: as :func:`~.patients.patient_cases`.
        SampleUnavailable: as :func:`~.simulation.simulated_cases`.
    """
    found = chain(() if data is None else patient_cases(data, seed), simulated_cases(seed))
    return [
        bounded(c, scope.largest) for c in found if scope.names is None or c.name in scope.names
    ]


def measure(
    model: nn.Module,
    data: Path | None,
    scope: Scope = FULL,
    seed: int = 0,
    device: str = "auto",
    pictures: Path | None = None,
) -> Steps[dict[str, Any]]:
    """Everything of :func:`~.report.summarise`, for one network through ``fuse``.

    Args:
        model: the network.
        data, scope, seed: as in :func:`collect_cases`; the seed also draws faults and intervals.
        device: as in :class:`...fusion.settings.FusionSettings`.
        pictures: folder for the pictures of ten volumes; None for none.
    """
    yield Progress(0.0, "Reading the cases")
    cases = collect_cases(data, scope, seed)
    predict = fusing(model, device)
    even = fusing(trusting_evenly(model), device)
    evaluation = yield from scaled(evaluate_cases(predict, cases, scope, seed, even), 0.05, 0.85)
    chosen = cases[: scope.resolutions]
    resolution = yield from scaled(compare_resolutions(predict, chosen, seed), 0.85, 0.95)
    odd = next((case for case in cases if case.name == ODD), cases[-1])
    bad_input = yield from scaled(try_bad_input(predict, odd), 0.95, 0.97)
    if pictures is not None:
        yield from scaled(draw_pictures(predict, cases, pictures, seed), 0.97, 1.0)
    yield Progress(1.0, "Measured")
    return summarise(evaluation, resolution, bad_input, seed)


def evaluate_cases(
    predict: Predict,
    cases: Sequence[Case],
    scope: Scope = FULL,
    seed: int = 0,
    even: Predict | None = None,
) -> Steps[Evaluation]:
    """:func:`~.evaluation.evaluate_maps` with each case's share of the kinds of fault.

    What a training script calls to score a checkpoint: without ``even``, and with a ``predict``
    that makes the maps alone, it takes a fraction of :func:`measure`'s time.
    """
    evaluation = Evaluation()
    for number, case in enumerate(cases):
        turn = slice(number % scope.every, None, scope.every)
        steps = evaluate_maps(predict, [case], tuple(KINDS)[turn], tuple(WHOLE)[turn], seed, even)
        start, stop = number / len(cases), (number + 1) / len(cases)
        evaluation.add((yield from scaled(steps, start, stop)))
    return evaluation
