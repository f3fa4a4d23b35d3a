"""What the module adds to the rest of the application once it has started."""

from __future__ import annotations

from pathlib import Path

import slicer

from .fuse_with import register
from .probe_words import extend

_PLUGIN = Path(__file__).parents[2] / "gui" / "WDualMineSubjectHierarchyPlugin.py"


def extend_application() -> None:
    """*Fuse with* in the subject hierarchy, and values with units in the data probe."""
    register(str(_PLUGIN))
    probe = getattr(slicer.modules, "DataProbeInstance", None)
    if probe is not None:  # there is none without a main window
        extend(probe.infoWidget)
