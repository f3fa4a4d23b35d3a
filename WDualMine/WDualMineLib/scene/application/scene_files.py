"""Scenes without the application, and as ``.mrb`` files, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import slicer

from ...errors import InputError, OutputError
from ...volumes.whole_files import writing_errors


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


def save_scene(scene: slicer.vtkMRMLScene, path: Path) -> None:
    """Write the scene and all its data to ``path`` (``.mrb``), replacing what is there.

    Raises:
        OutputError: the folder cannot be written, or has no room.
    """
    # Under its final name, which the archive repeats inside, but in a folder of its own.
    with (
        writing_errors(path),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as scratch,
    ):
        written = Path(scratch).absolute() / path.name
        if not scene.WriteToMRB(str(written)) or not written.is_file():
            raise OutputError(
                f"The scene could not be written to {path}",
                f"Free some room in {path.parent}, or choose another folder",
            )
        written.replace(path)


def load_scene(scene: slicer.vtkMRMLScene, path: Path) -> None:
    """Add what ``path`` (``.mrb``) holds to the scene.

    Raises:
        InputError: the file is missing or is not a complete scene.
    """
    # Unpacking changes the working folder, and a failure does not change it back.
    with chdir(os.curdir):
        loaded = path.is_file() and scene.ReadFromMRB(str(path.absolute()))
    if not loaded:
        raise InputError(f"{path} does not load as a scene", "Save the scene again")
