"""The ``.ui``, the parameter node and the code name the same things."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[2] / "WDualMine"
UI = ET.parse(MODULE / "Resources" / "UI" / "WDualMine.ui").getroot()
WIDGETS = {w.get("name"): w for w in UI.iter("widget")}
GUI = MODULE / "WDualMineLib" / "gui"


def prop(widget: ET.Element, name: str) -> str | None:
    found = widget.find(f"property[@name='{name}']/*")
    return None if found is None else "".join(found.itertext())


def bound() -> dict[str, str]:
    return {p: n for n, w in WIDGETS.items() if (p := prop(w, "SlicerParameterName"))}


def test_every_parameter_has_one_widget_and_the_other_way_round(scene) -> None:
    from WDualMineLib.scene.application.parameters import FusionParameters

    names = [prop(w, "SlicerParameterName") for w in WIDGETS.values()]
    assert len(bound()) == sum(name is not None for name in names), "bound twice"
    assert set(bound()) == set(FusionParameters.parameters)


def test_the_code_uses_only_widgets_that_the_ui_has() -> None:
    for path in GUI.glob("*.py"):
        used = set(re.findall(r"\bui\.(\w+)", path.read_text(encoding="utf-8")))
        assert used <= set(WIDGETS), f"{path.name} uses {sorted(used - set(WIDGETS))}"


def test_the_code_uses_only_parameters_that_the_node_has() -> None:
    known = set(bound())
    for path in (*GUI.glob("*.py"), MODULE / "WDualMineLib" / "scene" / "result" / "requests.py"):
        text = path.read_text(encoding="utf-8")
        used = set(re.findall(r"\bparameters\.([a-z]\w*)", text))
        assert used <= known | {"connectGui", "disconnectGui"}, path.name


def test_every_control_has_a_tooltip() -> None:
    plain = {
        "QWidget",
        "QFrame",
        "QLabel",
        "qMRMLWidget",
        "ctkCollapsibleButton",
        "QProgressBar",
        "QTableWidget",
    }
    for name, widget in WIDGETS.items():
        if widget.get("class") not in plain:
            assert prop(widget, "toolTip"), name


def test_every_node_selector_hears_of_the_scene() -> None:
    selectors = {n for n, w in WIDGETS.items() if w.get("class") == "qMRMLNodeComboBox"}
    told = {
        c.findtext("receiver")
        for c in UI.iter("connection")
        if c.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
        and c.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"
    }
    assert selectors == told


def test_widgets_are_of_classes_that_slicer_connects(scene) -> None:
    import slicer
    from WDualMineLib.scene.application.parameters import FusionParameters

    from .stand_ins.application import child_widgets, load_ui

    node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    root = load_ui(MODULE / "Resources" / "UI" / "WDualMine.ui")
    root.setMRMLScene(scene)
    assert slicer.util.loadUI is load_ui
    FusionParameters(node).connectGui(child_widgets(root))
    root.setMRMLScene(None)


@pytest.mark.parametrize("blocked", [("torch", "pywt"), ("highdicom", "pydicom", "matplotlib")])
def test_the_module_imports_without_what_may_have_to_be_installed(application, blocked) -> None:
    program = f"""
import sys
for name in {blocked!r}:
    sys.modules[name] = None
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(MODULE)!r}]
from stand_ins.application import install, load_module
install()
load_module()
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert "scipy" not in loaded and "skimage" not in loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_shell_is_short() -> None:
    assert len((MODULE / "WDualMine.py").read_text(encoding="utf-8").splitlines()) < 200
