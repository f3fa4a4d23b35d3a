"""Local data that is not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("WDUALMINE_SHARED", Path(__file__).parents[4] / "shared")) / "data"


def shared(*parts: str) -> Path:
    """A path in the local data; skips the test, with the reason, where it is not there."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not here (set WDUALMINE_SHARED to the folder that holds data/)")
    return path
