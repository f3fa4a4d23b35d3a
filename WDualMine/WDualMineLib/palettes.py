"""The colour tables of the maps, alike in pictures and in the scene.

Readable with a colour vision deficiency, and free of matplotlib, which a Slicer does not have:
those of arbitration and share are known ones, sampled and interpolated between.
"""

from __future__ import annotations

import numpy as np


def _table(anchors: str) -> np.ndarray:
    """(256, 3) uint8 between equidistant colours written as rrggbb."""
    colours = np.array([list(bytes.fromhex(word)) for word in anchors.split()], dtype=float)
    x, places = np.linspace(0.0, 1.0, 256), np.linspace(0.0, 1.0, len(colours))
    return np.round(
        np.stack([np.interp(x, places, channel) for channel in colours.T], axis=1)
    ).astype(np.uint8)


def _suspicion() -> np.ndarray:
    """(256, 4) uint8: see :data:`SUSPICION`."""
    value = np.linspace(0.0, 1.0, 256)
    doubt = np.abs(value - 0.5)
    strength = np.clip((doubt - UNSEEN) / (_PLAIN - UNSEEN), 0.0, 1.0)
    # Slice views of 3D Slicer know opaque and transparent and nothing in between, and legends are
    # opaque: so the hue itself grows out of grey, too.
    tint = np.where(strength > 0, _FAINTEST + (1 - _FAINTEST) * strength, 0.0)[:, None]
    hue = np.where((value < 0.5)[:, None], _FIXED_DOUBTED, _MOVING_DOUBTED)
    rgb = tint * hue + (1 - tint) * np.array(_NOTHING)
    return np.round(np.column_stack([rgb, 255 * _MOST * strength])).astype(np.uint8)


# From 1/2: as far as that nothing is seen, and from there on plainly. A fault is shown once it is
# more likely than not.
UNSEEN = 0.1
"""How far from 1/2 nothing is seen of a reliability."""

_PLAIN = 0.3
_MOST = 0.85
"""Of the alpha: what lies below is still to be recognised."""

_FAINTEST = 0.35
"""Share of the hue in the first colour that is seen."""

# Neither is a grey, nor in the red, yellow and white of PET; they differ in lightness, too, so that
# they are told apart with any colour vision.
_FIXED_DOUBTED, _MOVING_DOUBTED, _NOTHING = (0, 236, 255), (200, 0, 180), (128, 128, 128)

SUSPICION = _suspicion()
"""(256, 4) uint8 for the reliability of the fixed volume: cyan towards 0, where the fixed source is
doubted, magenta towards 1, where the moving one is. Transparent from .4 to .6, where nothing was
found; the alpha grows to .85 at .2 and .8."""

SUSPICION_OF_MOVING = SUSPICION[::-1].copy()
"""(256, 4) uint8: the same for the reliability of the moving volume; hues stay with the source."""

ARBITRATION = _table(
    "9eb0ff 79abed 519fd3 3685ad 286886 1d4b61 14303e 111a20 190c09 "
    "2b0e01 411201 5b1d08 7d341e 9e513f be6f63 df8f89 ffadad"
)
"""(256, 3) uint8: "berlin", from 0 (frequency, blue) over black to 1 (spatial, red)."""

SHARE = _table("40004b 762a83 9970ab c2a5cf e7d4e8 f7f7f7 d9f0d3 a6dba0 5aae61 1b7837 00441b")
"""(256, 3) uint8: "PRGn" of ColorBrewer (Brewer and Harrower), from 0 (moving, purple) over light
grey to 1 (fixed, green)."""

PALETTES = {
    "suspected faults": SUSPICION,
    "suspected faults, moving": SUSPICION_OF_MOVING,
    "arbitration": ARBITRATION,
    "share": SHARE,
}
"""The tables by the name that a part of a result has for its own."""


def over(grey: np.ndarray, values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """A map laid over a grey picture, as (..., 3) uint8.

    Args:
        grey, values: arrays of one shape, in [0, 1].
        table: (256, 4) uint8, from 0 to 1.
    """
    colours = table[np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)].astype(np.float64)
    alpha = colours[..., 3:] / 255
    mixed = alpha * colours[..., :3] + (1 - alpha) * 255 * np.clip(grey, 0, 1)[..., None]
    return np.rint(mixed).astype(np.uint8)
