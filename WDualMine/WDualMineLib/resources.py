"""Where the files that ship beside the code lie: network weights and the like."""

from __future__ import annotations

from pathlib import Path

from .errors import WDualMineError

_PACKAGE = Path(__file__).resolve().parent

# Slicer's install tree and a checkout keep Resources beside the package, as every scripted module
# does; a wheel carries it inside, where it cannot collide with another distribution's files.
_ROOTS = (_PACKAGE.parent / "Resources", _PACKAGE / "Resources")


def resource_path(name: str) -> Path:
    """Path of a shipped file or folder.

    Args:
        name: relative to ``Resources``, with forward slashes: ``"Models/wdualmine.pt"``.

    Raises:
        WDualMineError: the installation does not hold it.
    """
    for root in _ROOTS:
        path = root / name
        if path.exists():
            return path
    raise WDualMineError(
        f"This installation of WDualMine lacks its own file Resources/{name}",
        "Install WDualMine again, from a complete package",
    )
