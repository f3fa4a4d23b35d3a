"""W-DUALMINE: reliability-weighted dual-expert fusion of two registered medical volumes.

The public names below load on first use, so that importing this package inside 3D Slicer
touches neither torch nor PyWavelets: both may still have to be installed, after asking.
"""

from __future__ import annotations

from importlib import import_module

from .version import __version__

_PUBLIC = {
    "fuse": "fusion.api",
    "fuse_steps": "fusion.api",
    "FusionSettings": "fusion.settings",
    "FusionResult": "fusion.result",
    "Volume": "volumes.volume",
    "Geometry": "volumes.geometry",
    "read_volume": "volumes.reading",
    "write_volume": "volumes.writing",
    "WDualMineError": "errors",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
