"""Apply, Apply again, Cancel: the nodes, what is seen, and that the application stays alive."""

from __future__ import annotations

import time

from ...result.volume_nodes import array_of
from .bench import Bench


def apply(bench: Bench) -> None:
    """The result is in the scene and in every view."""
    ui, checks = bench.ui, bench.checks
    with bench.stays_alive("Apply"):
        bench.hands.click(ui.applyButton)
        bench.hands.wait("Apply")
    checks.that(
        "Fused." in ui.statusLabel.text, "the panel says that it fused", ui.statusLabel.text
    )
    nodes = bench.session.nodes
    if nodes is None:
        return
    checks.that(len(nodes.all()) == 5, "fused, colour and three maps are there", len(nodes.all()))
    total = array_of(nodes.reliability_fixed) + array_of(nodes.reliability_moving)
    checks.that(abs(total - 1).max() < 1e-4, "the reliabilities add up to 1")
    chosen = ui.fusedSelector.currentNode()
    checks.that(
        chosen is not None and chosen.GetID() == nodes.fused.GetID(),
        "the fused volume is chosen as output of the next run",
    )
    shows_result(bench, "after Apply")


def apply_again(bench: Bench) -> None:
    before = bench.scene.GetNumberOfNodes()
    bench.hands.click(bench.ui.applyButton)
    bench.hands.wait("Apply again")
    after = bench.scene.GetNumberOfNodes()
    bench.checks.that(before == after, "applying again makes no new nodes", after - before)


def cancel(bench: Bench) -> None:
    before = bench.scene.GetNumberOfNodes()
    bench.hands.click(bench.ui.applyButton)
    # Not on the wall: other programs may have the processors for as long as they like.
    started = time.thread_time()
    bench.ui.cancelButton.click()
    took = time.thread_time() - started
    bench.hands.settle()
    bench.checks.that(took < 1.0, "Cancel answers within a second", f"it took {took:.1f} s")
    bench.checks.that(not bench.session.running, "nothing runs after Cancel")
    after = bench.scene.GetNumberOfNodes()
    bench.checks.that(before == after, "Cancel leaves nothing in the scene", after - before)


def shows_result(bench: Bench, when: str) -> None:
    """Every view shows the fused volume, a slice of it, and none is black."""
    nodes = bench.session.nodes
    wanted = (nodes.colour or nodes.fused).GetName()
    for view in bench.sight.views():
        layers = bench.sight.layers(view)
        bench.checks.that(layers == (wanted, ""), f"{when}, {view} shows {wanted}", layers)
        bench.checks.that(
            bench.sight.cuts(view, nodes.fused),
            f"{when}, {view} lies in the volume",
            f"it stands at {bench.sight.offset(view):.1f} mm",
        )
        bench.checks.that(not bench.sight.is_dark(view), f"{when}, {view} is not black")
