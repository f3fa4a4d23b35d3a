"""Resampling against a reference that knows only matrices."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation
from WDualMineLib.errors import InputError
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.resampling import overlap, resample_to
from WDualMineLib.volumes.volume import Volume


def turn(seed: int = 0) -> np.ndarray:
    """A rotation matrix far from the axes."""
    return Rotation.from_euler(
        "zyx", (25 + 40 * seed, 35 - 50 * seed, 65), degrees=True
    ).as_matrix()


SHEAR = np.array([[1.0, 0.0, 0.2], [0.0, 1.0, 0.4], [0.0, 0.0, 1.0]])
SHEAR = SHEAR / np.linalg.norm(SHEAR, axis=0)
CENTRE = np.array([5.0, 6.0, 7.0])


def grid(size, spacing, centre, direction) -> Geometry:
    offset = (direction * spacing) @ ((np.array(size) - 1) / 2)
    origin = tuple((np.array(centre) - offset).tolist())
    return Geometry(size, spacing, origin, tuple(np.asarray(direction, float).ravel().tolist()))


def reference(moving: Volume, fixed: Geometry, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear interpolation by matrices alone; second, where the sample is well inside."""
    k, j, i = np.indices(fixed.array_shape)
    points = fixed.ijk_to_lps @ np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1)
    index = (np.linalg.inv(moving.geometry.ijk_to_lps) @ matrix @ points)[2::-1]
    limits = np.array(moving.array.shape)[:, None] - 1
    inside = ((index >= 0) & (index <= limits)).all(axis=0)
    values = map_coordinates(moving.array.astype(float), index, order=1, mode="nearest")
    return values.reshape(fixed.array_shape), inside.reshape(fixed.array_shape)


@pytest.mark.parametrize(
    "fixed_direction,moving_direction",
    [
        (np.eye(3), np.eye(3)),
        (turn(1), turn(2) * [1, 1, -1]),
        (turn(1) @ SHEAR, np.eye(3)),
        (np.eye(3), SHEAR),
        (SHEAR, turn(3) @ SHEAR),
    ],
)
@pytest.mark.parametrize("shift", [None, (1.0, -2.0, 1.5)])
def test_agrees_with_matrices(fixed_direction, moving_direction, shift):
    moving = Volume(
        np.random.default_rng(0).random((9, 11, 13), dtype=np.float32),
        grid((13, 11, 9), (1.5, 2.0, 3.0), CENTRE, moving_direction),
    )
    fixed = grid((10, 12, 8), (2.0, 1.2, 2.2), (4, 7, 7), fixed_direction)
    matrix, transform = np.eye(4), None
    if shift:
        rotated = turn(5)
        matrix[:3, :3], matrix[:3, 3] = rotated, CENTRE - rotated @ CENTRE + shift
        transform = sitk.AffineTransform(rotated.ravel().tolist(), shift, CENTRE.tolist())
    expected, inside = reference(moving, fixed, matrix)
    result = resample_to(moving, fixed, transform, fill=-1)
    assert result.geometry == fixed
    assert inside.sum() > 50
    np.testing.assert_allclose(result.array[inside], expected[inside], atol=1e-5)
    assert (result.array[~inside] <= 1).all()


def test_same_grid_is_left_alone():
    geometry = grid((4, 5, 6), (1.1, 1.2, 1.3), (0, 0, 0), turn())
    moving = Volume(np.random.default_rng(0).random(geometry.array_shape), geometry)
    assert resample_to(moving, geometry) is moving


def test_outside_is_the_least_finite_value():
    geometry = grid((6, 6, 6), (1, 1, 1), (0, 0, 0), np.eye(3))
    array = np.full(geometry.array_shape, 40, np.float32)
    array[0, 0, 0], array[0, 0, 1], array[5, 5, 5] = -np.inf, np.nan, -1024
    result = resample_to(Volume(array, geometry), grid((6, 6, 6), (1, 1, 1), (3, 0, 0), np.eye(3)))
    assert (result.array[:, :, 3:] == -1024).all()


def test_one_slice_and_name_and_attributes_pass():
    geometry = grid((6, 6, 1), (1, 1, 4), (0, 0, 0), np.eye(3))
    moving = Volume(np.ones(geometry.array_shape, np.float32), geometry, "PET", "PT", {"a": "b"})
    result = resample_to(moving, grid((4, 4, 3), (1, 1, 1), (0, 0, 0), np.eye(3)))
    assert (result.array == 1).all()
    assert (result.name, result.modality, result.attributes) == ("PET", "PT", {"a": "b"})


@pytest.mark.parametrize("shift,expected", [(0, 1.0), (5, 0.5), (10, 0.0), (-9, 0.1)])
def test_overlap_is_the_fraction_of_the_fixed_grid(shift, expected):
    fixed = grid((10, 10, 10), (1, 1, 1), (0, 0, 0), np.eye(3))
    moving = grid((5, 5, 5), (2, 2, 2), (shift, 0, 0), np.eye(3))
    assert overlap(fixed, moving) == pytest.approx(expected)
    back = sitk.TranslationTransform(3, (shift, 0, 0))
    assert overlap(fixed, moving, back) == pytest.approx(1.0)


def test_overlap_of_large_grids_is_near_the_truth():
    fixed = grid((301, 3, 3), (0.5, 9, 9), (0, 0, 0), turn())
    along_i = tuple((turn() @ [100 * 0.5, 0, 0]).tolist())
    moving = grid((301, 3, 3), (0.5, 9, 9), along_i, turn())
    assert overlap(fixed, moving) == pytest.approx(201 / 301, abs=0.01)


def test_no_overlap_is_refused_by_name():
    fixed = grid((5, 5, 5), (1, 1, 1), (0, 0, 0), np.eye(3))
    far = grid((5, 5, 5), (1, 1, 1), (500, 0, 0), np.eye(3))
    moving = Volume(np.ones(far.array_shape, np.float32), far, "pet of another day")
    with pytest.raises(InputError, match=r"pet of another day does not overlap.*Register"):
        resample_to(moving, fixed)
