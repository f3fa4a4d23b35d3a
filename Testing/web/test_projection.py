"""Views from a side show what the arrays hold along their rays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

from WDualMineLib.errors import InputError
from WDualMineLib.fusion.intensity import Window
from WDualMineLib.palettes import SUSPICION
from WDualMineLib.scene.views.projection import LARGEST_SIDE, Sight, maximum, struck, surface
from WDualMineLib.scene.views.served_slices import served_slices
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.web.pictures import Pictures
from WDualMineLib.web.planes import describe, to_ras
from WDualMineLib.web.study import Study, study_of
from WDualMineLib.web.volume_request import VolumeRequest
from WDualMineLib.web.volume_view import seen_from

SIDES = {(0, 0): 1, (180, 0): 1, (90, 0): 2, (-90, 0): 2, (0, 90): 0, (0, -90): 0}
"""Azimuth and elevation: the axis of the array (K, J, I) that the rays run along."""


def small_of(volume: Volume, keep: str = "Mean", to_fixed: np.ndarray | None = None):
    with served_slices() as slices:
        slices.add_source("it", volume, Window(0.0, 1.0, "mr"), to_fixed)
        return slices.small("it", keep)


def middle_voxel(volume: Volume, ijk) -> tuple[float, float, float]:
    return to_ras(tuple((volume.geometry.ijk_to_lps @ [*ijk, 1])[:3]))


def request(study: Study, **changes) -> VolumeRequest:
    told = describe(study.result.fused.geometry)
    usual = {
        "pane": "volume",
        "number": 1,
        "base": "fused",
        "azimuth": 0,
        "elevation": 0,
        "size": [81, 81],
        "centre": told["centre"],
        "field": told["field"],
    }
    return VolumeRequest.of(usual | changes)


def test_one_looks_from_anterior_the_right_side_on_the_left() -> None:
    sight = Sight(0, 0, (0, 0, 0), 10, (5, 5), 5)
    np.testing.assert_allclose(sight.axes, [[-1, 0, 0], [0, 0, 1], [0, -1, 0]], atol=1e-12)
    from_right = Sight(90, 0, (0, 0, 0), 10, (5, 5), 5).axes
    np.testing.assert_allclose(from_right, [[0, 1, 0], [0, 0, 1], [-1, 0, 0]], atol=1e-12)
    from_above = Sight(0, 90, (0, 0, 0), 10, (5, 5), 5).axes
    np.testing.assert_allclose(from_above, [[-1, 0, 0], [0, -1, 0], [0, 0, -1]], atol=1e-12)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("ijk", [(20, 24, 18), (12, 30, 10)])
def test_a_maximum_is_that_of_the_array(study, side, ijk) -> None:
    column = [slice(n, n + 1) for n in ijk[::-1]]
    column[SIDES[side]] = slice(None)
    expected = study.moving.array[tuple(column)].max()
    sight = Sight(*side, middle_voxel(study.moving, ijk), 50, (51, 51), 800)
    found = maximum(small_of(study.moving), sight)[25, 25]
    assert found == pytest.approx(expected, abs=1.0)  # of a range of 60


def test_the_moving_volume_is_seen_where_the_alignment_puts_it(study) -> None:
    shift = np.eye(4)
    shift[0, 3] = 6.0  # to the left, mm
    sight = Sight(0, 0, middle_voxel(study.moving, (20, 24, 18)), 61, (61, 61), 300)
    before = maximum(small_of(study.moving), sight)
    after = maximum(small_of(study.moving, to_fixed=shift), sight)
    np.testing.assert_allclose(after[:, 8:], before[:, 2:-6], atol=2.0)
    assert np.abs(after[:, 8:] - before[:, 8:]).max() > 5


@pytest.mark.parametrize("keep", ["Mean", "Maximum", "Minimum"])
def test_a_large_volume_becomes_a_small_one_at_its_place(keep: str) -> None:
    grid = Geometry((300, 30, 20), (0.5, 2.0, 3.0), (-70, 10, 5), (0, 1, 0, -1, 0, 0, 0, 0, 1))
    array = np.zeros(grid.array_shape, np.float32)
    array[9, 14, 200] = 27.0
    volume = Volume(array, grid, "large")
    small = small_of(volume, keep)
    assert max(small.image.GetDimensions()) <= LARGEST_SIDE
    expected = {"Mean": 9.0, "Maximum": 27.0, "Minimum": 0.0}[keep]
    assert small.image.GetScalarRange()[1] == pytest.approx(expected)
    if keep == "Minimum":
        return
    for side in SIDES:
        sight = Sight(*side, middle_voxel(volume, (200, 14, 9)), 60, (121, 121), 500)
        y, x = np.unravel_index(maximum(small, sight).argmax(), (121, 121))
        assert abs(y - 60) <= 2 and abs(x - 60) <= 2, side  # voxels are 3 mm, pixels half of one


def test_a_ball_has_the_light_of_a_ball() -> None:
    grid = Geometry((64, 64, 64), (1, 1, 1), (-31.5, -31.5, -31.5), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    k, j, i = np.meshgrid(*3 * [np.arange(64) - 31.5], indexing="ij")
    away = np.sqrt(i**2 + j**2 + k**2)
    small = small_of(Volume((30 - away).astype(np.float32), grid, "ball"))
    for azimuth, elevation in ((0, 0), (33, 20), (200, -60)):
        seen = surface(small, Sight(azimuth, elevation, (0, 0, 0), 64, (129, 129), 300), 10.0)
        assert (seen > 0).sum() * (64 / 129) ** 2 == pytest.approx(np.pi * 20**2, rel=0.03)
        assert seen[64, 64] == pytest.approx(1, abs=0.02)
        across = seen[64, 64 + round(16 / (64 / 129))]  # 4/5 of the radius: facing by 3/5
        assert across == pytest.approx(0.15 + 0.85 * 0.6, abs=0.04)


def test_a_click_meets_the_surface_or_the_highest_value() -> None:
    grid = Geometry((64, 64, 64), (1, 1, 1), (-31.5, -31.5, -31.5), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    k, j, i = np.meshgrid(*3 * [np.arange(64) - 31.5], indexing="ij")
    small = small_of(Volume((30 - np.sqrt(i**2 + j**2 + k**2)).astype(np.float32), grid, "ball"))
    for azimuth, elevation in ((0, 0), (33, 20), (200, -60)):
        sight = Sight(azimuth, elevation, (0, 0, 0), 64, (9, 9), 400)
        towards = -sight.axes[2]
        np.testing.assert_allclose(struck(small, sight, 10.0), 20 * towards, atol=0.5)
        np.testing.assert_allclose(struck(small, sight, None), (0, 0, 0), atol=1.0)
        beside = replace(sight, centre=tuple(12 * sight.axes[0]))
        np.testing.assert_allclose(
            struck(small, beside, 10.0), 12 * sight.axes[0] + 16 * towards, atol=0.5
        )
        past = replace(sight, centre=tuple(25 * sight.axes[1]))
        assert struck(small, past, 10.0) is None
        far = replace(sight, centre=tuple(900 * sight.axes[1]))
        assert struck(small, far, None) is None


def test_a_maximum_is_windowed_and_coloured_and_turns(study, pictures) -> None:
    seen = pictures.seen(request(study, base="moving", style="maximum"))
    picture = seen_from(request(study, base="moving", style="maximum", size=[121, 121]), seen)
    high = study.moving.array.max()
    assert picture.max() == pytest.approx(255 * (high + 20) / 120, abs=6)
    narrow = request(study, base="moving", style="maximum", windows={"moving": [-20, 40]})
    assert seen_from(narrow, pictures.seen(narrow)).max() == 255
    turned = request(study, base="moving", style="maximum", azimuth=90)
    assert np.abs(seen_from(turned, seen).astype(int) - picture[:81, :81]).max() > 20


@pytest.mark.parametrize("style", ["surface", "maximum"])
def test_faults_are_seen_through_it_in_their_colours(study, pictures, style: str) -> None:
    doubt = middle_voxel(study.result.fused, (11, 16, 13))
    near = {"style": style, "centre": doubt, "field": 8.0, "flagged": True}
    asked = request(study, **near)
    bare = request(study, **near | {"flagged": False})
    shown = seen_from(asked, pictures.seen(asked))[40, 40].astype(float)
    plain = seen_from(bare, pictures.seen(bare))[40, 40].astype(float)
    *colour, alpha = SUSPICION[round(255 * 0.1)].astype(float)
    share = alpha / 255
    np.testing.assert_allclose(shown, plain * (1 - share) + np.array(colour) * share, atol=6)


def test_without_faults_nothing_is_projected_for_them(fused) -> None:
    result, fixed, moving = fused
    volumes = dict(result.volumes)
    sound = volumes["reliability_fixed"]
    volumes["reliability_fixed"] = sound.with_array(np.full_like(sound.array, 0.45))
    study = study_of(replace(result, volumes=volumes), fixed, moving, anonymise=False)
    with served_slices() as slices:
        asked = request(study, flagged=True)
        assert Pictures(study, slices).seen(asked).doubts is None


def test_the_largest_picture_is_bounded_and_smaller_while_it_moves(study, pictures) -> None:
    for size in ([1600, 1600], [1600, 100], [100, 1600]):
        asked = request(study, size=size)
        rest = seen_from(asked, pictures.seen(asked))
        assert rest.shape[0] * rest.shape[1] <= 288 * 288 * 2
        asked = request(study, size=size, moving=True)
        moving = seen_from(asked, pictures.seen(asked))
        assert moving.shape[0] * moving.shape[1] <= 120 * 120 * 2
        assert moving.shape[1] / moving.shape[0] == pytest.approx(size[0] / size[1], rel=0.1)


@pytest.mark.parametrize(
    "changes",
    [
        {"style": "script"},
        {"level": 2},
        {"azimuth": float("nan")},
        {"elevation": 91},
        {"azimuth": None},
        {"size": [10**9, 1]},
        {"which": "other"},
    ],
)
def test_a_view_that_makes_no_sense_is_refused(study, changes) -> None:
    with pytest.raises(InputError, match="asks for no view"):
        request(study, **changes)


def test_a_volume_that_there_is_not_is_refused(study, pictures) -> None:
    with pytest.raises(InputError, match="no volume"):
        pictures.seen(request(study, base="../fused"))
