"""Observers that go with who set them, or are told by name."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

_all: weakref.WeakSet[Observers] = weakref.WeakSet()


class Observers:
    """The observers of one owner. They keep it alive no longer than it lives otherwise.

    A scene calls what observes it as long as it is there. A callback whose owner is half taken
    apart, or whose own nodes are gone, ends the process in VTK.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tags: list[tuple[Any, int]] = []
        _all.add(self)

    def add(self, subject: Any, event: Any, react: Callable[[], None]) -> None:
        """Call the bound method ``react`` on ``event``, as long as its object lives."""
        method = weakref.WeakMethod(react)

        def call(*_: Any) -> None:
            bound = method()
            if bound is not None:
                bound()

        self._tags.append((subject, subject.AddObserver(event, call)))

    def clear(self) -> None:
        tags, self._tags = self._tags, []
        for subject, tag in tags:
            subject.RemoveObserver(tag)

    def look_at(self, scene: Any) -> bool:
        """Whether one of them is of ``scene`` or of a node in it."""
        subjects = (subject for subject, _ in self._tags)
        return any(scene in (each, getattr(each, "GetScene", lambda: None)()) for each in subjects)


def of(scene: Any) -> list[str]:
    """Who observes ``scene`` or a node in it still."""
    if any(each.look_at(scene) for each in _all):
        gc.collect()  # what refers to itself in a circle goes only now
    return sorted(each.name for each in _all if each.look_at(scene))
