"""Nothing of the moving series' patient gets out, and anonymised objects name nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from WDualMineLib.dicom.context import SeriesContext
from WDualMineLib.dicom.export import ExportOptions, export_result
from WDualMineLib.dicom.files import write_file
from WDualMineLib.dicom.read import read_series

# What only the moving series says; any of these in an exported file is a leak.
_SECRETS = {
    "PatientName": "Secretus^Maximus",
    "PatientID": "SECRET-ID",
    "PatientBirthDate": "18880808",
    "PatientSex": "O",
    "PatientAge": "077Y",
    "PatientWeight": "123.45",
    "PatientSize": "1.234",
    "OtherPatientIDs": "SECRET-OTHER",
    "PatientComments": "SECRET-COMMENT",
    "PatientAddress": "SECRET-STREET",
    "EthnicGroup": "SECRET-GROUP",
    "StudyDescription": "SECRET-STUDY",
    "SeriesDescription": "SECRET-SERIES",
    "AccessionNumber": "SECRET-ACC",
    "StudyID": "SECRET-SID",
    "StudyDate": "18990909",
    "ReferringPhysicianName": "Secretdoctor^A",
    "OperatorsName": "Secretoperator^B",
    "InstitutionName": "SECRET-HOSPITAL",
    "StationName": "SECRET-STATION",
    "DeviceSerialNumber": "SECRET-DEVICE",
    "ProtocolName": "SECRET-PROTOCOL",
    "ImageComments": "SECRET-IMAGE",
    "IssuerOfPatientID": "SECRET-ISSUER",
}


def test_nothing_of_the_moving_patient_leaks(contexts, make_result, tmp_path: Path) -> None:
    fixed, moving = contexts(**_SECRETS)
    # The moving patient's context beside the fixed one's header, as no caller may export it.
    options = ExportOptions()
    object.__setattr__(options, "allow_different_patients", True)
    done = export_result(make_result(fixed.geometry), tmp_path / "out", fixed, moving, options)
    values = [v for k, v in _SECRETS.items() if k not in ("PatientSex",)]
    for path in done.files:
        data = path.read_bytes()
        for value in values:
            assert value.encode() not in data, f"{value} in {path.name}"
        assert b"SECRET" not in data.upper().replace(b"SECONDARY", b"")


def test_private_elements_of_the_sources_are_not_copied(
    synthetic, make_result, tmp_path, all_objects
) -> None:
    series = synthetic()
    folder = tmp_path / "ct"
    folder.mkdir()
    for k, dataset in enumerate(series.datasets()):
        dataset.private_block(0x0029, "ACME", create=True).add_new(1, "LO", "PRIVATE-SECRET")
        write_file(dataset, folder / f"{k}.dcm")
    context = read_series(folder).context
    done = export_result(make_result(context.geometry), tmp_path / "out", context)
    for path in done.files:
        assert b"PRIVATE-SECRET" not in path.read_bytes()


@pytest.fixture(scope="module")
def anonymised(contexts, make_result, tmp_path_factory, all_objects):
    fixed, moving = contexts()
    result = make_result(fixed.geometry, sitk.TranslationTransform(3, (0.1, 0.2, 0.0)))
    options = ExportOptions(anonymise=True)
    folder = tmp_path_factory.mktemp("anonymous")
    done = export_result(result, folder, fixed, moving, options)
    return all_objects(folder), done.files, fixed, moving


def _uids_of(context: SeriesContext) -> set[str]:
    instances = {i.sop_instance_uid for i in context.instances}
    return instances | {context.series_uid, context.study.uid, context.frame_of_reference_uid}


def test_anonymised_objects_name_nobody(anonymised) -> None:
    objects, files, fixed, moving = anonymised
    names = ("Müller", "Jürgen", "P-17", "19560102", "20240229", "House", "S1 ", "101112")
    for path in files:
        data = path.read_bytes()
        for word in (*names, *_uids_of(fixed), *_uids_of(moving)):
            assert word.encode() not in data, f"{word} in {path.name}"
    for item in objects:
        assert str(item.PatientName) == "" and item.PatientID == "ANONYMIZED"
        assert item.PatientBirthDate == "" and item.StudyDate == ""
        assert item.AccessionNumber == "" and str(item.ReferringPhysicianName) == ""


def test_anonymised_objects_say_how(anonymised) -> None:
    for item in anonymised[0]:
        assert item.PatientIdentityRemoved == "YES"
        methods = [c.CodeValue for c in item.DeidentificationMethodCodeSequence]
        assert methods == ["113100", "113105"]
        assert item.LongitudinalTemporalInformationModified == "REMOVED"


def test_anonymised_objects_keep_their_trail_among_themselves(anonymised) -> None:
    """References are replaced consistently, at every depth, and the warning words stay."""
    objects, *_ = anonymised
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID"):
        assert len({item.get(keyword) for item in objects}) == 1
    images = [item for item in objects if item.Modality == "CT"]
    (registration,) = [item for item in objects if item.Modality == "REG"]
    assert registration.RegistrationSequence[0].FrameOfReferenceUID == images[0].FrameOfReferenceUID
    known = {
        i.ReferencedSOPInstanceUID
        for part in registration.RegistrationSequence
        for i in part.ReferencedImageSequence
    }
    for item in images:
        sources = {s.ReferencedSOPInstanceUID for s in item.SourceImageSequence}
        assert len(sources) >= 2 and sources <= known
        assert "not for diagnosis" in item.SeriesDescription
        assert "Not for primary diagnosis" in item.ImageComments
    for item in objects:
        assert item.file_meta.MediaStorageSOPInstanceUID == item.SOPInstanceUID
        assert all(uid.startswith("2.25.") for uid in _instance_uids(item))


def _instance_uids(dataset: Dataset) -> list[str]:
    found = []
    for element in dataset.iterall():
        if element.keyword in ("SOPInstanceUID", "ReferencedSOPInstanceUID", "SeriesInstanceUID"):
            found.append(str(element.value))
    return found


def test_every_rule_of_the_profile_is_kept_at_every_depth(anonymised) -> None:
    """Against the library's table: what must go is gone, but for our own words and references."""
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table

    kept = {(0x0008, 0x103E), (0x0008, 0x2111), (0x0020, 0x4000), (0x0070, 0x0081)}
    dates = {(0x0008, 0x0012), (0x0008, 0x0021), (0x0008, 0x0023)}
    removed = {tag for tag in table.X_TAGS if len(tag) == 2} - kept - dates
    for item in anonymised[0]:
        for element in item.iterall():
            tag = (element.tag.group, element.tag.element)
            assert tag not in removed, element
            assert not element.tag.is_private
            if tag in dates:
                assert element.value == "19000101"
