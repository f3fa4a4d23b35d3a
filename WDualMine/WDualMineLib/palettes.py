"""The two colour tables of the maps, alike in pictures and in the scene.

Perceptually uniform, readable with a colour vision deficiency, and free of matplotlib, which a
Slicer does not have: matplotlib's own tables, sampled at 17 places and interpolated between.
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


RELIABILITY = _table(
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c "
    "1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
)
"""(256, 3) uint8: "viridis", from 0 (not trusted, dark) to 1 (trusted alone, bright)."""

ARBITRATION = _table(
    "9eb0ff 79abed 519fd3 3685ad 286886 1d4b61 14303e 111a20 190c09 "
    "2b0e01 411201 5b1d08 7d341e 9e513f be6f63 df8f89 ffadad"
)
"""(256, 3) uint8: "berlin", from 0 (frequency, blue) over black to 1 (spatial, red)."""

PALETTES = {"reliability": RELIABILITY, "arbitration": ARBITRATION}
"""The tables by the name that a part of a result has for its own."""
