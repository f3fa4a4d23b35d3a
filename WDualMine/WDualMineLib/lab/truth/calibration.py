"""Is a voxel of reliability .1 faulty in nine cases of ten? The reliability diagram of the maps.

A reliability r below 1/2 claims a fault with probability 1 - r. From 1/2 on a map claims nothing
but that no fault is likelier than not, so only a frequency of faults above 1/2 contradicts it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 20
"""Of equal width over suspicion 0 to 1."""

SUSPECTED = BINS // 2 + 1
"""First bin that counts as suspected: from .55, for what wavers at 1/2 claims nothing."""


@dataclass(frozen=True)
class Calibration:
    """Counts by suspicion; each of the arrays has :data:`BINS` elements.

    Attributes:
        weight: share of the voxels.
        suspicion: weight times mean suspicion.
        faults: weight times share of faulty voxels.
    """

    weight: np.ndarray
    suspicion: np.ndarray
    faults: np.ndarray

    @classmethod
    def of(cls, suspicion: np.ndarray, fault: np.ndarray) -> Calibration:
        """Of one volume and source: (N,) suspicion in [0, 1] and boolean truth, of its tissue."""
        values = suspicion.astype(np.float64)
        which = np.clip((values * BINS).astype(np.intp), 0, BINS - 1)
        count = max(1, values.size)
        return cls(
            *(
                np.bincount(which, weights, BINS) / count
                for weights in (np.ones_like(values), values, fault.astype(np.float64))
            )
        )

    @classmethod
    def mean(cls, parts: list[Calibration]) -> Calibration:
        """Each part counts alike, however many voxels it has."""
        return cls(
            *(
                np.mean([getattr(p, name) for p in parts], axis=0)
                for name in ("weight", "suspicion", "faults")
            )
        )

    def error(self) -> float:
        """Expected calibration error of what is suspected.

        Over the bins from :data:`SUSPECTED` on, |mean suspicion - share of faults| weighted by the
        number of voxels; NaN where nothing is suspected.
        """
        total = self.weight[SUSPECTED:].sum()
        gaps = np.abs(self.suspicion - self.faults)[SUSPECTED:].sum()
        return float(gaps / total) if total > 0 else float("nan")

    def overall_error(self) -> float:
        """The same over all voxels, where those not suspected claim at most a chance of 1/2."""
        quiet = np.maximum(self.faults - self.weight / 2, 0)[:SUSPECTED].sum()
        return float(quiet + np.abs(self.suspicion - self.faults)[SUSPECTED:].sum())

    def rows(self) -> list[dict[str, float]]:
        """The diagram: for each bin that is not empty its bounds, share, mean and frequency."""
        return [
            {
                "from": k / BINS,
                "to": (k + 1) / BINS,
                "share of voxels": float(self.weight[k]),
                "mean suspicion": float(self.suspicion[k] / self.weight[k]),
                "share faulty": float(self.faults[k] / self.weight[k]),
            }
            for k in range(BINS)
            if self.weight[k] > 0
        ]
