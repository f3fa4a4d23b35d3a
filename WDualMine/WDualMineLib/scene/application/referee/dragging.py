"""The look: seen while a slider is dragged, of the whole volume once it is let go."""

from __future__ import annotations

import time

import numpy as np

from ...result.volume_nodes import array_of
from .bench import Bench

_SLOWEST_MS = 200


def drag_the_look(bench: Bench) -> None:
    """With a result in colour, which is what the views show."""
    ui, checks, view = bench.ui, bench.checks, bench.sight.views()[0]
    fused = bench.session.nodes.fused
    voxels, before = array_of(fused).copy(), bench.sight.picture(view)
    started = time.perf_counter()
    bench.hands.drag(ui.strengthSlider, 0.0)
    took = 1000 * (time.perf_counter() - started)
    during = bench.sight.picture(view)
    checks.that(
        not np.array_equal(before, during), f"{view} is repainted while Detail strength is dragged"
    )
    checks.note(f"a step of the drag took {took:.0f} ms, the pauses of the referee included")
    with bench.stays_alive("letting go of Detail strength"):
        bench.hands.let_go(ui.strengthSlider)
    after = array_of(bench.session.nodes.fused)
    changed = (voxels != after).any(axis=(1, 2)).mean()
    checks.that(changed > 0.5, "letting go changes the whole volume", f"{100 * changed:.0f} %")
    told = fused.GetAttribute("WDualMine.strength")
    checks.that(told == "0.0", "the volume remembers its strength", told)
    ui.strengthSlider.value = 1.0
    bench.hands.wait("changing the look back")
    checks.that(
        np.array_equal(bench.sight.picture(view), before), f"{view} is again as it was before"
    )
