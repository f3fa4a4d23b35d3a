"""The values in a region are those of the voxels whose centres lie in it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

from WDualMineLib.errors import InputError
from WDualMineLib.volumes.geometry import LPS_TO_RAS, Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.web.planes import PLANES, to_ras
from WDualMineLib.web.region import RegionRequest, measure, values_in
from WDualMineLib.web.study import Study

AXES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}
"""Of the grid (I, J, K): across, up, and along the normal."""


def region(study: Study, ijk, **changes) -> RegionRequest:
    centre = to_ras(tuple((study.result.fused.geometry.ijk_to_lps @ [*ijk, 1])[:3]))
    told = {"shape": "circle", "plane": "axial", "centre": centre, "half": [8, 8]}
    return RegionRequest.of(told | changes)


def voxels(study: Study, ijk, plane: str, shape: str, half) -> np.ndarray:
    """(n, 3) IJK, one after the other, as a child would find them."""
    grid = study.result.fused.geometry
    across, up, along = AXES[plane]
    found = []
    for index in np.ndindex(*grid.size):
        x, y = (abs(index[a] - ijk[a]) * grid.spacing[a] for a in (across, up))
        inside = (
            (x / half[0]) ** 2 + (y / half[1]) ** 2 <= 1
            if shape == "circle"
            else x <= half[0] and y <= half[1]
        )
        if index[along] == ijk[along] and inside:
            found.append(index)
    return np.array(found)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(("shape", "half"), [("circle", (9, 9)), ("rectangle", (7, 12.2))])
def test_it_is_what_the_array_holds(study, plane: str, shape: str, half) -> None:
    ijk = (20, 24, 18)
    i, j, k = voxels(study, ijk, plane, shape, half).T
    asked = region(study, ijk, plane=plane, shape=shape, half=list(half))
    rows = {name: words for name, *words in measure(study, asked, study.own_look)}
    for name, volume, form, unit in (
        ("Fixed (Doe_mr)", study.fixed, ".4g", ""),
        ("Moving (Doe_ct)", study.moving, ".4g", " HU"),
    ):
        values = volume.array[k, j, i].astype(float)
        mean, count = rows[name]
        assert mean == f"{values.mean():{form}} ± {values.std(ddof=1):.3g}{unit}"
        assert count == f"{len(values)} voxels, {values.min():.4g} to {values.max():.4g}"
    values = study.result.fused.array[k, j, i].astype(float)
    assert rows["Fused"][0] == f"{values.mean():.3f} ± {values.std(ddof=1):.3f} (no unit)"
    assert set(rows) >= {"Suspected faults", "Arbitration"}


def test_it_follows_the_look(study) -> None:
    asked = region(study, (20, 24, 18))
    strong, own = (
        {name: mean for name, mean, _ in measure(study, asked, look)}
        for look in ((2.0, 0.9), study.own_look)
    )
    assert strong["Fused"] != own["Fused"] and strong["Arbitration"] == own["Arbitration"]


def test_the_moving_volume_is_measured_where_the_alignment_puts_it(shifted) -> None:
    study, moving = shifted
    i, j, k = voxels(study, (15, 24, 18), "axial", "circle", (8, 8)).T
    values = moving.array[k, j, i + 2].astype(float)
    asked = region(study, (15, 24, 18))
    rows = {name: mean for name, mean, _ in measure(study, asked, study.own_look)}
    assert rows["Moving (Doe_ct)"].startswith(f"{values.mean():.4g} ± ")


@pytest.mark.parametrize("at_once", [1 << 20, 1 << 9])
def test_on_an_oblique_grid_each_row_gives_one_voxel_at_most(at_once: int, monkeypatch) -> None:
    monkeypatch.setattr("WDualMineLib.web.region._AT_ONCE", at_once)
    turn = np.radians(25)
    c, s = np.cos(turn), np.sin(turn)
    grid = Geometry((60, 50, 40), (1, 1, 2), (-30, -25, -40), (1, 0, 0, 0, c, -s, 0, s, c))
    k, j, i = np.meshgrid(*map(np.arange, grid.array_shape), indexing="ij")
    volume = Volume((i + 100 * j + 10000 * k).astype(np.float32), grid, "oblique")
    centre = to_ras(tuple((grid.ijk_to_lps @ [30, 25, 20, 1])[:3]))
    asked = RegionRequest.of(
        {"shape": "rectangle", "plane": "axial", "centre": centre, "half": [10, 10]}
    )
    found = values_in(volume, asked, np.eye(4)).astype(int)
    rows = found % 10000
    assert len(set(rows)) == len(rows) > 300
    index = np.stack([found % 100, found // 100 % 100, found // 10000, np.ones_like(found)])
    ras = LPS_TO_RAS[:, None] * (grid.ijk_to_lps @ index)[:3]
    away = np.abs(ras - np.array(centre)[:, None])
    assert away[:2].max() <= 10 + 1e-3 and away[2].max() <= 2 * c / 2 + 1e-3


def test_colours_have_a_mean_and_what_is_not_finite_is_left_out(study) -> None:
    grid = study.result.fused.geometry
    asked = region(study, (20, 24, 18))
    array = np.ones(grid.array_shape, np.float32)
    array[18, 24, 20] = np.nan
    count = len(voxels(study, (20, 24, 18), "axial", "circle", (8, 8)))
    assert len(values_in(Volume(array, grid), asked, np.eye(4))) == count - 1
    colour = np.zeros((*grid.array_shape, 3), np.uint8)
    colour[..., 1] = 9
    assert values_in(Volume(colour, grid), asked, np.eye(4)).shape == (count, 3)


def test_outside_there_is_no_voxel(study) -> None:
    asked = region(study, (20, 24, 18), centre=[900, 0, 0])
    rows = measure(study, asked, study.own_look)
    assert {tuple(words) for _, *words in rows} == {("no voxel", "0 voxels")}


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": "script"},
        {"plane": "../axial"},
        {"half": [1]},
        {"half": [-1, 1]},
        {"half": [1, float("inf")]},
        {"centre": "here"},
        {"floor": 2},
    ],
)
def test_a_region_that_makes_no_sense_is_refused(study, changes) -> None:
    with pytest.raises(InputError, match="asks for no region"):
        region(study, (1, 1, 1), **changes)
