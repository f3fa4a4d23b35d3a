"""Transform files that ITK would read in part, or in other axes than they are in."""

from __future__ import annotations

import os

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.errors import InputError
from WDualMineLib.registration.transforms import matrix_of, read_transform

SHIFT = sitk.TranslationTransform(3, (1.0, 2.0, 3.0))
TURN = sitk.Euler3DTransform((0, 0, 0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0))


def _text(*transforms: str) -> str:
    parts = "".join(f"#Transform {n}\n{t}" for n, t in enumerate(transforms))
    return f"#Insight Transform File V1.0\n{parts}"


ONE = (
    "Transform: AffineTransform_double_3_3\n"
    "Parameters: 1 0 0 0 1 0 0 0 1 7 8 9\nFixedParameters: 0 0 0\n"
)


@pytest.mark.parametrize("suffix", ["tfm", "h5", "txt"])
def test_the_parts_of_a_composite_are_composed(tmp_path, suffix):
    both = sitk.CompositeTransform([SHIFT, TURN])
    path = tmp_path / f"both.{suffix}"
    sitk.WriteTransform(both, str(path))
    point = (10.0, -20.0, 30.0)
    assert read_transform(path).TransformPoint(point) == pytest.approx(both.TransformPoint(point))


@pytest.mark.parametrize("count", [2, 3])
def test_several_one_after_another_are_refused(tmp_path, count):
    path = tmp_path / "several.tfm"
    path.write_text(_text(*[ONE] * count))
    with pytest.raises(InputError, match=f"holds {count} transforms"):
        read_transform(path)
    path.write_text(_text(ONE))
    assert np.allclose(matrix_of(read_transform(path))[:3, 3], (7, 8, 9))


def test_a_composite_that_lost_its_parts_is_refused(tmp_path):
    sitk.WriteTransform(sitk.CompositeTransform([SHIFT, TURN]), str(tmp_path / "both.mat"))
    with pytest.raises(InputError, match="without its parts"):
        read_transform(tmp_path / "both.mat")


@pytest.mark.parametrize("name", ["a.xfm", "a.tfm"])
def test_the_axes_of_mni_are_refused(tmp_path, name):
    rows = "1 0 0 5\n0 1 0 0\n0 0 1 0;\n"
    (tmp_path / name).write_text(
        f"MNI Transform File\nTransform_Type = Linear;\nLinear_Transform =\n{rows}"
    )
    with pytest.raises(InputError, match="MNI"):
        read_transform(tmp_path / name)


def test_no_file_at_all(tmp_path):
    with pytest.raises(InputError, match="folder"):
        read_transform(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_transform(tmp_path / "none.tfm")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.tfm")
        with pytest.raises(InputError, match="a pipe"):
            read_transform(tmp_path / "pipe.tfm")
