"""A line a check, and a sentence where one fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class Checks:
    """What was looked at, and how it was found.

    Attributes:
        failures: sentences, in the order in which they came up.
        passed: how many checks were.
    """

    def __init__(self, tell: Callable[[str], Any] = print) -> None:
        self._tell = tell
        self._started = time.perf_counter()
        self.failures: list[str] = []
        self.passed = 0

    @property
    def seconds(self) -> float:
        """On the wall, since the first check."""
        return time.perf_counter() - self._started

    def step(self, name: str) -> None:
        """What comes now."""
        self._tell(f"-- {name} ({self.seconds:.1f} s)")

    def that(self, condition: object, wanted: str, found: object = "") -> bool:
        """Note whether something is as it is ``wanted``, in a sentence.

        Args:
            condition: whether it is.
            wanted: how it has to be: "side by side shows the fixed volume on the left".
            found: how it is instead; told where it is wrong.

        Returns:
            Whether it is.
        """
        if condition:
            self.passed += 1
            self._tell(f"ok   {wanted}")
            return True
        sentence = f"{wanted[:1].upper()}{wanted[1:]}: that is not so" + (
            f", but {found}." if found != "" else "."
        )
        self.failures.append(sentence)
        self._tell(f"FAIL {sentence}")
        return False

    def note(self, text: str) -> None:
        """Something measured, or left out, which is neither right nor wrong."""
        self._tell(f"     {text}")
