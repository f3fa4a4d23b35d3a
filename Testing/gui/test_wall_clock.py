"""How long the window stands still, by a timer of 20 ms on the wall clock.

Only on a quiet machine, for other programs count too; it prints a line for each thing done:

    WDUALMINE_WALL_CLOCK=1 pytest -q -s Testing/gui/test_wall_clock.py

What 3D Slicer itself adds (drawing its views, making widgets for a layout) is not in it: that is
measured by its own test inside the application.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

from .test_views import layouts  # noqa: F401

pytestmark = pytest.mark.skipif(
    not os.environ.get("WDUALMINE_WALL_CLOCK"), reason="set WDUALMINE_WALL_CLOCK on a quiet machine"
)

LONGEST_S = 0.2
SIZE = (192, 224, 160)
HERE = Path(__file__).resolve().parent


class Gaps:
    """Ticks of a timer of 20 ms, and the longest time between two."""

    def __init__(self) -> None:
        from PySide6 import QtCore

        self._timer = QtCore.QTimer()
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self.begin()

    def begin(self) -> None:
        self._last, self.longest = time.perf_counter(), 0.0
        self._last_busy, self.busiest = time.thread_time(), 0.0

    def _tick(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now
        self.busiest, self._last_busy = max(self.busiest, busy - self._last_busy), busy

    def end(self) -> float:
        self._tick()
        return self.longest


@pytest.fixture
def volumes(scene):
    """7 and 3 million voxels, on different grids."""
    from WDualMineLib.scene.result.volume_nodes import add_volume
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume

    added = []
    for name, modality, size, spacing in (
        ("MRHead", "MR", SIZE, (1.0, 1.0, 1.0)),
        ("CTHead", "CT", (160, 180, 96), (1.2, 1.3, 1.7)),
    ):
        corner = tuple(-0.5 * n * s for n, s in zip(size, spacing, strict=True))
        grid = Geometry(size, spacing, corner, (1, 0, 0, 0, 1, 0, 0, 0, 1))
        k, j, i = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in size[::-1])]
        head = (i**2 + j**2 + k**2 < 0.8).astype(np.float32)
        array = (head * (40 + 30 * np.cos(9 * i) * np.cos(7 * j))).astype(np.float32)
        added.append(add_volume(scene, Volume(array, grid, name, modality)))
    return tuple(added)


def test_the_window_does_not_stand_still(layouts, ready, session) -> None:  # noqa: F811
    gaps, found = Gaps(), {}

    def measure(what: str, act) -> None:
        gaps.begin()
        started = time.perf_counter()
        act()
        ready.wait_until(lambda: not session.running, seconds=600)
        for _ in range(10):
            ready._application.processEvents()
            time.sleep(0.005)
        found[what] = gaps.end()
        took = time.perf_counter() - started
        print(
            f"{what:28} longest gap {1000 * found[what]:4.0f} ms, of which the window's own thread "
            f"worked {1000 * gaps.busiest:4.0f} ms at most; {took:5.1f} s in all"
        )

    print()
    ready.choose("pairCombo", "MR + PET")
    measure("Apply", lambda: ready.click("applyButton"))
    measure("Apply again", lambda: ready.click("applyButton"))
    measure("Side by side, first", lambda: ready.click("sideBySideButton"))
    measure("Usual views", lambda: ready.click("normalLayoutButton"))
    measure("Suspected faults", lambda: ready.click("mapButton"))
    measure("Checkerboard", lambda: ready.click("checkerboardButton"))
    measure("Squares dragged", lambda: ready.drag("tilesSlider", 20))
    ready.click("normalLayoutButton")
    measure("Look dragged", lambda: ready.drag_without_release("strengthSlider", 0.7))
    measure("Look released", lambda: ready.drag("strengthSlider", 0.5))
    measure("Measure", lambda: ready.click("measureButton"))
    measure("Preview", lambda: ready.click("livePreviewCheck"))
    ready.click("livePreviewCheck")
    measure("Register", lambda: (ready.choose("registrationCombo", "Rigid"),
                                 ready.click("applyButton")))  # fmt: skip
    assert session.nodes is not None
    assert max(found.values()) < LONGEST_S, found


def test_opening_the_panel_loads_pytorch_without_a_standstill() -> None:
    """In a process that has not imported it yet."""
    program = f"""
import sys, time
sys.path[:0] = [{str(HERE.parents[1])!r}, {str(HERE.parents[1] / "WDualMine")!r}]
from PySide6 import QtWidgets
application = QtWidgets.QApplication([])
from Testing.gui.stand_ins.application import install
install()
from Testing.gui.test_wall_clock import Gaps
from WDualMineLib.gui.runner import StepsRunner
from WDualMineLib.scene.application.dependencies import Dependencies
assert "torch" not in sys.modules
gaps, runner = Gaps(), StepsRunner()
started = time.perf_counter()
runner.start(Dependencies().preload_steps())
while runner.running:
    application.processEvents()
print(gaps.end(), time.perf_counter() - started)
assert "torch" in sys.modules
"""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    longest, took = map(float, done.stdout.split()[-2:])
    print(f"\nOpening, which loads PyTorch   longest gap {1000 * longest:.0f} ms of {took:.1f} s")
    assert longest < LONGEST_S
