"""The Python interpreter, for work in a process of its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def interpreter() -> str | None:
    """The program that runs Python code as this process does; None where there is none.

    Inside 3D Slicer ``sys.executable`` is empty, or is the application itself, which would open a
    second window. Its interpreter is called PythonSlicer and lies on the search path.
    """
    path = sys.executable or ""
    if Path(path).stem.lower().startswith(("python", "pypy")) and os.access(path, os.X_OK):
        return path
    return shutil.which("PythonSlicer")
