"""The benchmark of raw volumes: its measures, and its command."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from WDualMineLib.cli.main import main
from WDualMineLib.lab.speed.phantoms import phantoms
from WDualMineLib.quality.overshoot import overshoot
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume


def ramps():
    a = np.tile(np.linspace(0.1, 0.9, 20), (1, 20, 1))
    return a, a.transpose(0, 2, 1)


@pytest.mark.parametrize("fuse", [lambda a, b: 0.3 * a + 0.7 * b, np.maximum, lambda a, b: a + b])
def test_a_function_of_the_two_values_does_not_overshoot(fuse):
    a, b = ramps()

    assert overshoot(fuse(a, b), a, b) == (0, 0)


def test_what_is_nowhere_around_is_counted():
    a, b = np.full((2, 1, 20, 20), 0.5)
    fused = a.copy()
    fused[0, 4, 4], fused[0, 9, 9:11] = 0.6, 0.4

    assert overshoot(fused, a, b) == (1 / 400, 2 / 400)
    assert overshoot(fused, a, b, margin=0.2) == (0, 0)


def test_air_is_not_counted():
    a, b = np.zeros((2, 1, 8, 8))

    assert overshoot(np.ones((1, 8, 8)), a, b) == (0, 0)


def test_the_command_measures_two_files(tmp_path, capsys):
    shape = (4, 48, 48)
    geometry = Geometry(shape[::-1], (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    paths = [tmp_path / "fixed.nrrd", tmp_path / "moving.nrrd"]
    for path, array in zip(paths, phantoms(shape), strict=True):
        write_volume(Volume(array.astype(np.float32), geometry, path.stem), path)
    words = ["bench", "volume", *map(str, paths), "--json", str(tmp_path / "v.json")]

    assert main(words) == 0

    figures = json.loads((tmp_path / "v.json").read_text())
    assert figures["average"]["above"] == figures["average"]["below"] == 0
    assert 0 < figures["fused"]["flicker"] < 3
    assert list(figures["window"]) == ["1.01", "1.02", "1.04"]
    assert "flicker" in capsys.readouterr().out
    assert main(words) == 2, "the file exists"
