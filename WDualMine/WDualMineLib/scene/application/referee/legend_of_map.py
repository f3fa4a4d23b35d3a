"""Each map over the fused volume, with its own legend and no other."""

from __future__ import annotations

from ....pipeline.parts import BY_NAME
from ..choices import Map
from .bench import Bench


def maps(bench: Bench) -> None:
    """In the order of the list, from the first press on; none is left once they are gone."""
    ui, sight, checks, nodes = bench.ui, bench.sight, bench.checks, bench.session.nodes
    view = sight.views()[0]
    for index, member in enumerate(Map):
        part = BY_NAME[member.name.lower()]
        node = nodes.parts.get(part.name)
        if node is None:
            continue
        ui.mapCombo.currentIndex = index
        if not ui.mapButton.checked:
            bench.hands.click(ui.mapButton)
        bench.hands.settle()
        layers = sight.layers(view)
        wanted = nodes.fused.GetName(), node.GetName()
        checks.that(layers == wanted, f"{view} shows {part.heading} over the fused volume", layers)
        title = part.legend.splitlines()[0]
        shown = sight.legends(view)
        checks.that(
            shown == [title], f"the only legend in {view} is that of {title}", shown or "none"
        )
        checks.that(not sight.is_dark(view), f"{part.heading}: {view} is not black")
    bench.hands.click(ui.normalLayoutButton)
    shown = sight.legends(view)
    checks.that(not shown, "no legend of a map is left on the fused image", shown)
