"""Pairs proposed for a tree of DICOM files."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from WDualMineLib.batch.dicom_pairs import pairs_of
from WDualMineLib.errors import InputError


@pytest.fixture
def series(tmp_path):
    """Write headers of a series into a folder of the tree."""

    def series(
        folder: str, modality: str, study: str = "1.2.3", patient: str = "P", files: int = 2
    ):
        uid = generate_uid()
        for number in range(files):
            dataset = Dataset()
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
            dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, uid
            dataset.PatientID, dataset.Modality = patient, modality
            path = tmp_path / "tree" / folder / f"{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            dataset.save_as(path, enforce_file_format=True)
        return uid

    return series


def proposed(tmp_path: Path):
    tree = tmp_path / "tree"
    return pairs_of(tree, tree / "out", lambda _: None)


def test_modalities_of_one_study_are_paired(series, tmp_path):
    mr, pet = series("a/mr", "MR"), series("a/pet", "PT")
    series("b/mr", "MR", study="1.2.4")
    series("a/dose", "SR", files=1)
    (row,) = proposed(tmp_path)
    assert (row.fixed, row.moving, row.doubt) == ("a/mr", "a/pet", "")
    assert row.words == {"fixed-series": mr, "moving-series": pet, "moving-window": "pet"}


def test_what_is_not_the_only_choice_is_marked(series, tmp_path):
    series("mr1", "MR"), series("ct", "CT")
    more = series("mr2", "MR", files=5)
    (row,) = proposed(tmp_path)
    assert row.words["fixed-series"] == more and "2 series of MR" in row.doubt


def test_equal_study_uids_of_two_patients_are_kept_apart(series, tmp_path):
    series("mr", "MR", patient="A"), series("ct", "CT", patient="B")
    with pytest.raises(InputError, match="No study"):
        proposed(tmp_path)


def test_results_are_not_looked_into(series, tmp_path):
    series("mr", "MR"), series("out/ct", "CT")
    with pytest.raises(InputError, match="1 series"):
        proposed(tmp_path)
