"""The phantom's exact pose is found on any grid, from afar, the same on every run."""

from __future__ import annotations

import numpy as np
import phantom
import pytest
from WDualMineLib.errors import RegistrationFailed
from WDualMineLib.lab.registration_trials.impostors import IMPOSTORS
from WDualMineLib.registration.api import register
from WDualMineLib.registration.poses import about, rotation
from WDualMineLib.registration.registration_result import Verdict
from WDualMineLib.registration.registration_settings import RegistrationSettings
from WDualMineLib.registration.transforms import affine_transform, matrix_of, rigid_transform

CORNERS = np.array([[x, y, z] for x in (-60, 60) for y in (-80, 80) for z in (-70, 70)], float)


def error_mm(result, pose: np.ndarray) -> float:
    """The largest error at the corners of the head's box."""
    wrong = matrix_of(result.transform) - pose
    return float(np.linalg.norm(CORNERS @ wrong[:3, :3].T + wrong[:3, 3], axis=1).max())


@pytest.mark.parametrize(
    ("fixed", "moving"),
    [
        (phantom.grid(), phantom.grid((1.5, 1.5, 5.0))),
        (phantom.grid(), phantom.grid((2.0, 3.0, 4.0), phantom.OBLIQUE)),
        (phantom.grid(), phantom.grid((2.0, 2.0, 5.0), phantom.TILTED)),
        (phantom.grid((2.0, 2.0, 4.0), phantom.TILTED), phantom.grid()),
        (phantom.grid(extent=(190.0, 240.0, 100.0), centre=(0.0, 0.0, 30.0)), phantom.grid()),
    ],
    ids=["thick slices", "oblique", "tilted moving", "tilted fixed", "part of the head"],
)
def test_the_pose_is_found_on_any_grid(fixed, moving, pose) -> None:
    result = register(phantom.scan("MR", fixed), phantom.scan("CT", moving, pose))
    assert error_mm(result, pose) < 1.0
    assert result.verdict is Verdict.GOOD, result.reasons
    assert result.resampled.geometry == fixed
    assert result.mi_after > result.mi_before
    assert result.overlap > 0.9


def test_the_pose_is_found_from_afar(mr) -> None:
    far = about(rotation(np.radians([40, -35, 42])), np.zeros(3), np.array([55.0, -58.0, 60.0]))
    scanned = phantom.scan("CT", phantom.grid(extent=(330.0,) * 3, centre=(55, -58, 60)), far)
    result = register(mr, scanned)
    assert error_mm(result, far) < 1.0
    assert result.verdict is Verdict.GOOD, result.reasons


def test_equal_seeds_give_equal_transforms_with_any_number_of_threads(mr, ct) -> None:
    found = [register(mr, ct, RegistrationSettings(seed=3, threads=n)) for n in (1, 2)]
    parameters = {result.transform.GetParameters() for result in found}
    assert len(parameters) == 1
    other = register(mr, ct, RegistrationSettings(seed=4))
    assert other.transform.GetParameters() not in parameters


def test_the_resampled_volume_lies_on_the_fixed_one(mr, ct) -> None:
    result = register(mr, ct)
    aligned = phantom.scan("CT", mr.geometry)
    inside = mr.array > 300
    before = np.abs(ct.array - aligned.array)[inside].mean()
    after = np.abs(result.resampled.array - aligned.array)[inside].mean()
    assert after < 0.2 * before
    assert result.resampled.array.min() >= ct.array.min()


def test_a_start_is_taken_up(mr, ct, pose) -> None:
    near = rigid_transform(pose @ about(np.eye(3), np.zeros(3), np.full(3, 4.0)), np.zeros(3))
    result = register(mr, ct, RegistrationSettings(initial_transform=near))
    assert error_mm(result, pose) < 1.0
    assert result.mi_before > 0.3  # measured at the start that was given


def test_affine_finds_another_size(mr, pose) -> None:
    larger = pose @ np.diag([1.06, 0.97, 1.03, 1.0])
    scanned = phantom.scan("CT", phantom.grid(), larger)
    rigid = register(mr, scanned)
    affine = register(mr, scanned, RegistrationSettings(kind="affine"))
    assert error_mm(affine, larger) < 1.5 < error_mm(rigid, larger)
    assert affine.transform.GetName() == "AffineTransform"
    assert rigid.verdict is not Verdict.GOOD


def test_none_keeps_a_given_transform_and_judges_it(mr, ct, pose) -> None:
    right = affine_transform(pose, np.zeros(3))
    kept = register(mr, ct, RegistrationSettings(kind="none", initial_transform=right))
    np.testing.assert_allclose(matrix_of(kept.transform), pose, atol=1e-6)
    assert kept.verdict is Verdict.GOOD, kept.reasons
    assert register(mr, ct, RegistrationSettings(kind="none")).verdict is Verdict.DOUBTFUL


def test_none_without_overlap_fails(mr, ct) -> None:
    away = rigid_transform(about(np.eye(3), np.zeros(3), np.full(3, 900.0)), np.zeros(3))
    result = register(mr, ct, RegistrationSettings(kind="none", initial_transform=away))
    assert result.verdict is Verdict.FAILED
    assert "field of view" in result.reasons[0]
    with pytest.raises(RegistrationFailed, match="CT could not be aligned"):
        result.require_usable()


def test_volumes_far_apart_in_space_are_brought_together(mr, ct, pose) -> None:
    away = about(np.eye(3), np.zeros(3), np.array([0.0, 0.0, 1500.0]))
    scanned = phantom.scan("CT", phantom.grid(centre=(0, 0, 1500)), away @ pose)
    assert error_mm(register(mr, scanned), away @ pose) < 1.0


def test_different_body_parts_are_not_called_good(mr, ct) -> None:
    for fixed, moving in ((mr, phantom.limb("CT")), (phantom.limb("MR"), ct)):
        result = register(fixed, moving)
        assert result.verdict is Verdict.FAILED, result.reasons


@pytest.mark.parametrize("kind", IMPOSTORS)
def test_impostors_are_not_called_good(mr, ct, kind) -> None:
    impostor = IMPOSTORS[kind](ct, np.random.default_rng(0))
    result = register(mr, impostor)
    wanted = (Verdict.DOUBTFUL, Verdict.FAILED) if "patient" in kind else (Verdict.FAILED,)
    assert result.verdict in wanted, result.reasons
    if kind == "mirrored":
        assert "mirrored" in result.reasons[0]
