"""dciodvfy, the checker of Debian's dicom3tools, on everything that is written: no errors, and
only the warnings that docs/dicom.md explains."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.dicom.context import Patient, SeriesContext
from WDualMineLib.dicom.export import ExportOptions, ResultVolumes, export_result
from WDualMineLib.dicom.read import read_series
from WDualMineLib.pipeline.parts import MAPS
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.volume import Volume

# Every usable series of the shared data. Slices do not differ in what is checked, so of long series
# only the first four are exported.
SERIES = (
    "ct_head_ge_gantrytilt",
    "d2n_failing/gantrytilting/001",
    "d2n_failing/slicecount/001",
    "d2n_ge_anatomical_001",
    "d2n_hitachi_anatomical_001",
    "d2n_hyperfine_anatomical_001",
    "d2n_philips_anatomical_001",
    "d2n_philips_enhanced_anatomical_001",
    "d2n_siemens_anatomical_001",
    "sts_008_ct_pt_mr/CT",
    "sts_008_ct_pt_mr/MR_T1",
    "sts_008_ct_pt_mr/PET",
    "pydicom_small/CT_small.dcm",
    "pydicom_small/MR_small.dcm",
    "pydicom_small/eCT_Supplemental.dcm",
)

EXPLAINED = {
    # Ours: a code and a quantity that the standard has no term for, in a scheme of our own.
    r"CodingSchemeDesignator.*Unrecognized defined term = <99WDUALMINE>",
    # The checker's list is older than the standard's.
    r"(ImageType|FrameType).*Unrecognized defined term = <QUANTITY>",
    r"RescaleType.*Unrecognized defined term = <US>",
    # Secondary captures with a place in the patient: a standard extended SOP class.
    r"/(FrameOfReferenceUID|PositionReferenceIndicator|ImagePositionPatient|"
    r"ImageOrientationPatient|SliceLocation|SliceThickness).*not present in standard DICOM IOD",
    # The sources do not say it, and we do not make it up.
    r"Laterality.*only permitted to be empty when actually unknown",
    r"(PatientName|ContentCreatorName).*Retired Person Name form",
    r"/(StudyDate|StudyTime|StudyID|PatientID)\(.*would be needed to build DICOMDIR",
}


def check(dciodvfy, files: list[Path]) -> None:
    by_folder: dict[Path, list[Path]] = {}
    for path in files:
        by_folder.setdefault(path.parent, []).append(path)
    for paths in by_folder.values():
        some = paths if paths[0].parent.name == "maps" else [paths[i] for i in _picked(len(paths))]
        for path in some:
            for line in dciodvfy(path):
                assert not line.startswith("Error"), f"{path}: {line}"
                assert any(re.search(known, line) for known in EXPLAINED), f"{path}: {line}"


def _first_slices(context: SeriesContext, count: int = 4) -> SeriesContext:
    i, j, k = context.geometry.size
    few = replace(context.geometry, size=(i, j, min(k, count)))
    return replace(context, geometry=few)


def _picked(count: int) -> list[int]:
    return sorted({0, count // 2, count - 1})


def _small(geometry: Geometry) -> ResultVolumes:
    """Zeros: the checker looks at no pixel, and compressing none takes no time."""
    zeros = np.zeros(geometry.array_shape, dtype=np.float32)
    colour = np.zeros((*geometry.array_shape, 3), dtype=np.uint8)
    transform = sitk.Euler3DTransform()
    transform.SetTranslation((1.5, 0.0, -2.0))
    return ResultVolumes(
        Volume(zeros, geometry, "fused"),
        {part.series: Volume(zeros, geometry, part.name) for part in MAPS},
        Volume(colour, geometry, "colour"),
        transform,
    )


@pytest.mark.parametrize("name", SERIES)
def test_from_every_usable_series(dciodvfy, dicom_data: Path, tmp_path: Path, name: str) -> None:
    context = _first_slices(read_series(dicom_data / name).context)
    done = export_result(_small(context.geometry), tmp_path / "out", context, context)
    check(dciodvfy, done.files)


@pytest.mark.parametrize("anonymise", [False, True])
@pytest.mark.parametrize("kind", ["CT", "MR"])
def test_from_files_without_dicom(dciodvfy, tmp_path: Path, kind: str, anonymise: bool) -> None:
    turned = Geometry((7, 5, 3), (1, 1, 2), (3, 2, 1), (0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1))
    options = ExportOptions(kind=kind, anonymise=anonymise)
    done = export_result(_small(turned), tmp_path / "out", options=options)
    check(dciodvfy, done.files)


@pytest.mark.parametrize("name", ["spm12/OldNorm_PET.nii", "niivue/CT_pitch.nii.gz"])
def test_from_nifti(dciodvfy, dicom_data: Path, tmp_path: Path, name: str) -> None:
    """LAS, and oblique."""
    whole = read_volume(dicom_data.parent / "volumes" / name).geometry
    i, j, k = whole.size
    grid = replace(whole, size=(min(i, 64), min(j, 64), min(k, 3)))
    patient = Patient("0815", "Doe^Jane", "19700101", "F")
    done = export_result(_small(grid), tmp_path / "out", options=ExportOptions(patient))
    check(dciodvfy, done.files)


@pytest.mark.parametrize("name", ["d2n_ge_anatomical_001", "pydicom_small/CT_small.dcm"])
def test_anonymised(dciodvfy, dicom_data: Path, tmp_path: Path, name: str) -> None:
    context = _first_slices(read_series(dicom_data / name).context)
    options = ExportOptions(anonymise=True)
    done = export_result(_small(context.geometry), tmp_path / "out", context, context, options)
    check(dciodvfy, done.files)


def test_two_series_of_one_patient(dciodvfy, dicom_data: Path, tmp_path: Path) -> None:
    patient = dicom_data / "sts_008_ct_pt_mr"
    fixed = _first_slices(read_series(patient / "PET").context)
    moving = read_series(patient / "MR_T1").context
    done = export_result(_small(fixed.geometry), tmp_path / "out", fixed, moving)
    check(dciodvfy, done.files)
    assert any(path.parent.name == "registration" for path in done.files)


def test_synthetic_pair_with_everything(dciodvfy, contexts, make_result, tmp_path: Path) -> None:
    fixed, moving = contexts(StudyInstanceUID="1.2.826.0.1.3680043.8.498.77")
    done = export_result(make_result(fixed.geometry), tmp_path / "out", fixed, moving)
    check(dciodvfy, done.files)
