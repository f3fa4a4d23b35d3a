"""Volumes too large for the memory: the same results, and the arrays on the disk."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from WDualMineLib.casereport.patient_planes import planes_through
from WDualMineLib.cli.pictures.fusion_overview import write_overview
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.lab.speed.phantoms import phantom_volumes
from WDualMineLib.pipeline.folder import load, save
from WDualMineLib.pipeline.run import fuse
from WDualMineLib.pipeline.sources import read, voxel_fingerprint
from WDualMineLib.progress import finish
from WDualMineLib.volumes import scratch
from WDualMineLib.volumes.writing import write_volume

WINDOWS = {"fixed_window": (-1000.0, 1000.0), "moving_window": (0.0, 1000.0)}


@pytest.fixture
def files(tmp_path):
    """A fixed and a moving volume of other grids."""
    fixed, _ = phantom_volumes((40, 48, 56))
    _, moving = phantom_volumes((24, 32, 32))
    return [write_volume(v, tmp_path / f"{v.name}.nrrd") for v in (fixed, moving)]


@pytest.mark.parametrize(("colour", "axis"), [(None, "axial"), ("PET-Heat", "three-plane")])
def test_results_are_the_same(files, tmp_path, monkeypatch, colour, axis):
    settings = FusionSettings(colour=colour, axis=axis, **WINDOWS)
    small = fuse(*files, settings)
    small = small.with_measures(finish(small.measure_steps(), None))
    monkeypatch.setattr(scratch, "LARGE", 1)

    large = fuse(*files, settings)
    large = large.with_measures(finish(large.measure_steps(), None))

    assert set(large.volumes) == set(small.volumes)
    for name, volume in large.volumes.items():
        limit = 1 if name == "fused_colour" or volume.array.dtype == np.uint8 else 1e-4
        difference = np.abs(volume.array.astype(np.float64) - small.volumes[name].array)
        assert difference.max() <= limit, name
        assert volume.array.dtype == small.volumes[name].array.dtype
    for name in ("cc", "cc_over_bound", "floor_kept", "mi", "ssim", "qabf", "flicker"):
        assert large.measures[name] == pytest.approx(small.measures[name], abs=1e-3), name
    write_overview(tmp_path / "overview.png", large)
    found = load(save(large, tmp_path / "out"))
    assert np.array_equal(found.fused.array, large.fused.array)
    softer, wanted = (result.with_look(strength=0.5).fused.array for result in (large, small))
    assert np.abs(softer - wanted).max() < 1e-4


def test_files_are_read_alike_whatever_their_size(files, monkeypatch):
    small = [read(path) for path in files]
    monkeypatch.setattr(scratch, "LARGE", 1)

    for path, wanted in zip(files, small, strict=True):
        found = read(path)
        assert found.array.dtype == np.float32 and found.geometry == wanted.geometry
        assert np.array_equal(found.array, wanted.array)


def held_of_files() -> int:
    """Bytes of files that are mapped into this process and in memory."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if "RssFile" in x)
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell what is held")
@pytest.mark.parametrize("look", ["picture", "fingerprint"])
def test_what_was_looked_at_on_the_disk_is_not_held(look, monkeypatch):
    """A plane across the rows touches every page; 13 GB of 1024 x 1024 x 600 were held for it."""
    monkeypatch.setattr(scratch, "LARGE", 1 << 24)
    # Rows of a page each.
    volume, _ = phantom_volumes((16, 512, 1024))
    planes = planes_through(volume.geometry, np.zeros(3))
    before = held_of_files()

    if look == "picture":
        shown = [plane.cut(volume) for plane in planes]
        assert len(shown) == 3 and all(np.nanmax(x) > 0 for x in shown)
    else:
        wanted = hashlib.sha256(volume.array.tobytes()).hexdigest()
        scratch.let_go()
        assert voxel_fingerprint(volume.array) == wanted

    assert volume.array.nbytes >= 1 << 24
    assert held_of_files() - before < volume.array.nbytes / 4
