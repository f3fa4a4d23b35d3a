"""JSON reports: what every command's ``report.json`` has in common."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ..version import __version__
from ..volumes.geometry import Geometry


def describe_program(libraries: Sequence[str]) -> dict[str, Any]:
    """Who wrote a report and when, with the versions of the libraries that had a part in it."""
    return {
        "program": "WDualMine",
        "version": __version__,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: _version(name) for name in libraries},
    }


def describe_geometry(geometry: Geometry) -> dict[str, Any]:
    """The grid in LPS mm, every number to its last bit."""
    return {
        "size": geometry.size,
        "spacing_mm": geometry.spacing,
        "origin_lps_mm": geometry.origin,
        "direction_lps": geometry.direction,
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write ``report`` as JSON that every reader takes: no NaN, paths as text."""
    text = json.dumps(_plain(report), indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
