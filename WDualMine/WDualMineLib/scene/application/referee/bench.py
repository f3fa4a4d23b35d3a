"""What every step of the referee works with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import slicer

from .checks import Checks
from .hands import Hands
from .sight import Sight


class PulseLike(Protocol):
    """A timer of the application's event loop."""

    def start(self) -> None: ...

    def stop(self) -> float:
        """The longest gap between two beats since the start, in ms."""
        ...


@dataclass
class Bench:
    """The module, in a scene of its own.

    Attributes:
        scene: of the application.
        widget: the module's, with its panel.
        folder: for whatever is written; gone afterwards.
        checks, hands, sight: how it is judged, used and looked at.
        pulse: makes a timer of 20 ms; None where nothing can measure gaps.
        longest_gap_ms: how long the application may stand still.
        new_widget: opens the module's panel a second time; returns its widget and what closes it.
        fixed, moving: the two volumes that are fused, as soon as they are there.
    """

    scene: slicer.vtkMRMLScene
    widget: Any
    folder: Path
    checks: Checks
    hands: Hands
    sight: Sight
    pulse: Callable[[], PulseLike] | None
    longest_gap_ms: float
    new_widget: Callable[[], tuple[Any, Callable[[], None]]] | None
    fixed: Any = None
    moving: Any = None
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def ui(self) -> Any:
        return self.widget.ui

    @property
    def session(self) -> Any:
        return self.widget.panel.session

    @contextmanager
    def stays_alive(self, what: str):
        """Within it, the application's event loop may never stand still for long."""
        if self.pulse is None:
            yield
            return
        pulse = self.pulse()
        pulse.start()
        try:
            yield
        finally:
            gap = pulse.stop()
        self.checks.that(
            gap <= self.longest_gap_ms,
            f"{what} lets the application stand still for {self.longest_gap_ms:g} ms at the most",
            f"it stood still for {gap:.0f} ms",
        )
        self.checks.note(f"longest gap of a 20 ms timer: {gap:.0f} ms")
