"""The ten measures of the fusion literature, by their usual names, in one call.

Definitions are those of the evaluator published with CDDFuse (Zhao et al., CVPR 2023), but for MI,
which is in bits, and SSIM, which is the mean over both sources with a data range of 255. Every
function takes images of grey levels 0..255; a measure that is undefined (a constant image, a side
too short) is NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .edges import qabf
from .fidelity import vif
from .information import en, mi
from .pearson import cc, cc_bound, cc_ratio, scd
from .sharpness import ag, sf
from .similarity import ssim

__all__ = [
    "METRICS",
    "ag",
    "cc",
    "cc_bound",
    "cc_ratio",
    "en",
    "measure_pair",
    "mi",
    "qabf",
    "scd",
    "sf",
    "ssim",
    "vif",
]

# Name in every table: (function, whether it compares with the sources).
_FUNCTIONS: dict[str, tuple[Callable[..., float], bool]] = {
    "CC": (cc, True),
    "CC/bound": (cc_ratio, True),
    "MI": (mi, True),
    "SSIM": (ssim, True),
    "Qabf": (qabf, True),
    "VIF": (vif, True),
    "SCD": (scd, True),
    "SF": (sf, False),
    "AG": (ag, False),
    "EN": (en, False),
}

METRICS = tuple(_FUNCTIONS)
"""Names of the measures, in the order of every table."""


def measure_pair(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Every measure of one fused image against its two sources.

    Args:
        fused, a, b: (H, W) of equal shape, grey levels 0..255, uint8 or float. Round a float image
            first if it is to be measured as it would be from an 8-bit file.

    Returns:
        A value for each name of :data:`METRICS`.

    Raises:
        ValueError: the shapes differ or are not 2-D.
    """
    if not fused.shape == a.shape == b.shape or fused.ndim != 2:
        raise ValueError(f"need three 2-D images of one shape: {fused.shape}, {a.shape}, {b.shape}")
    return {
        name: function(fused, a, b) if of_sources else function(fused)
        for name, (function, of_sources) in _FUNCTIONS.items()
    }
