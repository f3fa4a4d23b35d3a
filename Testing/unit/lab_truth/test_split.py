"""What training must not read, and that what it may read is let through."""

from __future__ import annotations

import pytest
from WDualMineLib.lab import split
from WDualMineLib.lab.training.dataset import VALIDATION_CASES


@pytest.mark.parametrize(
    "path",
    [
        "sts/STS_001/CT_image.nii.gz",
        "/data/volumes/sts/STS_032/PET_image.nii.gz",
        "sts/STS_018",
        "niivue/MR_Gd.nii.gz",
        "niivue/T2w.nii.gz",
        "spm12/OldNorm_PET.nii",
        "ichseg/scct_unsmooth_SS_0.01.nii.gz",
        "/somewhere/volumes/clinical/scct.nii",
    ],
)
def test_held_out(path: str) -> None:
    assert split.is_held_out(path)


@pytest.mark.parametrize(
    "path",
    [
        "sts/STS_003/CT_image.nii.gz",
        "/data/volumes/sts/STS_031/PET_image.nii.gz",
        "niivue/chris_t1.nii.gz",
        "niivue/CT_AVM.nii.gz",
        "volumes",
    ],
)
def test_open_to_training(path: str) -> None:
    assert not split.is_held_out(path)


def test_a_third_of_the_patients_and_every_modality_pair_is_held_out() -> None:
    assert len(set(split.STS_PATIENTS)) == 6
    assert split.HARVARD_CASES is VALIDATION_CASES
    assert set(split.HARVARD_CASES) == {"CT-MRI", "PET-MRI", "SPECT-MRI"}
