"""What counts as evidence of a scanner: headers and unmistakable words, never a pair of letters."""

from __future__ import annotations

import pytest
from WDualMineLib.volumes.modality import header_modality, known_modality, named_modality


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("pt01", ""),
        ("pt01_t1w", "MR"),
        ("pt01_fdg", "PT"),
        ("PT_nm_ct", ""),
        ("nm", ""),
        ("ct", ""),
        ("act", ""),
        ("carpet", ""),
        ("patient-PET", "PT"),
        ("sub-07_ses-1_trc-18FFDG_pet", "PT"),
        ("sub-07_pet_desc-ref_T1w", "MR"),
        ("sub-07_ct", "CT"),
        ("study_ct", ""),
        ("PET_to_MRI", "MR"),
        ("pet_mri_registered", ""),
        ("SPECT.stripped", "NM"),
        ("뇌", ""),
        ("", ""),
    ],
)
def test_names(name, modality):
    assert named_modality(name) == modality


def test_headers():
    assert known_modality(" pet ") == "PT"
    assert header_modality({"Modality": "MET_MOD_MR"}) == "MR"
    assert header_modality({"modality": "CT"}) == "CT"
    assert header_modality({"Modality": "MET_MOD_UNKNOWN"}) == ""
