"""A real MRML scene, and a small fusion result to show in it."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.pipeline.look import NetworkOutput
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.pipeline.result import Result, assemble
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

# Oblique, anisotropic, off centre: nothing here survives by luck. Right-handed, because Slicer
# flips left-handed grids when it reads files.
_TILT = np.deg2rad(12.0)
GEOMETRY = Geometry(
    (20, 24, 16),
    (1.1, 0.9, 2.3),
    (-12.25, 7.5, 31.125),
    (np.cos(_TILT), 0.0, np.sin(_TILT), 0.0, 1.0, 0.0, -np.sin(_TILT), 0.0, np.cos(_TILT)),
)


@pytest.fixture
def scene():
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from WDualMineLib.scene.application.scene_files import headless_scene

    from ..gui.stand_ins import observers

    with headless_scene() as scene:
        yield scene
        assert not observers.of(scene), "who observed it outlives its scene"


@pytest.fixture(scope="session")
def pair() -> tuple[Volume, Volume]:
    """A bright block in each of two volumes, on noise, with air around."""
    rng = np.random.default_rng(0)
    arrays = np.zeros((2, *GEOMETRY.array_shape), np.float32)
    arrays[:, 3:-3, 4:-4, 4:-4] = rng.uniform(20, 60, arrays[:, 3:-3, 4:-4, 4:-4].shape)
    arrays[0, 4:8, 6:12, 5:9] = 100.0
    arrays[1, 8:12, 12:18, 10:15] = 100.0
    return (Volume(arrays[0], GEOMETRY, "Fixed", "MR"), Volume(arrays[1], GEOMETRY, "Moving", "PT"))


@pytest.fixture
def result(pair: tuple[Volume, Volume]) -> Result:
    """A result with made-up maps, so that no network is needed to test what is shown."""
    settings = FusionSettings(
        fixed_window=(0.0, 100.0), moving_window=(0.0, 100.0), colour="PET-Heat"
    )
    prepared = prepare(*pair, settings)
    shape = GEOMETRY.array_shape
    ramp = np.linspace(0, 1, shape[2], dtype=np.float32) * np.ones(shape, np.float32)
    network = NetworkOutput(
        np.zeros(shape, np.float32), ramp, 1 - ramp, slicings(GEOMETRY, "axial")[0]
    )
    return assemble(prepared, network, settings)
