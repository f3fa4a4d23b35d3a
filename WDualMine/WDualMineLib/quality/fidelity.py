"""Visual information fidelity of a fused image to its sources (VIF, pixel domain)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .filtering import filter_valid, gaussian_window

_NOISE_VARIANCE = 2.0
_EPSILON = 1e-10
# Window side and standard deviation (side / 5) at each of the four scales, fine to coarse.
_WINDOWS = tuple(gaussian_window(side, side / 5) for side in (17, 9, 5, 3))


class _Scale(NamedTuple):
    """An image at one scale with its local means and variances."""

    image: np.ndarray
    mean: np.ndarray
    variance: np.ndarray


def _scales(image: np.ndarray) -> list[_Scale]:
    """The image at up to four scales, halved after blurring; scales too small are left out."""
    scales = []
    image = np.asarray(image, dtype=np.float64)
    for index, window in enumerate(_WINDOWS):
        if index > 0:
            image = filter_valid(image, window)[::2, ::2]
        mean = filter_valid(image, window)
        if mean.size == 0:
            break
        variance = np.maximum(filter_valid(image * image, window) - mean**2, 0)
        scales.append(_Scale(image, mean, variance))
    return scales


def _vif(reference: list[_Scale], distorted: list[_Scale]) -> float:
    kept = total = 0.0
    for window, ref, dist in zip(_WINDOWS, reference, distorted, strict=False):
        covariance = filter_valid(ref.image * dist.image, window) - ref.mean * dist.mean
        gain = covariance / (ref.variance + _EPSILON)
        noise = dist.variance - gain * covariance
        flat_ref, flat_dist = ref.variance < _EPSILON, dist.variance < _EPSILON
        gain[flat_ref | flat_dist] = 0
        noise[flat_ref] = dist.variance[flat_ref]
        noise[flat_dist] = 0
        inverted = gain < 0
        noise[inverted] = dist.variance[inverted]
        gain[inverted] = 0
        noise = np.maximum(noise, _EPSILON)
        signal = np.where(flat_ref, 0, ref.variance)
        kept += np.log10(1 + gain**2 * signal / (noise + _NOISE_VARIANCE)).sum()
        total += np.log10(1 + signal / _NOISE_VARIANCE).sum()
    return float(kept / total) if total > 0 else float("nan")


def vif_pair(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Visual information fidelity of ``distorted`` with regard to ``reference``, pixel domain.

    At four scales, in Gaussian windows, ``distorted = g * reference + v``; the result is
    ``sum log(1 + g^2 s^2 / (sv^2 + 2)) / sum log(1 + s^2 / 2)``, with s^2 the variance of the
    reference and sv^2 that of v.

    Args:
        reference, distorted: (H, W) of equal shape, grey levels 0..255 (the noise variance of 2 is
            on that scale).

    Returns:
        0 or more; 1 for identity; above 1 where contrast is raised. NaN for a constant reference or
        a side under 17 pixels.

    Source: Sheikh, Bovik, "Image information and visual quality", IEEE TIP 15 (2006), in its
    multi-scale pixel-domain form (vifp_mscale); as in the CDDFuse evaluator.
    """
    return _vif(_scales(reference), _scales(distorted))


def vif(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Visual information fidelity to both sources: ``VIF(A -> F) + VIF(B -> F)``.

    Args:
        fused, a, b: (H, W) of equal shape, grey levels 0..255.

    Returns:
        0 or more; NaN for a constant source or a side under 17 pixels.
    """
    distorted = _scales(fused)
    return _vif(_scales(a), distorted) + _vif(_scales(b), distorted)
