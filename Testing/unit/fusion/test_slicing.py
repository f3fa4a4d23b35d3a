"""Slices: anatomical axes from the direction matrix, one orientation, exact way back."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from WDualMineLib.fusion.slices import AXES, Slicing, slicings

# Every way to store a volume along the patient's axes, left-handed ones included.
STORAGE = [
    np.eye(3)[list(order)].T * signs
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


def rotation(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [k for k in range(3) if k != axis]
    matrix = np.eye(3)
    matrix[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
    return matrix


def positions(geometry) -> np.ndarray:
    """(K, J, I, 3) LPS mm of every voxel."""
    k, j, i = np.indices(geometry.array_shape)
    ijk = np.stack([i, j, k, np.ones_like(i)], axis=-1)
    return (ijk @ geometry.ijk_to_lps.T)[..., :3]


@pytest.mark.parametrize("direction", STORAGE)
def test_slices_have_one_orientation_however_they_are_stored(direction, make_geometry):
    geometry = make_geometry((3, 4, 5), direction, spacing=(1.0, 1.0, 1.0))
    lps = positions(geometry)
    # For each axis: which LPS coordinate grows, down, rightwards and from slice to slice.
    for axis, (across, down, along) in {
        "axial": ((2, 1), (1, 1), (0, 1)),
        "coronal": ((1, 1), (2, -1), (0, 1)),
        "sagittal": ((0, 1), (2, -1), (1, 1)),
    }.items():
        stack = Slicing.of(geometry, axis).stack(lps)
        for step, (coordinate, sense) in zip(
            (np.diff(stack, axis=k) for k in range(3)), (across, down, along), strict=True
        ):
            wanted = np.zeros(3)
            wanted[coordinate] = sense
            assert np.allclose(step, wanted)


@pytest.mark.parametrize("degrees", [0, 16.5, 38.7, 44, -44])
@pytest.mark.parametrize("about", [0, 1, 2])
def test_oblique_volumes_are_cut_along_the_nearest_axis(about, degrees, make_geometry):
    geometry = make_geometry(direction=rotation(about, degrees))
    assert Slicing.of(geometry, "axial").permutation == (0, 1, 2)
    assert Slicing.of(geometry, "coronal").permutation == (1, 0, 2)
    assert Slicing.of(geometry, "sagittal").permutation == (2, 0, 1)


def test_past_45_degrees_another_axis_is_nearer(make_geometry):
    geometry = make_geometry(direction=rotation(0, 50))
    assert Slicing.of(geometry, "axial").permutation[0] == 1


def test_three_axes_stay_three_even_where_two_are_in_doubt(make_geometry):
    doubly_oblique = rotation(0, 45) @ rotation(1, 45) @ rotation(2, 45)
    for direction in (rotation(0, 45), doubly_oblique):
        geometry = make_geometry(direction=direction)
        crossed = {s.permutation[0] for s in slicings(geometry, "three-plane")}
        assert crossed == {0, 1, 2}


def test_a_sheared_volume_is_cut_as_if_upright(make_geometry):
    sheared = np.eye(3)
    sheared[1, 2] = np.tan(np.radians(18.5))
    assert Slicing.of(make_geometry(direction=sheared), "axial").permutation == (0, 1, 2)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("direction", STORAGE[::5])
def test_slices_go_back_exactly(axis, direction, make_geometry):
    geometry = make_geometry((3, 4, 5), direction)
    slicing = Slicing.of(geometry, axis)
    array = np.random.default_rng(0).random(geometry.array_shape)
    put_back = np.zeros_like(array)
    stack = slicing.stack(put_back)
    for number, image in enumerate(slicing.stack(array)):
        stack[number] = image
    assert np.array_equal(put_back, array)


def test_colour_volumes_keep_their_channels_last(make_geometry):
    geometry = make_geometry((3, 4, 5))
    assert Slicing.of(geometry, "sagittal").stack(np.zeros((3, 4, 5, 3))).shape == (5, 3, 4, 3)


def test_three_plane_is_all_axes_axial_first(make_geometry):
    assert tuple(s.axis for s in slicings(make_geometry(), "three-plane")) == AXES
    assert [s.axis for s in slicings(make_geometry(), "coronal")] == ["coronal"]
