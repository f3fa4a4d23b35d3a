"""A result with a doubtful region in each source, made without a network."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.dicom.context import Patient
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.pipeline.alignment import Alignment
from WDualMineLib.pipeline.look import NetworkOutput
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.pipeline.record import Record, SourceRecord
from WDualMineLib.pipeline.result import Result, assemble
from WDualMineLib.registration.registration_result import Verdict
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

GRID = Geometry((40, 44, 20), (2.0, 2.0, 4.0), (-40.0, -44.0, 100.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
PATIENT = Patient("P-4711", "Müller^Änne", "19501224", "F")


@pytest.fixture
def volumes() -> tuple[Volume, Volume]:
    rng = np.random.default_rng(0)
    arrays = np.zeros((2, *GRID.array_shape), np.float32)
    arrays[:, 2:-2, 5:-5, 5:-5] = rng.uniform(20, 90, arrays[:, 2:-2, 5:-5, 5:-5].shape)
    return Volume(arrays[0], GRID, "T1 of Müller", "MR"), Volume(arrays[1], GRID, "FDG", "PT")


@pytest.fixture
def result(volumes) -> Result:
    settings = FusionSettings((0.0, 100.0), (0.0, 100.0), colour="PET-Heat")
    pair = prepare(*volumes, settings)
    reliability = np.full(GRID.array_shape, 0.5, np.float32)
    reliability[4:10, 10:20, 10:20] = 0.1
    reliability[14:16, 30:34, 30:34] = 0.95
    network = NetworkOutput(
        np.zeros(GRID.array_shape, np.float32),
        reliability,
        np.full(GRID.array_shape, 0.7, np.float32),
        slicings(GRID, "axial")[0],
        ("The GPU was not used.",),
    )
    sources = [SourceRecord.of(v, w) for v, w in zip(volumes, pair_windows(pair), strict=True)]
    sources[0] = SourceRecord(**vars(sources[0]) | {"patient": PATIENT})
    record = Record(*sources, settings, "moving", weights_sha256="ab" * 32, registration="rigid")
    alignment = Alignment(
        "rigid", None, Verdict.DOUBTFUL, ("two starts disagree by 7 mm",), 0.93, 0.2, 0.6
    )
    return assemble(pair, network, settings, record, alignment)


def pair_windows(pair):
    return pair.fixed_window, pair.moving_window
