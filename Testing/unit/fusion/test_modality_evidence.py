"""What a CT is taken for when its skull is stripped, and two volumes that are both PET."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.fusion.intensity import choose_window
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

GRID = Geometry((16, 14, 12), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def brain(outside: float) -> np.ndarray:
    """Grey and white matter in HU, and one value around it."""
    values = np.random.default_rng(0).normal(32, 6, GRID.array_shape).astype(np.float32)
    values[:, :4] = outside
    return values


@pytest.mark.parametrize("outside", [0.0, -1024.0, -3024.0])
def test_a_stripped_ct_in_hu_is_a_ct(outside):
    for modality in ("CT", ""):
        volume = Volume(brain(outside), GRID, "v", modality, {"units": "HU"})
        window = choose_window(volume, "auto")
        assert (window.name, window.units) == ("ct-brain", "HU")


def test_a_stripped_ct_without_units_is_known_by_its_air():
    assert choose_window(Volume(brain(-1024.0), GRID), "auto").units == "HU"
    assert choose_window(Volume(brain(0.0), GRID), "auto").name == "mr"


def test_units_of_another_kind_are_believed():
    window = choose_window(Volume(brain(-1024.0), GRID, "v", "MR", {"units": "HU"}), "auto")
    assert window.name == "mr"
    window = choose_window(Volume(brain(-1024.0), GRID, "v", "CT", {"units": "mgml"}), "auto")
    assert (window.name, window.units) == ("mr", "mgml")


def test_hu_that_no_ct_window_shows_get_their_own_range():
    volume = Volume(brain(-990.0) - 1000, GRID, "v", "CT", {"units": "HU"})
    window = choose_window(volume, "auto")
    assert (window.name, window.units) == ("mr", "HU")


@pytest.mark.parametrize("marks", [("PT", "NM"), ("", "")])
def test_two_pets_are_told(marks):
    a, b = (
        Volume(np.random.default_rng(n).random(GRID.array_shape, np.float32), GRID, name, mark)
        for n, (name, mark) in enumerate(zip(("a_pet", "b_fdg"), marks, strict=True))
    )
    assert any("taken for PET" in note for note in prepare(a, b, FusionSettings()).notes)
    mr = Volume(b.array, GRID, "b_t1w")
    assert not any("taken for PET" in note for note in prepare(a, mr, FusionSettings()).notes)
