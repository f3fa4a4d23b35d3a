"""The referee inside a running 3D Slicer: a user's whole session, no network, nobody at the mouse.

Started by *Reload and Test* of the module, or by Testing/Python/WDualMineTest.py. After every
action it looks at what the views show. It prints a line a check, goes on after one that failed, and
ends with a sentence for each.
"""

from __future__ import annotations

import os
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import slicer

from ..result.volume_nodes import add_volume
from .dependencies import Dependencies
from .phantom import heads
from .referee import (
    arrangements,
    bent_inputs,
    body_parts,
    closing,
    doubtful_paths,
    dragging,
    every_control,
    fusing,
    leaving,
    legend_of_map,
    outputs,
    sample_pairs,
)
from .referee.bench import Bench
from .referee.checks import Checks
from .referee.hands import CannotGoOn, Hands
from .referee.sight import Sight

MODULE = "WDualMine"
_SIZE = (48, 56, 24)
# Where a scanner's table is: nothing may rely on volumes near the origin.
_FAR_AWAY_MM = (-172.0, -284.0, -1040.0)
# Wider than the field of view that a new slice view starts with.
_SPACING_MM = (6.0, 6.0, 8.0)
_PATIENCE_S = 180
_LONGEST_S = 120
_LONGEST_GAP_MS = float(os.environ.get("WDUALMINE_GAP_MS", "250"))

STEPS: tuple[tuple[str, Callable[[Bench], None]], ...] = (
    ("every control", every_control.choose_inputs),
    ("every control", every_control.set_every_control),
    ("Apply", fusing.apply),
    ("Apply again", fusing.apply_again),
    ("Cancel", fusing.cancel),
    ("Look", dragging.drag_the_look),
    ("Side by side", arrangements.side_by_side),
    ("Inspect", arrangements.inspect),
    ("Other layouts", arrangements.other_layouts),
    ("Keys", arrangements.by_keys),
    ("Maps and their legends", legend_of_map.maps),
    ("Leaving and returning", leaving.leave_and_return),
    ("A second panel", leaving.second_panel),
    ("An input that is bent", bent_inputs.bend),
    ("Preview", outputs.preview),
    ("Measure", outputs.measure),
    ("Doubts", outputs.doubts),
    ("Export", outputs.export),
    ("The page of the case", outputs.case_page),
    ("A doubtful alignment", doubtful_paths.discard_and_fuse_anyway),
    ("A registration", doubtful_paths.register_for_real),
    ("Sample data", sample_pairs.known),
    ("Closing the scene", closing.save_and_close),
    ("Loading a scene", closing.load),
)
"""One user's session, in this order."""


class SelfTest(unittest.TestCase):
    """The session, and the judgement on it.

    Attributes:
        pulse: makes a timer of the application's event loop; None measures no gaps.
        new_widget: opens the module's panel a second time; None leaves that out.
        longest_gap_ms: how long the application may stand still.
    """

    pulse: ClassVar[Callable[[], Any] | None] = None
    new_widget: ClassVar[Callable[[], tuple[Any, Callable[[], None]]] | None] = None
    longest_gap_ms: ClassVar[float] = _LONGEST_GAP_MS

    def setUp(self) -> None:
        slicer.mrmlScene.Clear(0)
        missing = Dependencies().missing()
        if missing:
            self.fail(f"{' and '.join(missing)} must be installed first: open the module once")
        slicer.util.selectModule(MODULE)
        folder = tempfile.TemporaryDirectory(prefix="wdualmine-test-")
        self.addCleanup(folder.cleanup)
        self.bench = self._bench(Path(folder.name))

    def _bench(self, folder: Path) -> Bench:
        widget = slicer.util.getModuleWidget(MODULE)
        session = widget.panel.session
        return Bench(
            slicer.mrmlScene,
            widget,
            folder,
            Checks(),
            Hands(widget.ui, lambda: session.running, _PATIENCE_S),
            Sight(slicer.mrmlScene),
            type(self).pulse,
            self.longest_gap_ms,
            type(self).new_widget,
        )

    def test_the_whole_workflow(self) -> None:
        bench = self.bench
        self._do("An empty scene", closing.note_texts)
        self._do("Suggestions by body part", body_parts.suggest)
        volumes = heads(_SIZE, _FAR_AWAY_MM, _SPACING_MM)
        bench.fixed, bench.moving = (add_volume(slicer.mrmlScene, v) for v in volumes)
        for name, step in STEPS:
            self._do(name, step)
        checks = bench.checks
        checks.that(
            checks.seconds < _LONGEST_S, f"all of it takes less than {_LONGEST_S} s",
            f"it took {checks.seconds:.0f} s",
        )  # fmt: skip
        checks.note(f"{checks.passed} checks passed, {len(checks.failures)} failed")
        if checks.failures:
            self.fail("\n".join(checks.failures))

    def _do(self, name: str, step: Callable[[Bench], None]) -> None:
        """One step; what keeps it from going on is a failure, and the next one is tried."""
        self.bench.checks.step(name)
        try:
            step(self.bench)
        except CannotGoOn as error:
            self.bench.checks.that(False, f"{name} can be gone through", str(error))
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            self.bench.checks.that(False, f"{name} raises nothing", what)
