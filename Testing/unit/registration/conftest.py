"""The phantom in MR and CT, and commands run on it, as tests of registration want them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

# The tests are imported by path, so that files beside them are not found otherwise.
sys.path.insert(0, str(Path(__file__).parent))

import phantom
from WDualMineLib.cli.main import main
from WDualMineLib.registration.poses import about, rotation
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

POSE = about(rotation(np.radians([8.0, -10.0, 12.0])), np.zeros(3), np.array([14.0, -9.0, 11.0]))


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


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


@pytest.fixture
def command(capsys) -> Callable[..., Outcome]:
    """``wdualmine`` with these arguments: exit code, stdout, stderr."""

    def command(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return command


@pytest.fixture
def save(tmp_path) -> Callable[[Volume, str], Path]:
    """Write a volume into the test's folder."""
    return lambda volume, name: write_volume(volume, tmp_path / name)


@pytest.fixture
def pair(save, mr, ct) -> tuple[Path, Path]:
    """MR and displaced CT of the head, as files."""
    return save(mr, "mr.nrrd"), save(ct, "ct.nrrd")
