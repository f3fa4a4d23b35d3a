"""Some damaged files of every format; ``WDUALMINE_MUTATIONS=500`` for as many as are claimed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="needs POSIX's account of memory")
sys.path.insert(0, str(Path(__file__).parent))

import mutations

COUNT = int(os.environ.get("WDUALMINE_MUTATIONS", "20"))


@pytest.mark.parametrize("name", list(mutations.FORMATS))
def test_words_or_a_volume(name: str) -> None:
    line, faults = mutations.run(name, COUNT)
    assert not faults, "\n".join([line, *faults])
