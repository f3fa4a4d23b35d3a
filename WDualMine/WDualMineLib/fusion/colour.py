"""Fusion in colour: luminance is fused, chroma comes from the functional volume's colour table.

YCbCr is that of ITU-R BT.601 with full range, as JPEG and PIL use it: Y in [0, 1], Cb and Cr in
[-0.5, 0.5].
"""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..volumes import scratch
from .chunks import for_ranges

# Y = 0.299 R + 0.587 G + 0.114 B; Cb = (B - Y) / 1.772; Cr = (R - Y) / 1.402.
_LUMA = np.array([0.299, 0.587, 0.114])
_BLUE, _RED = 2 * (1 - _LUMA[2]), 2 * (1 - _LUMA[0])

PET_HEAT = "PET-Heat"
# Black through deep red, orange and yellow to white, in equal steps of luminance, so that equal
# steps of uptake look equal and the luminance alone orders them.
_PET_HEAT_POINTS = (
    (0.0, 0.0, 0.0),
    (0.55, 0.0, 0.0),
    (0.95, 0.18, 0.0),
    (1.0, 0.5, 0.0),
    (1.0, 0.8, 0.15),
    (1.0, 1.0, 1.0),
)
_ENTRIES = 256


def colour_table(table: str | np.ndarray | tuple) -> np.ndarray:
    """(256, 3) float64 RGB in [0, 1] for a name or for an (N, 3) array in [0, 1].

    Args:
        table: "PET-Heat", the name of a matplotlib colour map, or the colours themselves.

    Raises:
        InputError: no such name, or the array is not a colour table.
    """
    if not isinstance(table, str):
        colours = np.asarray(table, dtype=np.float64)
        if colours.ndim != 2 or colours.shape[1:] != (3,) or len(colours) < 2:
            raise InputError(
                f"A colour table of shape {colours.shape} cannot be used",
                "Give at least two rows of red, green, blue",
            )
        if not (colours.min() >= 0 and colours.max() <= 1):
            raise InputError(
                "The colour table holds values outside of 0 to 1", "Divide 8-bit colours by 255"
            )
        return _resampled(np.linspace(0, 1, len(colours)), colours)
    if table.lower() == PET_HEAT.lower():
        colours = np.array(_PET_HEAT_POINTS)
        return _resampled(luminance(colours), colours)
    # Here and not above: 3D Slicer hands its tables over as arrays, and may lack matplotlib.
    from matplotlib import colormaps

    by_lower_case = {name.lower(): name for name in colormaps}
    if table.lower() not in by_lower_case:
        raise InputError(
            f"There is no colour table {table!r}",
            f"Use {PET_HEAT} or a matplotlib colour map such as hot, inferno or jet",
        )
    return colormaps[by_lower_case[table.lower()]](np.linspace(0, 1, _ENTRIES))[:, :3]


def _resampled(positions: np.ndarray, colours: np.ndarray) -> np.ndarray:
    at = np.linspace(0, 1, _ENTRIES)
    return np.stack([np.interp(at, positions, channel) for channel in colours.T], axis=1)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Y of (..., 3) RGB; in [0, 1] for floats in [0, 1], as float32 in [0, 1] for uint8."""
    if rgb.dtype == np.uint8:
        # Three terms instead of a product: no copy of the whole as float64.
        weights = (_LUMA / 255).astype(np.float32)
        return sum(rgb[..., k] * weights[k] for k in range(3))
    return rgb @ _LUMA


def chroma(rgb: np.ndarray) -> np.ndarray:
    """(..., 2) Cb and Cr in [-0.5, 0.5] of (..., 3) RGB in [0, 1]."""
    y = rgb @ _LUMA
    return np.stack([(rgb[..., 2] - y) / _BLUE, (rgb[..., 0] - y) / _RED], axis=-1)


def table_indices(values: np.ndarray) -> np.ndarray:
    """uint8 rows of a 256-entry table for values in [0, 1]."""
    rows = scratch.empty(values.shape, np.uint8)
    for into, part in zip(rows, values, strict=True):
        into[...] = np.rint(part * np.float32(_ENTRIES - 1))
        scratch.let_go()
    return rows


def to_rgb(y: np.ndarray, cb_cr: np.ndarray) -> np.ndarray:
    """uint8 RGB (..., 3) with luminance ``y`` in [0, 1] and chroma (..., 2).

    Where that colour does not exist, its chroma is reduced until it does. Clipping the channels,
    as usual, would change the luminance, and with it what fusion put there.
    """
    direction = np.stack(
        [
            _RED * cb_cr[..., 1],
            -(_LUMA[2] * _BLUE * cb_cr[..., 0] + _LUMA[0] * _RED * cb_cr[..., 1]) / _LUMA[1],
            _BLUE * cb_cr[..., 0],
        ],
        axis=-1,
    ).astype(np.float32)
    y = y[..., None].astype(np.float32)
    up, down = direction.max(axis=-1, keepdims=True), -direction.min(axis=-1, keepdims=True)
    tiny = np.float32(1e-6)
    share = np.minimum((1 - y) / np.maximum(up, tiny), y / np.maximum(down, tiny))
    rgb = y + np.minimum(share, 1) * direction
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def hold_luminance(rgb: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """``rgb`` with single channels raised by one so that its Y is ``levels`` or just above.

    Rounding three channels leaves Y up to half a level off on either side. Readers of the file
    round Y or cut it off (PIL does either, by what it is asked for); from just above, both find
    the level that was meant.

    Args:
        rgb: (..., 3) uint8, whose Y rounds to ``levels``.
        levels: (...) uint8.

    Returns:
        (..., 3) uint8, each channel the same or one higher; where that is not possible, as it was.
    """
    missing = levels - rgb @ _LUMA
    # Sets of channels, by what raising them by one adds to Y.
    steps = sorted(
        (float(np.dot(_LUMA, raised)), raised)
        for raised in ((0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1), (0, 1, 0))
    )
    index = np.searchsorted([gain for gain, _ in steps], missing - 1e-9)
    raised = np.array([raised for _, raised in steps])[np.minimum(index, len(steps) - 1)]
    possible = ((rgb < 255) | (raised == 0)).all(axis=-1, keepdims=True)
    return (rgb + np.where(possible, raised, 0)).astype(np.uint8)


def colourise(y: np.ndarray, indices: np.ndarray, table: np.ndarray) -> np.ndarray:
    """uint8 RGB volume: luminance ``y``, chroma looked up in ``table`` (256, 3).

    Args:
        y: any shape, in [0, 1].
        indices: uint8, the same shape (:func:`table_indices`).
    """
    rgb = scratch.empty((*y.shape, 3), np.uint8)
    flat, y, indices = rgb.reshape(-1, 3), y.reshape(-1), indices.reshape(-1)
    of_table = chroma(table)

    def colourise(piece: slice) -> None:
        flat[piece] = to_rgb(y[piece], of_table[indices[piece]])

    for _ in for_ranges(colourise, y.size):
        pass
    return rgb
