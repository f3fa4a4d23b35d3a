"""The share of the fixed volume as a DICOM object: named, numbered, exact, and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import WDualMineLib as wd
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.pipeline.look import NetworkOutput
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.pipeline.parts import BY_CONTENT_LABEL, SHARE, asked_for
from WDualMineLib.pipeline.result import assemble
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

GRID = Geometry((12, 14, 6), (2, 2, 3), (4, -5, 6), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture
def result() -> wd.Result:
    rng = np.random.default_rng(0)
    one, other = (
        Volume(rng.uniform(0, 100, GRID.array_shape).astype(np.float32), GRID, name, kind)
        for name, kind in (("head", "MR"), ("bone", "CT"))
    )
    settings = wd.FusionSettings((0, 100), (0, 100), share=True)
    maps = rng.random((5, *GRID.array_shape), dtype=np.float32)
    network = NetworkOutput(
        0.1 * maps[0], maps[1], maps[2], slicings(GRID, "axial")[0], sensitivity=(maps[3], maps[4])
    )
    return assemble(prepare(one, other, settings), network, settings)


def test_it_goes_out_and_comes_back_exactly(result, tmp_path: Path) -> None:
    wd.export_dicom(result, tmp_path / "dicom")
    file = tmp_path / "dicom" / "maps" / "share.dcm"
    item = pydicom.dcmread(file)
    assert (item.SeriesNumber, item.ContentLabel) == (107, "SHARE_FIXED")
    assert BY_CONTENT_LABEL[item.ContentLabel] == SHARE
    assert item.SeriesDescription == "Share of fixed image in the fused value, not for diagnosis"
    mapping = item.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.LUTExplanation == "Share of the fixed volume in the fused value"
    assert np.array_equal(wd.read(file).array, result.share.array)


def test_the_checker_finds_no_error(result, dciodvfy, tmp_path: Path) -> None:
    wd.export_dicom(result, tmp_path / "dicom")
    said = dciodvfy(tmp_path / "dicom" / "maps" / "share.dcm")
    assert [line for line in said if line.startswith("Error")] == []


def test_a_result_without_it_has_no_such_object(result, tmp_path: Path) -> None:
    volumes = {name: v for name, v in result.volumes.items() if name != "share"}
    wd.export_dicom(replace(result, volumes=volumes), tmp_path / "dicom")
    assert sorted(p.name for p in (tmp_path / "dicom" / "maps").iterdir()) == [
        "arbitration.dcm",
        "reliability_fixed.dcm",
        "reliability_moving.dcm",
    ]


def test_what_settings_ask_for_is_what_there_is(result) -> None:
    assert {part.name for part in asked_for(result.settings)} == set(result.volumes)
    assert SHARE not in asked_for(wd.FusionSettings())
