"""What happens before the user does anything: nothing is installed, fetched, or heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
pytest.importorskip("slicer", reason="slicer-core is not installed")

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {"numpy", "SimpleITK", "slicer", "slicer_core", "vtk", "vtkmodules", "qt", "ctk"}
OF_THE_TEST = {"PySide6", "shiboken6", "shibokensupport", "signature_bootstrap", "Testing"}

LOADS = """
import sys
sys.path[:0] = [{root!r}, {module!r}]
from PySide6 import QtWidgets
application = QtWidgets.QApplication([])
from Testing.gui.stand_ins.application import install, load_module
import Testing.gui.stand_ins.widgets
install()
before = set(sys.modules)
load_module()
print(" ".join(sorted({{name.split(".")[0] for name in set(sys.modules) - before}})))
"""


def test_loading_the_module_loads_nothing_that_slicer_lacks() -> None:
    """No torch, pydicom, PIL, scipy or matplotlib: they may have to be installed first, or are
    slow."""
    script = LOADS.format(root=str(ROOT), module=str(ROOT / "WDualMine"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin"},
    )
    loaded = set(done.stdout.split("\n")[-2].split())
    own = {"WDualMine", "WDualMineLib", *OF_THE_TEST}
    own |= {name for name in loaded if name.startswith("swig_runtime_data")}  # SimpleITK's
    foreign = {
        name for name in loaded - own - ALLOWED - sys.stdlib_module_names
        if not name.startswith("_")
    }  # fmt: skip
    assert not foreign, f"loaded with the module: {sorted(foreign)}"
    assert "WDualMineLib" in loaded


def test_opening_the_panel_installs_and_starts_nothing(
    application, scene, monkeypatch, request
) -> None:
    import slicer

    def forbidden(*what, **_options):
        raise AssertionError(f"the user did not ask for {what}")

    for name in ("pip_install", "pip_ensure"):
        monkeypatch.setattr(slicer.util, name, forbidden, raising=False)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    monkeypatch.setattr("socket.socket.connect", forbidden)
    _, widget, _ = request.getfixturevalue("shown_widget")
    widget.enter()
    for _ in range(20):
        application.processEvents()
    widget.exit()
