"""W-DUALMINE: reliability-weighted dual-expert fusion of two registered medical volumes.

The public names below load on first use, so that importing this package inside 3D Slicer
touches neither torch nor PyWavelets: both may still have to be installed, after asking.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .version import __version__

# Public name: (file, name there).
_PUBLIC = {
    "read": ("pipeline.sources", "read"),
    "register": ("pipeline.alignment", "register"),
    "fuse": ("pipeline.run", "fuse"),
    "fuse_steps": ("pipeline.run", "fuse_steps"),
    "save": ("pipeline.folder", "save"),
    "load": ("pipeline.folder", "load"),
    "export_dicom": ("pipeline.to_dicom", "export_dicom"),
    "doubtful_regions": ("pipeline.doubts", "doubtful_regions"),
    "write_case": ("casereport.case_file", "write_case"),
    "FusionSettings": ("fusion.settings", "FusionSettings"),
    "Result": ("pipeline.result", "Result"),
    "Volume": ("volumes.volume", "Volume"),
    "Geometry": ("volumes.geometry", "Geometry"),
    "WDualMineError": ("errors", "WDualMineError"),
    "read_volume": ("volumes.reading", "read_volume"),
    "write_volume": ("volumes.writing", "write_volume"),
    # What version 0.1 called it.
    "FusionResult": ("pipeline.result", "Result"),
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    return getattr(import_module(f".{module}", __name__), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
