"""Measures of a fused volume: over all its voxels, slice by slice, and from slice to slice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..cores import usable_cores
from ..progress import Progress, Steps
from ..volumes.scratch import let_go
from .edges import qabf_terms
from .information import LEVELS, information_in, joint_histogram
from .similarity import ssim

VOLUME_METRICS = ("CC", "CC/bound", "MI", "SSIM", "Qabf")


@dataclass(frozen=True)
class VolumeMeasures:
    """What :func:`measure_volume_steps` returns.

    Attributes:
        whole: each of :data:`VOLUME_METRICS` for the volume as one.
        slices: each of them as (K,) float64, NaN where a slice leaves it undefined (air).
        flicker: change from slice to slice over that of the sources (:func:`flicker`).
    """

    whole: dict[str, float]
    slices: dict[str, np.ndarray]
    flicker: float


def measure_volume_steps(
    fused: np.ndarray, a: np.ndarray, b: np.ndarray, axis: int = 0
) -> Steps[VolumeMeasures]:
    """Measure a fused volume, yielding progress after each slice; see ``progress.finish``.

    Values are rounded to the 256 levels that a display shows, as the literature's 8-bit files are.
    CC and MI of the whole are over all voxels. SSIM of the whole is the mean over the slices in
    which a source shows anything. Qabf of the whole weighs every in-plane gradient of the volume,
    so that slices count by what there is to see in them.

    Args:
        fused, a, b: (K, J, I) of equal shape in [0, 1], as ``FusionResult`` and the windowed
            sources are; values beyond are clipped.
        axis: array axis along which slices are counted.

    Raises:
        ValueError: the shapes differ or are not 3-D.
    """
    if not fused.shape == a.shape == b.shape or fused.ndim != 3:
        raise ValueError(f"need 3-D arrays of one shape: {fused.shape}, {a.shape}, {b.shape}")
    volumes = [np.moveaxis(array, axis, 0) for array in (fused, a, b)]
    count = len(volumes[0])
    slices = {name: np.full(count, np.nan) for name in VOLUME_METRICS}
    kept = weight = 0.0
    histograms = np.zeros((3, LEVELS, LEVELS), dtype=np.int64)
    changes: list[list[float]] = []
    before: tuple[np.ndarray, ...] = ()
    threads = min(usable_cores(), count)
    with ThreadPoolExecutor(threads, "measures") as pool:
        for first in range(0, count, threads):
            numbers = range(first, min(first + threads, count))
            results = pool.map(partial(_of_slice, volumes), numbers)
            for k, found in zip(numbers, results, strict=True):
                yield Progress(k / count, f"Measuring slice {k + 1} of {count}")
                histograms += found.histograms
                kept, weight = kept + found.kept, weight + found.weight
                for name, value in found.values.items():
                    slices[name][k] = value
                if before:
                    changes.append([_change(*x) for x in zip(before, found.planes, strict=True)])
                before = found.planes
            let_go()
    shown = slices["SSIM"][~np.isnan(slices["SSIM"])]
    values = (
        *_from_histograms(histograms),
        float(shown.mean()) if len(shown) else float("nan"),
        _ratio(kept, weight),
    )
    whole = dict(zip(VOLUME_METRICS, values, strict=True))
    return VolumeMeasures(whole, slices, _flicker(changes))


@dataclass(frozen=True)
class _Slice:
    """What is measured of one slice; its planes are what was measured, 8 bit."""

    planes: tuple[np.ndarray, ...]
    histograms: np.ndarray
    kept: float = 0.0
    weight: float = 0.0
    values: dict[str, float] = field(default_factory=dict)


def _of_slice(volumes: list[np.ndarray], number: int) -> _Slice:
    planes = tuple(_levels(volume[number]) for volume in volumes)
    histograms = _joint_histograms(*planes)
    if np.ptp(planes[1]) == 0 and np.ptp(planes[2]) == 0:
        return _Slice(planes, histograms)
    kept, weight = qabf_terms(*planes)
    values = (*_from_histograms(histograms), ssim(*planes), _ratio(kept, weight))
    told = dict(zip(VOLUME_METRICS, values, strict=True))
    return _Slice(planes, histograms, kept, weight, told)


def flicker(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Change between neighbouring slices relative to the sources'.

    ``mean|F_k - F_k+1| / ((mean|A_k - A_k+1| + mean|B_k - B_k+1|) / 2)``, slices along the first
    axis: about 1 for a fusion as steady as its sources, more where its slices differ for no reason
    in them.

    Args:
        fused, a, b: (K, J, I) of equal shape on one intensity scale.

    Returns:
        0 or more; NaN for a single slice or sources that do not change.
    """
    changes = []
    for k in range(len(fused) - 1):
        changes.append([_change(x[k], x[k + 1]) for x in (fused, a, b)])
        let_go()
    return _flicker(changes)


def _flicker(changes: list[list[float]]) -> float:
    """Of the changes of fused, a and b from each slice to the next."""
    if not changes:
        return float("nan")
    change_f, change_a, change_b = (float(x) for x in np.mean(changes, axis=0))
    return 2 * change_f / (change_a + change_b) if change_a + change_b > 0 else float("nan")


def _change(p: np.ndarray, q: np.ndarray) -> float:
    """Mean absolute difference of two slices."""
    return float(np.abs(p - q.astype(np.float32)).mean())


def _levels(array: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _joint_histograms(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3, 256, 256): of (F, A), (F, B) and (A, B)."""
    return np.stack([joint_histogram(fused, a), joint_histogram(fused, b), joint_histogram(a, b)])


def _from_histograms(histograms: np.ndarray) -> tuple[float, float, float]:
    """(CC, CC/bound, MI), exact for 8-bit values, without a float copy of a whole volume."""
    with_a, with_b, between = (_pearson_in(joint) for joint in histograms)
    cc = (with_a + with_b) / 2
    bound = np.sqrt(max((1 + between) / 2, 0.0))
    information = information_in(histograms[0]) + information_in(histograms[1])
    return cc, float(_ratio(cc, bound)), information


def _pearson_in(joint: np.ndarray) -> float:
    """Pearson correlation of the two grey levels counted in a joint histogram."""
    levels = np.arange(LEVELS, dtype=np.float64)
    count = joint.sum()
    rows, columns = joint.sum(1), joint.sum(0)
    x, y = levels - rows @ levels / count, levels - columns @ levels / count
    norm = np.sqrt((rows @ x**2) * (columns @ y**2))
    if np.count_nonzero(rows) < 2 or np.count_nonzero(columns) < 2:
        return float("nan")
    return float(x @ joint @ y / norm)
