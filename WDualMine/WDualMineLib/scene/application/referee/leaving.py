"""Another module and back: what the user arranged is as it was; and a second panel."""

from __future__ import annotations

from .bench import Bench

_OPACITY = 0.3


def leave_and_return(bench: Bench) -> None:
    """First with layers of the user's own, then while something is inspected."""
    sight, checks, view = bench.sight, bench.checks, bench.sight.views()[0]
    composite = sight.composite(view)
    composite.SetBackgroundVolumeID(bench.fixed.GetID())
    composite.SetForegroundVolumeID(bench.moving.GetID())
    composite.SetForegroundOpacity(_OPACITY)
    bench.hands.settle()
    before = {name: sight.layers(name) for name in sight.views()}
    _there_and_back(bench)
    for name, layers in before.items():
        found = sight.layers(name)
        checks.that(found == layers, f"after re-entering, {name} shows the user's layers", found)
    opacity = composite.GetForegroundOpacity()
    checks.that(abs(opacity - _OPACITY) < 1e-6, "and their opacity is the user's", opacity)
    bench.hands.click(bench.ui.checkerboardButton)
    bench.hands.wait("Checkerboard")
    before, layout = {name: sight.layers(name) for name in sight.views()}, sight.layout
    _there_and_back(bench)
    after = {name: sight.layers(name) for name in sight.views()}
    checks.that(after == before, "after re-entering, the checkerboard is still there", after)
    checks.that(sight.layout == layout, "and so is its layout", sight.layout)
    checks.that(bench.ui.checkerboardButton.checked, "and its button is pressed")
    bench.hands.click(bench.ui.normalLayoutButton)


def second_panel(bench: Bench) -> None:
    """Slicer may show a module twice: both follow one node, and one closes without the other."""
    if bench.new_widget is None:
        bench.checks.note("a second panel was left out: nothing can open one here")
        return
    ui, checks = bench.ui, bench.checks
    before = {name: bench.sight.layers(name) for name in bench.sight.views()}
    other, close = bench.new_widget()
    bench.hands.settle()
    checks.that(
        other.ui.fixedSelector.currentNode().GetID() == bench.fixed.GetID(),
        "a second panel shows the same fixed volume",
    )
    checks.that(other.ui.applyButton.enabled, "its Apply is on", other.ui.applyButton.toolTip)
    found = {name: bench.sight.layers(name) for name in bench.sight.views()}
    checks.that(found == before, "opening it leaves the views alone", found)
    other.ui.strengthSlider.value = 0.5
    bench.hands.wait("the look of the second panel")
    checks.that(abs(ui.strengthSlider.value - 0.5) < 1e-6, "the first panel follows the second")
    other.ui.strengthSlider.value = 1.0
    bench.hands.wait("the look of the second panel")
    close()
    bench.hands.settle()
    bench.hands.choose(ui.axisCombo, "Coronal")
    checks.that(
        bench.session.parameters.axis.name == "CORONAL", "the first panel works on after it closed"
    )
    bench.hands.choose(ui.axisCombo, "Axial")


def _there_and_back(bench: Bench) -> None:
    bench.widget.exit()
    bench.hands.settle()
    bench.widget.enter()
    bench.hands.settle()
