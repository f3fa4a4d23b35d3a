"""Simulated heads: tissues in their places, lesions that are what they are called."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.lab.truth import simulation
from WDualMineLib.lab.truth.simulation import (
    CT,
    HOT,
    NECROTIC,
    PET,
    TISSUES,
    acquire,
    functional_like,
    head_fractions,
    lesion_gains,
    regrid,
)
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume


def tissue_maps(size: tuple[int, int, int]) -> tuple[Volume, Volume]:
    """Grey matter as a shell around white matter, 0 to 255, in voxels of 2.5 mm."""
    origin = tuple(-2.5 * n / 2 for n in size)
    grid = Geometry(size, (2.5, 2.5, 2.5), origin, (1, 0, 0, 0, 1, 0, 0, 0, 1))
    grids = np.meshgrid(*(np.linspace(-1, 1, n) for n in grid.array_shape), indexing="ij")
    radius = np.sqrt(sum((g / 0.75) ** 2 for g in grids))
    grey = 255 * ((radius < 1) & (radius > 0.8))
    white = 255 * ((radius <= 0.8) & (radius > 0.2))
    return tuple(Volume(x.astype(np.float32), grid, "tissue") for x in (grey, white))


@pytest.fixture(scope="module")
def maps() -> tuple[Volume, Volume]:
    return tissue_maps((60, 70, 60))


GRID = tissue_maps((60, 70, 60))[0].geometry


@pytest.fixture(scope="module")
def fractions(maps) -> np.ndarray:
    return head_fractions(*maps, GRID)


def test_tissues_fill_a_head_from_the_inside_out(fractions) -> None:
    assert fractions.shape == (len(TISSUES), 60, 70, 60)
    assert fractions.min() >= 0 and fractions.sum(0).max() <= 1.001
    line = fractions[:, 30, 35, 30:].argmax(0)[fractions[:, 30, 35, 30:].max(0) > 0]
    order = [TISSUES[k] for k in dict.fromkeys(line.tolist())]
    # The ventricle and the subarachnoid space are both fluid.
    assert order == ["fluid", "white", "grey", "bone", "scalp"]
    assert fractions[:, 0, 0, 0].sum() == 0


def test_the_field_of_view_stays(maps) -> None:
    grid = regrid(GRID, (1.0, 1.0, 5.0))
    assert np.abs(grid.corners() - GRID.corners()).max() <= 2.5


def test_scanners_show_tissues_by_their_values(fractions) -> None:
    rng = np.random.default_rng(0)
    ct = acquire(fractions, CT, GRID, rng, "CT")
    white, bone = fractions[2] > 0.99, fractions[3] > 0.99
    assert ct.array[0, 0, 0] == pytest.approx(-1000, abs=15)
    assert np.median(ct.array[white]) == pytest.approx(29, abs=2)
    assert np.percentile(ct.array[bone], 90) > 500
    pet = acquire(fractions, PET, GRID, rng, "PET")
    assert pet.array.min() >= 0
    assert pet.array[fractions[1] > 0.99].mean() > 2 * pet.array[white].mean()
    assert (ct.modality, pet.modality) == ("CT", "PT")


def test_lesions_are_seen_where_they_should_be(fractions) -> None:
    (fixed, moving), mask = lesion_gains(fractions, GRID, (HOT,), np.random.default_rng(0))
    assert mask.any()
    assert (moving[mask] == HOT.moving).all() and (moving[~mask] == 1).all()
    assert (fixed[mask] == HOT.fixed).all()
    volume = mask.sum() * np.prod(GRID.spacing)
    assert volume == pytest.approx(np.pi / 6 * HOT.diameter_mm**3, rel=0.3)


def test_a_necrotic_lesion_has_a_hot_rim_and_a_cold_core(fractions) -> None:
    (_, moving), mask = lesion_gains(fractions, GRID, (NECROTIC,), np.random.default_rng(1))
    assert set(np.unique(moving[mask])) == {np.float32(2.5), np.float32(0.15)}


def test_another_contrast_of_one_head_keeps_its_air(maps) -> None:
    made = functional_like(maps[1], np.random.default_rng(3))
    assert made.geometry == GRID
    assert made.array.min() >= 0
    assert made.array[0].max() < 0.01 * made.array.max()
    inside = made.array[maps[1].array > 200]
    assert inside.std() > 0


def test_all_cases_come_from_three_packaged_volumes(monkeypatch) -> None:
    names = {simulation.MR_T1: "t1", simulation.GREY_MATTER: "grey", simulation.WHITE_MATTER: "w"}
    grey, white = tissue_maps((32, 36, 32))
    t1 = Volume(2 * grey.array + 3 * white.array, grey.geometry, "T1", "MR")
    volumes = {"t1": t1, "grey": grey}
    monkeypatch.setattr(simulation, "fetch", lambda samples: {s: names[s] for s in samples})
    monkeypatch.setattr(simulation, "load", lambda _, path: volumes.get(path, white))
    cases = list(simulation.simulated_cases(seed=1))
    again = list(simulation.simulated_cases(seed=1))
    assert len({case.name for case in cases}) == len(cases) == 6
    assert all("simulated" in case.name for case in cases)
    assert all(case.lesion.any() for case in cases if case.family == "simulated")
    for one, other in zip(cases, again, strict=True):
        assert all((x == y).all() for x, y in zip(one.sources, other.sources, strict=True))
