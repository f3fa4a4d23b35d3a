"""Volumes made comparable: any grid, any units, and refusals with their reasons."""

from __future__ import annotations

import numpy as np
import phantom
import pytest
import SimpleITK as sitk
from WDualMineLib.errors import InputError
from WDualMineLib.registration.grids import isotropic, isotropic_grid, to_image
from WDualMineLib.registration.metric import Sampler
from WDualMineLib.registration.preparation import prepare
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume


@pytest.mark.parametrize("direction", [phantom.UPRIGHT, phantom.OBLIQUE, phantom.TILTED])
@pytest.mark.parametrize("spacing", [(3.0, 3.0, 3.0), (1.5, 1.5, 6.0)])
def test_an_isotropic_level_shows_the_same_places(direction, spacing) -> None:
    """Values at given points of the patient do not depend on the grid they came through."""
    points = np.random.default_rng(0).uniform(-55, 55, (3, 400)).astype(np.float32)
    levels = []
    for geometry in (phantom.grid(), phantom.grid(spacing, direction)):
        volume = phantom.scan("CT", geometry, noise=0.0)
        image = isotropic(to_image((volume.array + 1000) / 2500, geometry), 6.0)
        axes = np.array(image.GetDirection()).reshape(3, 3)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
        values, _, inside = Sampler(image)(points, np.eye(4), gradient=False)
        assert inside.all()
        levels.append(values)
    assert np.corrcoef(levels)[0, 1] > 0.98


def test_the_grid_covers_the_volume() -> None:
    geometry = phantom.grid((1.0, 2.0, 5.0), phantom.OBLIQUE)
    image = sitk.Image(geometry.size, sitk.sitkUInt8)
    image.SetSpacing(geometry.spacing)
    image.SetDirection(geometry.direction)
    grid = isotropic_grid(image, 4.0)
    extent = 4.0 * (np.array(grid.GetSize()) - 1)
    wanted = np.array(geometry.spacing) * (np.array(geometry.size) - 1)
    np.testing.assert_allclose(extent, wanted, atol=4.0)


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_the_body_is_found(modality) -> None:
    prepared = prepare(phantom.scan(modality, phantom.grid()))
    volume = 4 / 3 * np.pi * 78 * 98 * 88
    assert prepared.body_size_mm == pytest.approx(np.cbrt(volume), rel=0.05)
    assert np.linalg.norm(prepared.centre) < 10


def test_air_table_and_metal_do_not_pull_the_centre_of_a_ct() -> None:
    volume = phantom.scan("CT", phantom.grid())
    clean = prepare(volume).centre
    array = volume.array.copy()
    array[:, -2:, :] = -300.0  # a table
    array[30:33, 40:43, 30:33] = 30000.0  # an implant
    assert np.linalg.norm(prepare(volume.with_array(array)).centre - clean) < 2


def test_nan_and_infinity_become_the_lowest_value() -> None:
    volume = phantom.scan("MR", phantom.grid())
    array = volume.array.copy()
    array[0, 0, :3] = np.nan, np.inf, -np.inf
    image = prepare(volume.with_array(array)).image
    assert np.isfinite(sitk.GetArrayViewFromImage(image)).all()


def _volume(array: np.ndarray, spacing=(3.0, 3.0, 3.0)) -> Volume:
    geometry = Geometry(array.shape[2::-1], spacing, (0.0,) * 3, phantom.UPRIGHT)
    return Volume(array, geometry, "that one")


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (_volume(np.full((30, 30, 30), 7.0)), "constant"),
        (_volume(np.full((30, 30, 30), np.nan)), "no finite value"),
        (_volume(np.random.default_rng(0).random((1, 64, 64))), "too small"),
        (_volume(np.random.default_rng(0).random((30, 30, 30)), (0.3,) * 3), "too small"),
        (_volume(np.zeros((30, 30, 30, 3), np.uint8)), "colour"),
    ],
)
def test_what_cannot_be_aligned_is_refused_by_name(volume, reason) -> None:
    with pytest.raises(InputError, match="that one") as caught:
        prepare(volume)
    assert reason in str(caught.value)
