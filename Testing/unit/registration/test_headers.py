"""Real headers that trip others: aligned as they say, or refused with the reason."""

from __future__ import annotations

import json

import numpy as np
import pytest
from shared_data import shared
from WDualMineLib.lab.registration_trials.displacements import USUAL, errors_mm, targets_of
from WDualMineLib.lab.registration_trials.trials import posed
from WDualMineLib.pipeline.sources import read
from WDualMineLib.registration.api import register
from WDualMineLib.registration.registration_result import Verdict
from WDualMineLib.registration.transforms import matrix_of
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.volume import Volume


def _tell_mm(fixed, moving, truth: np.ndarray) -> tuple[float, object]:
    """Median error in mm, and the result."""
    result = register(fixed, moving)
    return float(
        np.median(errors_mm(matrix_of(result.transform), truth, targets_of(fixed)))
    ), result


def _itself(volume, contrast) -> tuple[float, object]:
    """The volume against itself in another contrast at a known pose, on an upright grid."""
    other = volume.with_array(contrast(volume.array), "other")
    truth, displaced = posed(other, USUAL, [7])
    return _tell_mm(volume, displaced, truth)


def _other_contrast(hounsfield: np.ndarray) -> np.ndarray:
    return 1000.0 - np.abs(np.clip(hounsfield, -1000, 1000) - 100.0)


def _thinned(volume: Volume, step: int) -> Volume:
    """Every ``step``-th column and row: enough to align by."""
    array = np.ascontiguousarray(volume.array[:, ::step, ::step])
    i, j, k = volume.geometry.spacing
    spacing = (step * i, step * j, k)
    grid = Geometry(array.shape[::-1], spacing, volume.geometry.origin, volume.geometry.direction)
    return Volume(array, grid, volume.name, volume.modality)


def test_an_oblique_ct_is_aligned_where_its_header_puts_it() -> None:
    volume = read_volume(shared("volumes/niivue/CT_pitch.nii.gz"))
    direction = volume.geometry.direction_matrix
    assert np.abs(direction - np.round(direction)).max() > 0.2  # oblique indeed
    error, result = _itself(volume, _other_contrast)
    assert error < 1.0, result.reasons


def test_a_big_endian_spect_is_aligned_to_its_mr() -> None:
    path = shared("volumes/spm12/OldNorm_SPECT.nii")
    assert int.from_bytes(path.read_bytes()[:4], "big") == 348  # NIfTI's first field
    fixed, moving = read_volume(shared("volumes/spm12/OldNorm_T1.nii")), read_volume(path)
    truth, displaced = posed(moving, USUAL, [3])
    error, result = _tell_mm(fixed, displaced, truth)
    assert error < 3.0, result.reasons
    assert result.verdict is not Verdict.FAILED


def test_disagreeing_qform_and_sform_are_told_and_the_sform_used(command, tmp_path) -> None:
    path = shared("volumes/clinical/gg-flair-181-asym-8mmFWHM.nii")
    volume = read_volume(path)
    assert "qform and the sform" in volume.notes[0]
    fixed = shared("volumes/spm12/canonical_avg152T2.nii")
    outcome = command("register", fixed, path, "-o", tmp_path / "out")
    assert outcome.code in (0, 3)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert any("the sform was used" in note for note in report["notes"])
    assert report["moving"]["geometry"]["origin_lps_mm"] == pytest.approx(volume.geometry.origin)


def test_a_tilted_gantry_is_aligned_with_its_shear() -> None:
    """Reading straightens it; against itself in another contrast, it is found to a millimetre."""
    volume = read(shared("dicom/ct_head_ge_gantrytilt"))
    assert any("gantry was tilted by 18.5 degrees" in note for note in volume.notes)
    error, result = _itself(_thinned(volume, 3), _other_contrast)
    assert error < 1.0, result.reasons


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("d2n_failing/sliceorientation/001", "mixes orientations"),
        ("d2n_failing/sliceincrement/001", "misses slices"),
        ("d2n_failing/notavolume/001", "no single volume"),
        ("sc_rgb_nogeometry_ct_mr/CT", "colour secondary captures"),
    ],
)
def test_series_that_are_no_volume_are_refused_with_the_reason(
    command, save, mr, tmp_path, folder, words
) -> None:
    series = shared("dicom", folder)
    outcome = command("register", save(mr, "head.nrrd"), series, "-o", tmp_path / "out")
    assert outcome.code == 2
    assert words in outcome.err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_ct_and_pet_of_a_thigh_are_aligned_or_flagged() -> None:
    fixed, moving = (
        read_volume(shared(f"volumes/sts/STS_001/{m}_image.nii.gz")) for m in ("CT", "PET")
    )
    truth, displaced = posed(moving, USUAL, [1])
    error, result = _tell_mm(fixed, displaced, truth)
    assert error < 3.0 or result.verdict is not Verdict.GOOD


def test_mr_and_pet_of_one_patient_whose_fields_of_view_differ(pose) -> None:
    """An MR of a slab of the pelvis, the PET beyond it: found within 5 mm or flagged.

    The two are 1 to 2 cm apart as they lie, so that the MR's own truth is not known; what is known
    is how far the PET was moved between two registrations.
    """
    fixed, moving = (
        read_volume(shared(f"volumes/sts/STS_008/{m}_image.nii.gz")) for m in ("MR_T1", "PET")
    )
    before = register(fixed, moving)
    truth, displaced = posed(moving, USUAL, [2])
    after = register(fixed, displaced)
    moved = truth @ matrix_of(before.transform)
    gap = errors_mm(matrix_of(after.transform), moved, targets_of(fixed))
    flagged = Verdict.GOOD not in (before.verdict, after.verdict)
    assert np.median(gap) < 5.0 or flagged
