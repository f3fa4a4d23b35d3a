"""*Fuse with ...* of the subject hierarchy: which volumes there are, and what a choice does."""

from __future__ import annotations

from typing import Any

import slicer

from .defaults import arranged, possible_inputs, use_pair

_MODULE = "WDualMine"


def partners(item: int) -> list[tuple[str, str]]:
    """(ID, name) of every volume that the one of a hierarchy's item can be fused with; [] for none.

    Args:
        item: of the subject hierarchy, of anything.
    """
    node = _node_of(item)
    if node is None:
        return []
    volumes = possible_inputs(node.GetScene())
    if not any(volume is node for volume in volumes):
        return []
    return [(other.GetID(), other.GetName()) for other in volumes if other is not node]


def open_with(item: int, partner: str) -> None:
    """Open the module with both volumes and the windows that fit them chosen; Apply is left.

    Args:
        item: of the subject hierarchy.
        partner: ID of the other volume. Nothing happens if either is gone meanwhile.
    """
    node = _node_of(item)
    other = node.GetScene().GetNodeByID(partner) if node is not None else None
    if node is None or other is None:
        return
    slicer.util.selectModule(_MODULE)
    parameters = slicer.util.getModuleWidget(_MODULE).logic.getParameterNode()
    parameters.fixedVolume, parameters.movingVolume, pair = arranged(node, other)
    use_pair(parameters, pair)


def current_item() -> int:
    """What is selected in the subject hierarchy."""
    return _handler().currentItem()


def register(source: str) -> None:
    """Make a scripted plugin known to the subject hierarchy.

    Args:
        source: path of its Python file, which holds a class of the same name.
    """
    import SubjectHierarchyPlugins  # noqa: F401 - brings the base class along

    plugin = slicer.qSlicerSubjectHierarchyScriptedPlugin(None)
    plugin.name = _MODULE
    plugin.setPythonSource(source)
    _handler().registerPlugin(plugin)


def _node_of(item: int) -> Any:
    hierarchy = _handler().subjectHierarchyNode()
    return hierarchy.GetItemDataNode(item) if hierarchy is not None and item else None


def _handler() -> Any:
    return slicer.qSlicerSubjectHierarchyPluginHandler.instance()
