"""Measures of a fused volume: over all its voxels, slice by slice, and from slice to slice."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..progress import Progress, Steps
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
    fused, a, b = (np.moveaxis(_levels(array), axis, 0) for array in (fused, a, b))
    count = len(fused)
    slices = {name: np.full(count, np.nan) for name in VOLUME_METRICS}
    kept = weight = 0.0
    histograms = np.zeros((3, LEVELS, LEVELS), dtype=np.int64)
    for k, planes in enumerate(zip(fused, a, b, strict=True)):
        yield Progress(k / count, f"Measuring slice {k + 1} of {count}")
        in_slice = _joint_histograms(*planes)
        histograms += in_slice
        if np.ptp(planes[1]) == 0 and np.ptp(planes[2]) == 0:
            continue
        slice_kept, slice_weight = qabf_terms(*planes)
        kept, weight = kept + slice_kept, weight + slice_weight
        values = (*_from_histograms(in_slice), ssim(*planes), _ratio(slice_kept, slice_weight))
        for name, value in zip(VOLUME_METRICS, values, strict=True):
            slices[name][k] = value
    shown = slices["SSIM"][~np.isnan(slices["SSIM"])]
    values = (
        *_from_histograms(histograms),
        float(shown.mean()) if len(shown) else float("nan"),
        _ratio(kept, weight),
    )
    whole = dict(zip(VOLUME_METRICS, values, strict=True))
    return VolumeMeasures(whole, slices, flicker(fused, a, b))


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
    if len(fused) < 2:
        return float("nan")
    change_f, change_a, change_b = (_change(array) for array in (fused, a, b))
    return 2 * change_f / (change_a + change_b) if change_a + change_b > 0 else float("nan")


def _change(array: np.ndarray) -> float:
    """Mean absolute difference of neighbouring slices, one pair at a time to spare memory."""
    changes = [np.abs(p - q.astype(np.float32)).mean() for p, q in pairwise(array)]
    return float(np.mean(changes))


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
