"""A MRML scene without the application, for the command line and the tests (slicer-core)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import slicer


@contextmanager
def headless_scene() -> Iterator[slicer.vtkMRMLScene]:
    """A scene set up as the application sets up its own, also reachable as ``slicer.mrmlScene``.

    It has the default colour nodes and slice orientations, and reads and writes ``.mrb``. Inside
    the application use the application's scene instead.
    """
    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    colours = application.GetColorLogic()
    colours.SetMRMLScene(scene)
    colours.AddDefaultColorNodes()
    # Of the module Colors, which the application loads by itself.
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    # Reading a .mrb unpacks it into the cache of the remote I/O, whether remote or not.
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.SetMRMLScene(scene)
    remote.SetMRMLApplicationLogic(application)
    data_io = slicer.vtkDataIOManagerLogic()
    data_io.SetMRMLScene(scene)
    data_io.SetMRMLApplicationLogic(application)
    data_io.SetAndObserveDataIOManager(remote.GetDataIOManager())
    previous = getattr(slicer, "mrmlScene", None)
    with tempfile.TemporaryDirectory() as cache:
        remote.GetCacheManager().SetRemoteCacheDirectory(cache)
        remote.AddDataIOToScene()
        slicer.mrmlScene = scene
        try:
            yield scene
        finally:
            scene.Clear(True)
            slicer.mrmlScene = previous
