"""``slicer.app`` as the referee uses it, over the views of :mod:`.layouts`."""

from __future__ import annotations

import types

import slicer


class LayoutManager:
    """qSlicerLayoutManager: the slice views that there are, with what draws over them."""

    def __init__(self, layouts) -> None:
        self._layouts = layouts

    def sliceViewNames(self):
        """All that there ever were; those of the layout that is shown are mapped in it."""
        shown = self._layouts.shown()
        for name in self._layouts.logics:
            self._layouts.node(name).SetMappedInLayout(name in shown)
        return list(self._layouts.logics)

    def sliceWidget(self, name):
        return types.SimpleNamespace(sliceView=lambda: SliceView(self._layouts, name))


class SliceView:
    """qMRMLSliceView without a screen: nothing to be grabbed, legends as VTK draws them."""

    def __init__(self, layouts, name) -> None:
        self._layouts, self._name = layouts, name

    def renderWindow(self):
        return None

    def getDisplayableManagers(self, collection):
        window = self._layouts.windows.get(self._name)
        if window is not None:
            group = window._group
            for index in range(group.GetDisplayableManagerCount()):
                collection.AddItem(group.GetNthDisplayableManager(index))


def install(monkeypatch, application, layouts) -> None:
    manager = LayoutManager(layouts)
    for name, value in {
        "applicationLogic": lambda: layouts.application_logic,
        "layoutManager": lambda: manager,
        "processEvents": application.processEvents,
    }.items():
        monkeypatch.setattr(slicer.app, name, value, raising=False)
