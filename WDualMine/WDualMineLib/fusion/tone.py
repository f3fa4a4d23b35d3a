"""Tone curves that bring values into [0, 1] by bending them, never by cutting them off.

What is cut off at white loses its structure, and the hottest part of a tumour is the first to go.
A curve that is continuous and rises everywhere keeps the order of all values, and their contrast as
far as there is room for it.
"""

from __future__ import annotations

import numpy as np

VOLUME_KNEE = 0.25
"""Of fused volumes. So low, values up to twice white still rise by a quarter of their slope at the
top; hot tumours keep their contrast, coloured voxels their colour, and slices flicker less."""

IMAGE_KNEE = 0.95
"""Of single images, which are compared by measures that count strong edges: those around bone in
CT lose a tenth of their worth (Qabf) where the knee is at 0.7."""


def bend_top(values: np.ndarray, ceiling: float, knee: float) -> None:
    """Compress ``values`` above ``knee`` in place so that ``ceiling`` becomes 1.

    With ``u = (v - knee) / (1 - knee)`` and U that of the ceiling, ``u (1 + u / U^2) / (1 + u)``:
    its slope is 1 at the knee, where it joins what is left as it is, and ``2 / (U (1 + U))`` at the
    top. Source: Reinhard et al., "Photographic tone reproduction for digital images", SIGGRAPH
    2002, equation 4.

    Args:
        values: float array of any shape, none above ``ceiling``.
        ceiling: 1 or more; at 1 nothing changes.
        knee: in [0, 1).
    """
    if ceiling <= 1:
        return
    room = 1 - knee
    top = (ceiling - knee) / room
    above = (values - values.dtype.type(knee)) / values.dtype.type(room)
    np.maximum(above, 0, out=above)
    # u - u (1 + u / U^2) / (1 + u), to be taken off: exactly 0 below the knee.
    values -= values.dtype.type(room * (1 - 1 / top**2)) * (above * above / (1 + above))
    np.minimum(values, 1, out=values)


def slope_of_bend(values: np.ndarray, ceiling: float, knee: float) -> np.ndarray:
    """The derivative of :func:`bend_top`, as float64; above 0 everywhere.

    Args:
        values: before they are bent, any shape.
        ceiling, knee: as there.
    """
    values = np.asarray(values, dtype=np.float64)
    if ceiling <= 1:
        return np.ones_like(values)
    room = 1 - knee
    top = (ceiling - knee) / room
    above = np.maximum(values - knee, 0) / room
    return 1 - (1 - 1 / top**2) * above * (above + 2) / (1 + above) ** 2


def unbend_top(values: np.ndarray, ceiling: float, knee: float) -> np.ndarray:
    """The inverse of :func:`bend_top`, as float64.

    Args:
        values: in [0, 1], any shape.
        ceiling, knee: as there.
    """
    values = np.asarray(values, dtype=np.float64)
    if ceiling <= 1:
        return values
    room = 1 - knee
    top = (ceiling - knee) / room
    bent = np.maximum(values - knee, 0) / room
    # The positive root of u^2 / U^2 + (1 - bent) u - bent = 0.
    half = (1 - bent) * top**2 / 2
    return np.where(values > knee, knee + room * (np.sqrt(half**2 + bent * top**2) - half), values)
