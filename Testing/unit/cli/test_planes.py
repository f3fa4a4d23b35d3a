"""Pictures in patient space: right way up and to scale, whatever the grid's own axes."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation
from WDualMineLib.casereport.patient_planes import centre_of_mass, planes_through
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.resampling import sample, to_image
from WDualMineLib.volumes.volume import Volume

UPRIGHT = np.eye(3)
SHEAR = np.array([[1.0, 0.0, 0.2], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
DIRECTIONS = {
    "upright": UPRIGHT,
    "flipped": np.diag([-1.0, 1.0, -1.0]),
    "sagittal slices": np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]),
    "oblique": Rotation.from_euler("zyx", (12, 20, -9), degrees=True).as_matrix(),
    "sheared": SHEAR / np.linalg.norm(SHEAR, axis=0),
}


def grid(direction: np.ndarray, size=(60, 50, 40), spacing=(1.0, 1.2, 1.5)) -> Geometry:
    """A grid centred on the patient's origin."""
    offset = (direction * spacing) @ ((np.array(size) - 1) / 2)
    return Geometry(size, spacing, tuple((-offset).tolist()), tuple(direction.ravel().tolist()))


def ball(geometry: Geometry, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    k, j, i = np.indices(geometry.array_shape)
    points = geometry.ijk_to_lps @ np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1)
    distance = np.linalg.norm(points[:3].T - centre, axis=1)
    return (distance < radius).reshape(geometry.array_shape)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_ball_is_where_the_letters_say(name):
    geometry = grid(DIRECTIONS[name])
    # Left, anterior and superior of the origin; LPS.
    centre, radius = (9.0, -8.0, 7.0), 5.0
    volume = Volume(ball(geometry, centre, radius).astype(np.float32), geometry)
    planes = planes_through(geometry, np.array(centre))
    assert [plane.name for plane in planes] == ["axial", "coronal", "sagittal"]
    assert [plane.edges for plane in planes] == [tuple("RLAP"), tuple("RLSI"), tuple("APSI")]
    for plane in planes:
        picture = np.nan_to_num(plane.cut(volume))
        assert picture.shape == plane.geometry.size[1::-1]
        spacing = plane.geometry.spacing[0]
        assert plane.geometry.spacing[1] == spacing
        area = picture.sum() * spacing**2
        assert area == pytest.approx(np.pi * radius**2, rel=0.1)
        rows, columns = np.nonzero(picture > 0.5)
        start = np.array(plane.geometry.origin)
        axes = plane.geometry.direction_matrix
        found = start + spacing * (columns.mean() * axes[:, 0] + rows.mean() * axes[:, 1])
        np.testing.assert_allclose(found, centre, atol=0.5)
        # Right of the picture is left of the patient, or posterior; up is anterior, or superior.
        across = {"axial": 0, "coronal": 0, "sagittal": 1}[plane.name]
        assert axes[across, 0] == 1
        assert axes[1 if plane.name == "axial" else 2, 1] == (1 if plane.name == "axial" else -1)


def test_positions_are_named_by_side():
    planes = planes_through(grid(UPRIGHT), np.array([-3.0, 4.0, 5.0]))
    assert [plane.position for plane in planes] == ["S 5.0 mm", "P 4.0 mm", "R 3.0 mm"]


def test_upright_pixels_are_voxels():
    geometry = grid(UPRIGHT, size=(30, 20, 10), spacing=(2.0, 2.0, 2.0))
    array = np.random.default_rng(0).random(geometry.array_shape, dtype=np.float32)
    point = (geometry.ijk_to_lps @ [11, 7, 3, 1])[:3]
    axial, coronal, sagittal = (
        plane.cut(Volume(array, geometry)) for plane in planes_through(geometry, point)
    )
    np.testing.assert_allclose(axial, array[3], atol=1e-6)
    np.testing.assert_allclose(coronal, array[::-1, 7], atol=1e-6)
    np.testing.assert_allclose(sagittal, array[::-1, :, 11], atol=1e-6)


@pytest.mark.parametrize(
    "size,names", [((60, 50, 1), ["axial"]), ((1, 50, 60), ["sagittal"]), ((1, 1, 1), None)]
)
def test_a_single_slice_is_shown_once(size, names):
    geometry = grid(UPRIGHT, size=size, spacing=(1.0, 1.0, 1.0))
    planes = planes_through(geometry, np.zeros(3))
    assert names is None or [plane.name for plane in planes] == names
    picture = planes[0].cut(Volume(np.ones(geometry.array_shape, "f4"), geometry))
    assert (picture == 1).all()


def test_outside_is_told_from_zero():
    geometry = grid(DIRECTIONS["oblique"])
    volume = Volume(np.zeros(geometry.array_shape, np.float32), geometry)
    picture = planes_through(geometry, np.zeros(3))[0].cut(volume)
    assert np.isnan(picture[0, 0]) and picture[picture.shape[0] // 2, picture.shape[1] // 2] == 0


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("point", [(0.0, 0.0, 0.0), (20.0, -21.0, 25.0)])
def test_what_lies_around_a_plane_is_all_that_it_shows(direction, point):
    geometry = grid(direction)
    array = np.random.default_rng(1).random(geometry.array_shape, dtype=np.float32)
    volume = Volume(array, geometry)

    for plane in planes_through(geometry, np.array(point)):
        whole = sample(to_image(volume), plane.geometry, fill=float("nan"))
        wanted = sitk.GetArrayFromImage(whole)[0]
        found = plane.cut(volume)
        # What lies on the border itself, here a row of pixels, may fall to either side.
        assert (np.isnan(found) != np.isnan(wanted)).mean() < 0.05
        assert np.nanmax(np.abs(found - wanted)) < 1e-5
        if direction is UPRIGHT:
            shown = [len(range(*part.indices(n))) for part, n in
                     zip(plane._near(geometry), array.shape, strict=True)]  # fmt: skip
            assert min(shown) <= 7, "a slab"


def test_centre_of_mass():
    geometry = grid(DIRECTIONS["oblique"])
    centre = (9.0, -8.0, 7.0)
    found = centre_of_mass(geometry, ball(geometry, centre, 6.0))
    np.testing.assert_allclose(found, centre, atol=1.0)
    middle = centre_of_mass(geometry, np.zeros(geometry.array_shape, bool))
    np.testing.assert_allclose(middle, 0, atol=1.0)
