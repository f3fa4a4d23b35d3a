"""How loops over maps are compiled, and the functions that they share.

Functions here are for numba: they are compiled for the processor at hand when they are first used,
and kept on the disk for the next process. All numbers are of single precision, whose constants have
to be written so, or numba would compute in double.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# Products and sums may be joined, and 0 has no sign: else nothing is reordered.
_EXACT = {"contract", "nsz"}
ONE = np.float32(1)
TWO = np.float32(2)
HALF = np.float32(0.5)
ZERO = np.float32(0)
_SLOPE = np.float32(0.1)
_LOG2_E = np.float32(1 / math.log(2))
_LOG_2 = np.float32(math.log(2))
_LARGEST = np.float32(87)


def compiled(function: Callable[..., Any]) -> Any:
    """A function of arrays, compiled; other threads go on while it runs."""
    options = {"nogil": True, "fastmath": _EXACT, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # There is no folder to keep it in: it is compiled anew in every process.
        return numba.njit(**options)(function)


@compiled
def exp_within(x):
    """Of numbers from -87 to 87, by a polynomial, which is computed of many at once, unlike the
    library's function; to 2e-7 of it where x is small, and 4e-6 at the limits."""
    power = x * _LOG2_E
    whole = np.floor(power + HALF)
    part = power - whole
    # 2 to the power of -1/2 to 1/2, interpolated at Chebyshev's places.
    value = np.float32(1.33909e-3)
    value = value * part + np.float32(9.67603e-3)
    value = value * part + np.float32(5.550357e-2)
    value = value * part + np.float32(2.4022107e-1)
    value = value * part + np.float32(6.9314719e-1)
    value = value * part + ONE
    return value * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@compiled
def exp(x):
    """:func:`exp_within` of any number; of those beyond its limits that of the limit."""
    return exp_within(min(max(x, -_LARGEST), _LARGEST))


@compiled
def sigmoid(x):
    return ONE / (ONE + exp(-x))


@compiled
def tanh(x):
    """Exactly 0 at 0."""
    return TWO / (ONE + exp(-TWO * x)) - ONE


@compiled
def log(x):
    """Natural logarithm of a normal number above 0, by a polynomial (Cephes, ``logf``)."""
    bits = np.float32(x).view(np.int32)
    # The mantissa in [sqrt(1/2), sqrt(2)).
    shifted = bits - np.int32(0x3F3504F3)
    power = np.float32(shifted >> np.int32(23))
    mantissa = np.int32((shifted & np.int32(0x007FFFFF)) + np.int32(0x3F3504F3)).view(np.float32)
    y = mantissa - ONE
    value = np.float32(7.0376836292e-2)
    value = value * y - np.float32(1.1514610310e-1)
    value = value * y + np.float32(1.1676998740e-1)
    value = value * y - np.float32(1.2420140846e-1)
    value = value * y + np.float32(1.4249322787e-1)
    value = value * y - np.float32(1.6668057665e-1)
    value = value * y + np.float32(2.0000714765e-1)
    value = value * y - np.float32(2.4999993993e-1)
    value = value * y + np.float32(3.3333331174e-1)
    square = y * y
    return power * _LOG_2 + (y + (value * y * square - HALF * square))


@compiled
def rectified(x):
    """:func:`~..layers.activation`."""
    return max(x, _SLOPE * x)


@compiled
def garrote(x, threshold):
    """:func:`~..layers.garrote`."""
    return x * max(ONE - threshold * threshold / (x * x + np.float32(1e-12)), ZERO)


@compiled
def repeat_border(x):
    """Fill the border of (H + 2, W + 2, C) from within."""
    height, width, channels = x.shape
    for y in range(1, height - 1):
        for c in range(channels):
            x[y, 0, c] = x[y, 1, c]
            x[y, width - 1, c] = x[y, width - 2, c]
    x[0] = x[1]
    x[height - 1] = x[height - 2]
