"""Notices what happens to volumes that are chosen and is no change of a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import slicer


class InputWatch:
    """Calls ``react`` when a watched node, or a transform over it, changes so that a request does.

    That is where it lies, whether it has voxels, and the window in which it is displayed.
    """

    def __init__(self, react: Callable[[], None]) -> None:
        self._react = react
        self._watched: list[tuple[Any, int]] = []
        self._nodes: list[Any] = []

    def watch(self, nodes: Iterable[Any]) -> None:
        """Watch these, and nothing else; None among them is left out."""
        wanted = [node for node in nodes if node is not None]
        if len(wanted) == len(self._nodes) and all(map(_same, wanted, self._nodes)):
            return
        for node, tag in self._watched:
            node.RemoveObserver(tag)
        self._nodes = wanted
        self._watched = [
            (node, node.AddObserver(event, lambda *_: self._react()))
            for node in wanted
            for event in _events(node)
        ]


def _same(one: Any, other: Any) -> bool:
    return one is other


def _events(node: Any) -> list[int]:
    found = [slicer.vtkMRMLTransformableNode.TransformModifiedEvent]
    if node.IsA("vtkMRMLVolumeNode"):
        found.append(slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent)
    if node.IsA("vtkMRMLDisplayableNode"):
        found.append(slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent)
    return found
