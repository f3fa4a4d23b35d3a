"""Scenes to ``.mrb`` files and back, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import chdir
from pathlib import Path

import slicer

from ...errors import InputError, OutputError
from ...volumes.writing import writing_errors


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
