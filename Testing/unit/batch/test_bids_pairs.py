"""Pairs of a BIDS dataset, by entities."""

from __future__ import annotations

import pytest
from WDualMineLib.batch.bids_derivatives import derivative_name
from WDualMineLib.batch.bids_pairs import pairs_of
from WDualMineLib.errors import InputError
from WDualMineLib.pipeline.parts import FUSED, MAPS


@pytest.fixture
def dataset(tmp_path):
    def dataset(*names: str):
        for name in names:
            path = tmp_path / f"{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return [(row.fixed.split("/")[-1], row.moving.split("/")[-1]) for row in pairs_of(tmp_path)]

    return dataset


def test_pet_and_ct_of_a_session_with_its_t1w(dataset):
    found = dataset(
        "sub-1/ses-a/anat/sub-1_ses-a_T1w",
        "sub-1/ses-a/anat/sub-1_ses-a_T2w",
        "sub-1/ses-a/pet/sub-1_ses-a_trc-FDG_pet",
        "sub-1/ses-a/ct/sub-1_ses-a_ct",
        "sub-1/ses-b/anat/sub-1_ses-b_T1w",
        "derivatives/x/sub-1/anat/sub-1_T1w",
    )
    assert found == [
        ("sub-1_ses-a_T1w.nii.gz", "sub-1_ses-a_trc-FDG_pet.nii.gz"),
        ("sub-1_ses-a_T1w.nii.gz", "sub-1_ses-a_ct.nii.gz"),
    ]


def test_anatomy_of_another_session_where_its_own_has_none(dataset):
    found = dataset("sub-1/ses-a/anat/sub-1_ses-a_T1w", "sub-1/ses-b/pet/sub-1_ses-b_pet")
    assert found == [("sub-1_ses-a_T1w.nii.gz", "sub-1_ses-b_pet.nii.gz")]


def test_t2w_to_t1w_where_nothing_else_is(dataset):
    assert dataset("sub-1/anat/sub-1_T1w", "sub-1/anat/sub-1_T2w") == [
        ("sub-1_T1w.nii.gz", "sub-1_T2w.nii.gz")]  # fmt: skip


def test_subjects_are_never_mixed(dataset):
    with pytest.raises(InputError, match="2 images were looked at"):
        dataset("sub-1/anat/sub-1_T1w", "sub-2/pet/sub-2_pet")


def test_each_part_has_a_name_of_its_own(dataset, tmp_path):
    dataset("sub-1/anat/sub-1_T1w", "sub-1/pet/sub-1_trc-A_pet", "sub-1/pet/sub-1_trc-B_pet")
    rows = pairs_of(tmp_path)
    names = {derivative_name(row.bids, part) for row in rows for part in (FUSED, *MAPS)}
    assert len(names) == len(rows) * (1 + len(MAPS))
