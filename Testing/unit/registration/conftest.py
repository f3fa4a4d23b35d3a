"""The phantom in MR and CT, as tests of registration want it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

# The tests are imported by path, so that files beside them are not found otherwise.
sys.path.insert(0, str(Path(__file__).parent))

import phantom
from WDualMineLib.registration.poses import about, rotation
from WDualMineLib.volumes.volume import Volume

POSE = about(rotation(np.radians([8.0, -10.0, 12.0])), np.zeros(3), np.array([14.0, -9.0, 11.0]))


@pytest.fixture(scope="session")
def mr() -> Volume:
    return phantom.scan("MR", phantom.grid())


@pytest.fixture(scope="session")
def pose() -> np.ndarray:
    """Where the CT's patient lies: 4x4, from points of the MR to those of the CT."""
    return POSE


@pytest.fixture(scope="session")
def ct() -> Volume:
    """The same head at :func:`pose`."""
    return phantom.scan("CT", phantom.grid(), POSE)
