"""One patient, one map: the same volumes at 1 and at 2 mm, and how the maps differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...progress import Progress, Steps
from ...volumes.resampling import resample_to
from ...volumes.volume import Volume
from .cases import Case, bounded, cropped
from .evaluation import Predict
from .faults import put_fault
from .scoring import Maps, stripes
from .simulation import regrid

FINE_MM, COARSE_MM = 1.0, 2.0
CONDITIONS = ("sound", "void", "shading")
"""Faults that the coarser grid shows as well as the finer one."""


@dataclass(frozen=True)
class ResolutionScore:
    """One case in one condition.

    Attributes:
        case: its name.
        condition: of :data:`CONDITIONS`.
        mean, percentile_99: of |map at 1 mm, averaged to 2 mm - map at 2 mm| in the tissue.
        stripes: of the map on 2 mm isotropic.
    """

    case: str
    condition: str
    mean: float
    percentile_99: float
    stripes: float


def compare_resolutions(
    predict: Predict, cases: Sequence[Case], seed: int = 0
) -> Steps[list[ResolutionScore]]:
    """Maps of each case, sound and with two faults, at 1 and at 2 mm in the plane.

    Slices are 2 mm apart in both; the coarse volume is the mean of 2 x 2 pixels of the fine one,
    fault included.
    """
    scores = []
    for number, case in enumerate(cases):
        fine = at_millimetres(case, FINE_MM)
        for index, condition in enumerate(CONDITIONS):
            yield Progress(number / len(cases), f"{case.name} at 1 and 2 mm: {condition}")
            sources = list(fine.sources)
            if condition != "sound":
                source = (number + index) % 2
                rng = np.random.default_rng([seed, number, index])
                fault = put_fault(fine, condition, source, rng, whole=False)
                if fault is None:
                    continue
                sources[source] = fault.faulty
            spacing = fine.spacing
            there = Maps(*predict(*sources, spacing)).fixed
            halved = [halve(x) for x in sources]
            here = Maps(*predict(*halved, (spacing[0], 2 * spacing[1], 2 * spacing[2]))).fixed
            tissue = halve(fine.tissue.astype(np.float32)) > 0.5
            change = np.abs(halve(there) - here)[tissue]
            scores.append(
                ResolutionScore(
                    case.name,
                    condition,
                    float(change.mean()),
                    float(np.quantile(change, 0.99)),
                    stripes(here, tissue, (COARSE_MM,) * 3),
                )
            )
    return scores


def at_millimetres(case: Case, plane_mm: float) -> Case:
    """``case`` with pixels of ``plane_mm``, an even number a side, and slices 2 mm apart."""
    grid = regrid(case.geometry, (plane_mm, plane_mm, COARSE_MM))
    sources = tuple(
        np.ascontiguousarray(resample_to(Volume(x, case.geometry), grid, fill=0.0).array)
        for x in case.sources
    )
    # Lesions stay behind: nothing here is measured on them.
    fine = bounded(replace(case, sources=sources, geometry=grid, lesion=None, uptake=None))
    even = (slice(None), *(slice(n - n % 2) for n in fine.tissue.shape[1:]))
    return cropped(fine, even)


def halve(array: np.ndarray) -> np.ndarray:
    """Mean of 2 x 2 pixels of each slice; both sides even."""
    depth, height, width = array.shape
    return np.ascontiguousarray(
        array.reshape(depth, height // 2, 2, width // 2, 2).mean((2, 4)), dtype=np.float32
    )
