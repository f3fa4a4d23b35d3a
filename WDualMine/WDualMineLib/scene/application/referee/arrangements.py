"""Layouts: where each view stands, how much of the volume it shows, and what is given back."""

from __future__ import annotations

import numpy as np
import slicer

from .bench import Bench
from .fusing import shows_result

_THREE = ("WDualMineFixed", "WDualMineMoving", "WDualMineFused")
_USUAL = "Red"
_AWAY_FROM_THE_MIDDLE = 0.65


def side_by_side(bench: Bench) -> None:
    """At the first press, at the slice that the user looked at, with all of the volume in view."""
    sight, checks = bench.sight, bench.checks
    _scroll(bench)
    _keep(bench)
    place = sight.offset(_USUAL)
    with bench.stays_alive("Side by side"):
        bench.hands.click(bench.ui.sideBySideButton)
        bench.hands.wait("Side by side")
    checks.that(
        bench.ui.sideBySideButton.checked, "side by side is shown", bench.ui.statusLabel.text
    )
    nodes = bench.session.nodes
    shown = bench.fixed, bench.moving, nodes.colour or nodes.fused
    views = sight.views()
    if not checks.that(set(views) == set(_THREE), "side by side has three views", views):
        return
    for view, volume in zip(_THREE, shown, strict=True):
        layers = sight.layers(view)
        checks.that(layers == (volume.GetName(), ""), f"{view} shows {volume.GetName()}", layers)
        found = sight.offset(view)
        checks.that(
            abs(found - place) < 0.01,
            f"{view} stands where {_USUAL} stood, at {place:.1f} mm",
            f"it stands at {found:.1f} mm",
        )
        share = sight.covers(view, bench.fixed)
        checks.that(
            0.95 <= share <= 4, f"{view} shows the whole volume and little else",
            f"its field of view is {share:.2f} of the volume",
        )  # fmt: skip
        checks.that(not sight.is_dark(view), f"{view} is not black")


def inspect(bench: Bench) -> None:
    """Checkerboard and reveal show both sources; then everything is the user's again."""
    ui, sight, checks = bench.ui, bench.sight, bench.checks
    for name in ("checkerboard", "reveal"):
        button = getattr(ui, f"{name}Button")
        bench.hands.click(button)
        bench.hands.wait(name)
        checks.that(button.checked, f"{name} is shown", ui.statusLabel.text)
        checks.that(sight.layout == bench.kept["layout"], f"{name} is in the user's layout")
        checks.that(
            sight.crosshair == bench.kept["crosshair"], f"{name} has the user's crosshair",
            sight.crosshair,
        )  # fmt: skip
        for view in sight.views():
            checks.that(not sight.is_dark(view), f"in {name}, {view} is not black")
    before = sight.picture(_USUAL)
    ui.revealSlider.value = 0.1
    bench.hands.settle()
    checks.that(
        not np.array_equal(before, sight.picture(_USUAL)), "the curtain moves with its slider"
    )
    usual_views(bench)


def usual_views(bench: Bench) -> None:
    """Back to the usual views: layout, crosshair and place are what they were before."""
    bench.hands.click(bench.ui.normalLayoutButton)
    bench.hands.settle()
    sight, checks, kept = bench.sight, bench.checks, bench.kept
    checks.that(sight.layout == kept["layout"], "the usual layout is back", sight.layout)
    checks.that(sight.crosshair == kept["crosshair"], "the crosshair is as it was", sight.crosshair)
    found = sight.offset(_USUAL)
    checks.that(
        abs(found - kept["offset"]) < 0.01,
        f"{_USUAL} stands where it stood, at {kept['offset']:.1f} mm",
        f"it stands at {found:.1f} mm",
    )
    shows_result(bench, "in the usual views")


def other_layouts(bench: Bench) -> None:
    """Views that a layout brings along show the result too, at a place where there is some."""
    layout = bench.sight.layout
    for name in ("SlicerLayoutThreeByThreeSliceView", "SlicerLayoutFourUpView"):
        bench.sight.set_layout(getattr(slicer.vtkMRMLLayoutNode, name))
        bench.hands.settle()
        shows_result(bench, f"in {name.removeprefix('SlicerLayout')}")
    bench.sight.set_layout(layout)
    bench.hands.settle()


def by_keys(bench: Bench) -> None:
    """The keys do what the buttons do."""
    shortcuts = bench.widget.panel.shortcuts.shortcuts
    for key, name in (("Alt+2", "sideBySide"), ("Alt+3", "checkerboard"), ("Alt+4", "reveal")):
        _press(shortcuts[key])
        bench.hands.wait(key)
        bench.checks.that(getattr(bench.ui, f"{name}Button").checked, f"{key} shows {name}")
    _press(shortcuts["Alt+1"])
    bench.hands.settle()
    bench.checks.that(not bench.ui.revealButton.checked, "Alt+1 goes back to the usual views")


def _press(shortcut) -> None:
    # A call of a signal emits it in PythonQt; PySide has a method for that.
    signal = shortcut.activated
    signal.emit() if hasattr(signal, "emit") else signal()


def _scroll(bench: Bench) -> None:
    """To a slice that no view would be fitted to by itself."""
    bounds = [0.0] * 6
    bench.fixed.GetRASBounds(bounds)
    low, high = bounds[4:]
    bench.sight.node(_USUAL).SetSliceOffset(low + _AWAY_FROM_THE_MIDDLE * (high - low))
    bench.hands.settle()


def _keep(bench: Bench) -> None:
    sight = bench.sight
    bench.kept |= {
        "layout": sight.layout, "crosshair": sight.crosshair, "offset": sight.offset(_USUAL),
    }  # fmt: skip
