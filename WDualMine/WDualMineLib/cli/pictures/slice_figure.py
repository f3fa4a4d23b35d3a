"""The demo's slice pictures side by side, with what the colours mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...palettes import ARBITRATION, SUSPICION, over
from ...volumes.whole_files import atomic_path, writing_errors

_INCHES = 2.3
_DPI = 160


def draw_slices(titles: list[str], rows: dict[str, list[np.ndarray]], path: Path) -> None:
    """A PNG with one row an orientation, one column a title, and the maps' colour bars.

    Args:
        titles: one a column; the last two are taken to show the suspected faults over the fused
            picture, and the arbitration.
        rows: orientation to its pictures, (H, W, 3) uint8 each, as many as there are titles.
        path: the file, replaced if it is there.

    Raises:
        OutputError: it cannot be written.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    heights = [1.0] * len(rows) + [0.05]
    figure = Figure(
        figsize=(_INCHES * len(titles) + 0.3, _INCHES * len(rows) + 1.0),
        dpi=_DPI,
        facecolor="black",
        layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.02, wspace=0.0, hspace=0.0),
    )
    axes = figure.subplots(len(heights), len(titles), height_ratios=heights, squeeze=False)
    for line, (orientation, pictures) in zip(axes, rows.items(), strict=False):
        for place, picture in zip(line, pictures, strict=True):
            place.imshow(picture)
            place.set(xticks=[], yticks=[], frame_on=False)
        line[0].set_ylabel(orientation, color="white")
    for place, title in zip(axes[0], titles, strict=True):
        place.set_title(title, color="white", fontsize=9)
    for place in axes[-1, :-2]:
        place.set_axis_off()
    scale = np.linspace(0, 1, 256)
    for place, table, ends in (
        (axes[-1, -2], over(0.5 + 0 * scale, scale, SUSPICION), ("fault in fixed", "in moving")),
        (axes[-1, -1], ARBITRATION, ("frequency expert", "spatial expert")),
    ):
        bar = figure.colorbar(
            ScalarMappable(cmap=ListedColormap(table / 255.0)), cax=place, orientation="horizontal"
        )
        bar.set_ticks([0.0, 1.0], labels=ends)
        bar.ax.tick_params(colors="white", labelsize=8, length=0)
        first, last = bar.ax.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
        bar.outline.set_visible(False)
    with atomic_path(path, force=True) as partial, writing_errors(path):
        figure.savefig(partial, facecolor="black")
