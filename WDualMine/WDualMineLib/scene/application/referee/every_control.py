"""Each entry of each list and each end of each slider reaches the parameter node."""

from __future__ import annotations

from .bench import Bench

_LISTS = (
    "pair", "fixedWindow", "movingWindow", "registration", "axis", "colour", "device", "precision",
    "layers", "map",
)  # fmt: skip
_SLIDERS = {
    "strength": "strengthSlider", "correlationFloor": "floorSlider",
    "foregroundOpacity": "opacitySlider", "tiles": "tilesSlider", "reveal": "revealSlider",
    "mapThreshold": "mapThresholdSlider", "mapOpacity": "mapOpacitySlider",
}  # fmt: skip


def choose_inputs(bench: Bench) -> None:
    """Two volumes, and why Apply is off where one is chosen twice."""
    ui, checks = bench.ui, bench.checks
    ui.fixedSelector.setCurrentNode(bench.fixed)
    ui.movingSelector.setCurrentNode(bench.fixed)
    bench.hands.settle()
    checks.that(not ui.applyButton.enabled, "Apply is off for one volume chosen twice")
    checks.that(
        "both" in ui.applyButton.toolTip, "Apply says why it is off", ui.applyButton.toolTip
    )
    ui.movingSelector.setCurrentNode(bench.moving)
    bench.hands.settle()


def set_every_control(bench: Bench) -> None:
    """And leave them as the steps to come want them: a colour, no registration, the CPU."""
    ui, checks, parameters = bench.ui, bench.checks, bench.session.parameters
    wrong = []
    for name in _LISTS:
        combo = getattr(ui, f"{name}Combo")
        for index in reversed(range(combo.count)):
            combo.currentIndex = index
            if getattr(parameters, name).label() != combo.currentText:
                wrong.append(f"{name}: {combo.currentText}")
    checks.that(not wrong, "every entry of every list reaches the parameters", ", ".join(wrong))
    wrong = []
    for name, widget in _SLIDERS.items():
        slider = getattr(ui, widget)
        before = slider.value
        for value in (slider.minimum, slider.maximum, before):
            slider.value = value
            if abs(getattr(parameters, name) - value) > 1e-3:
                wrong.append(f"{name}: {value:g}")
    checks.that(not wrong, "both ends of every slider reach the parameters", ", ".join(wrong))
    for wanted in (True, False):
        bench.hands.click(ui.mapShareCheck)
        checks.that(
            parameters.mapShare == wanted, f"the map of shares is {'on' if wanted else 'off'}"
        )
    choose = bench.hands.choose
    choose(ui.registrationCombo, "Off")
    choose(ui.fixedWindowCombo, "Automatic")
    choose(ui.movingWindowCombo, "From")
    ui.movingLowSpin.value, ui.movingHighSpin.value = 0.0, 100.0
    choose(ui.colourCombo, "PET")
    choose(ui.deviceCombo, "CPU")
    choose(ui.layersCombo, "Fused")
    checks.that(ui.applyButton.enabled, "Apply is on once all is chosen", ui.applyButton.toolTip)
