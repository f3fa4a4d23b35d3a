"""Transforms: read, checked, written, and the same points either way."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.errors import InputError, OutputError
from WDualMineLib.registration.transforms import (
    affine_transform,
    largest_displacement,
    matrix_of,
    read_transform,
    rigid_transform,
    simplified,
    write_transform,
)

POINT = (12.0, -34.0, 56.0)


def _rigid() -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetCenter((10.0, 20.0, -30.0))
    transform.SetRotation(0.2, -0.1, 0.3)
    transform.SetTranslation((5.0, -6.0, 7.0))
    return transform


def _displacement() -> sitk.Transform:
    return sitk.DisplacementFieldTransform(sitk.Image([8, 8, 8], sitk.sitkVectorFloat64, 3))


@pytest.mark.parametrize("suffix", [".tfm", ".h5", ".txt"])
@pytest.mark.parametrize(
    "transform",
    [
        _rigid(),
        sitk.TranslationTransform(3, (1.0, 2.0, 3.0)),
        sitk.VersorRigid3DTransform((0.0, 0.6, 0.0, 0.8), (1.0, 2.0, 3.0)),
        sitk.AffineTransform([1.1, 0.1, 0, 0, 0.9, 0, 0, 0.05, 1], [1, 2, 3], [4, 5, 6]),
        sitk.CompositeTransform([_rigid(), sitk.ScaleTransform(3, (1.1, 1.0, 0.9))]),
    ],
    ids=lambda transform: transform.GetName(),
)
def test_a_linear_transform_comes_back_as_one(tmp_path, transform, suffix) -> None:
    path = tmp_path / f"transform{suffix}"
    sitk.WriteTransform(transform, str(path))
    read = read_transform(path)
    assert read.GetName() in ("Euler3DTransform", "AffineTransform")
    np.testing.assert_allclose(read.TransformPoint(POINT), transform.TransformPoint(POINT))


def test_written_and_read_again(tmp_path) -> None:
    write_transform(_rigid(), tmp_path / "a.tfm")
    assert [p.name for p in tmp_path.iterdir()] == ["a.tfm"]
    read = read_transform(tmp_path / "a.tfm")
    np.testing.assert_allclose(read.TransformPoint(POINT), _rigid().TransformPoint(POINT))
    with pytest.raises(OutputError):
        write_transform(_rigid(), tmp_path / "nowhere" / "a.tfm")


@pytest.mark.parametrize(
    ("transform", "reason"),
    [
        (sitk.BSplineTransform(3), "not linear"),
        (_displacement(), "not linear"),
        (sitk.CompositeTransform([_rigid(), sitk.BSplineTransform(3)]), "not linear"),
        (sitk.Euler2DTransform(), "2-D"),
        (sitk.ScaleTransform(3, (-1.0, 1.0, 1.0)), "mirrors"),
        (sitk.ScaleTransform(3, (1e-3, 1e-3, 1e-3)), "singular"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.GetName(),
)
def test_a_transform_of_the_wrong_kind_is_refused(tmp_path, transform, reason) -> None:
    path = tmp_path / "wrong.h5"
    sitk.WriteTransform(transform, str(path))
    with pytest.raises(InputError, match=r"wrong\.h5") as caught:
        read_transform(path)
    assert reason in str(caught.value)


def test_a_file_that_is_no_transform_is_refused(tmp_path) -> None:
    (tmp_path / "notes.tfm").write_text("not a transform")
    (tmp_path / "image.nrrd").write_bytes(b"NRRD0004")
    for name in ("notes.tfm", "image.nrrd", "absent.tfm"):
        with pytest.raises(InputError, match=name):
            read_transform(tmp_path / name)


@pytest.mark.parametrize("make", [rigid_transform, affine_transform])
def test_a_matrix_keeps_its_points_whatever_the_centre(make) -> None:
    matrix = matrix_of(_rigid())
    for centre in (np.zeros(3), np.array([100.0, -50.0, 25.0])):
        np.testing.assert_allclose(matrix_of(make(matrix, centre)), matrix, atol=1e-9)


def test_simplified_tells_rigid_from_affine() -> None:
    assert simplified(_rigid()).GetName() == "Euler3DTransform"
    assert simplified(sitk.ScaleTransform(3, (1.01, 1, 1))).GetName() == "AffineTransform"


def test_the_largest_displacement_is_in_millimetres() -> None:
    moved = np.eye(4)
    moved[:3, 3] = 3.0, 4.0, 0.0
    points = np.random.default_rng(0).uniform(-80, 80, (10, 3))
    assert largest_displacement(moved, np.eye(4), points) == pytest.approx(5.0)
