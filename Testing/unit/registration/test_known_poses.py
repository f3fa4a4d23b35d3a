"""Registration of a head made by hand under poses that are known."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from WDualMineLib.cli.main import main
from WDualMineLib.errors import InputError, RegistrationFailed
from WDualMineLib.registration.api import register, register_steps
from WDualMineLib.registration.registration_result import Verdict
from WDualMineLib.registration.registration_settings import RegistrationSettings
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.resampling import resample_to
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

SIDE = 56


def head(seed: int = 0) -> Volume:
    """An egg with a skull, two ventricles off the middle and a smooth texture; 3 mm voxels."""
    k, j, i = (np.indices((SIDE,) * 3) - (SIDE - 1) / 2) / (SIDE / 2)
    egg = (i / 0.68) ** 2 + (j / (0.85 - 0.1 * k)) ** 2 + (k / 0.75) ** 2
    texture = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(egg.shape), 2.5)
    array = np.where(egg < 1, 60 + 12 * texture / texture.std(), 0)
    array[(egg > 0.82) & (egg < 1)] = 130
    for side, height in ((0.2, 0.1), (-0.25, 0.0)):
        array[((i - side) / 0.1) ** 2 + (j / 0.35) ** 2 + ((k - height) / 0.15) ** 2 < 1] = 20
    geometry = Geometry((SIDE,) * 3, (3.0,) * 3, (-84.0, -80.0, -70.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return Volume(array.astype(np.float32), geometry, "head")


def moved(volume: Volume, pose: sitk.Transform) -> Volume:
    """The volume as another scanner sees it, displaced: a point p of the head lies at pose(p)."""
    contrast = volume.with_array(1000 - 4 * np.abs(volume.array - 70), "other")
    contrast.array[volume.array == 0] = 0
    return resample_to(contrast, volume.geometry, pose.GetInverse(), fill=0.0)


def pose(degrees: float, millimetres: float) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetCenter((0.0, 0.0, 10.0))
    transform.SetRotation(*np.radians(degrees * np.array([0.6, -0.5, 0.9])))
    transform.SetTranslation(tuple(millimetres * np.array([1.0, -0.7, 0.5])))
    return transform


def error(result, truth: sitk.Transform) -> float:
    """Largest target registration error in mm over the corners of a box of 12 cm."""
    corners = np.stack(np.meshgrid(*[(-60.0, 60.0)] * 3), -1).reshape(-1, 3)
    return max(
        np.linalg.norm(np.subtract(result.transform.TransformPoint(p), truth.TransformPoint(p)))
        for p in corners.tolist()
    )


@pytest.mark.parametrize(("degrees", "millimetres"), [(0, 0), (8, 10), (15, 18)])
def test_a_known_pose_is_found(degrees, millimetres):
    truth = pose(degrees, millimetres)
    fixed = head()

    result = register(fixed, moved(fixed, truth))

    assert error(result, truth) < 1.5
    assert result.verdict is Verdict.GOOD, result.reasons
    assert result.mi_after >= result.mi_before - 0.05
    assert result.resampled.geometry == fixed.geometry


def test_what_has_nothing_in_common_is_not_called_good():
    fixed = head()
    noise = np.random.default_rng(1).random(fixed.array.shape, dtype=np.float32)

    result = register(fixed, Volume(noise, fixed.geometry, "noise"))

    assert result.verdict is not Verdict.GOOD
    assert result.reasons
    if result.verdict is Verdict.FAILED:
        with pytest.raises(RegistrationFailed, match="noise could not be aligned"):
            result.require_usable()


def test_a_constant_volume_is_refused():
    fixed = head()

    with pytest.raises(InputError, match="flat"):
        register(fixed, Volume(np.ones_like(fixed.array), fixed.geometry, "flat"))


def test_closing_stops_the_work():
    fixed = head()
    steps = register_steps(fixed, moved(fixed, pose(8, 10)))
    progress = next(steps)

    steps.close()

    assert 0 <= progress.fraction <= 1
    with pytest.raises(StopIteration):
        next(steps)


def test_no_registration_keeps_the_positions():
    fixed = head()

    result = register(fixed, moved(fixed, pose(0, 0)), RegistrationSettings(kind="none"))

    assert error(result, sitk.Euler3DTransform()) == 0


def test_command_writes_transform_picture_and_report(tmp_path, capsys):
    fixed, truth = head(), pose(8, 10)
    write_volume(fixed, tmp_path / "fixed.nrrd")
    write_volume(moved(fixed, truth), tmp_path / "moving.nrrd")
    out = tmp_path / "out"

    code = main(
        ["register", str(tmp_path / "fixed.nrrd"), str(tmp_path / "moving.nrrd"), "-o", str(out)]
    )

    assert code == 0
    assert {p.name for p in out.iterdir()} == {
        "moving_registered.nrrd",
        "transform.tfm",
        "report.json",
        "overview.png",
    }
    found = sitk.ReadTransform(str(out / "transform.tfm"))
    for point in ((50.0, 40.0, -30.0), (-50.0, -60.0, 40.0)):
        gap = np.subtract(found.TransformPoint(point), truth.TransformPoint(point))
        assert np.linalg.norm(gap) < 1.5
    assert "alignment is good" in capsys.readouterr().out
