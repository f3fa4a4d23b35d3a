"""A patient that users type in, and a registration that nobody made: nothing dropped or claimed."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.dicom.context import Patient
from WDualMineLib.dicom.export import ExportOptions, ResultVolumes, export_result
from WDualMineLib.errors import InputError
from WDualMineLib.volumes.geometry import Geometry

GRID = Geometry((5, 6, 4), (0.5, 0.8, 2.5), (10, -20, 30), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"birth_date": "1.2.1960"}, "YYYYMMDD"),
        ({"birth_date": "19600230"}, "YYYYMMDD"),
        ({"birth_date": "2960101"}, "YYYYMMDD"),
        ({"birth_date": "29600101"}, "YYYYMMDD"),
        ({"birth_date": "١٩٦٠٠١٠١"}, "YYYYMMDD"),
        ({"name": "N" * 65}, "more than the 64"),
        ({"name": "A^B^C^D^E^F"}, "too many parts"),
        ({"name": "A=B=C=D"}, "too many parts"),
        ({"name": "A\\B"}, "backslash"),
        ({"name": "A\nB"}, "line break"),
        ({"name": "^ ^"}, "nothing but blanks"),
        ({"name": "M\udcfcller"}, "no text"),
        ({"patient_id": "1" * 65}, "more than the 64"),
        ({"patient_id": "1\\2"}, "backslash"),
        ({"patient_id": "1\r"}, "line break"),
        ({"patient_id": "1\x00"}, "no text"),
        ({"sex": "X"}, "M, F or O"),
    ],
)
def test_what_dicom_cannot_hold_is_refused(fields, words):
    with pytest.raises(InputError, match=words):
        ExportOptions(patient=Patient(**fields))


@pytest.mark.parametrize("name", ["Müller^Jürgen^^Dr.", "Hong^Gildong=洪^吉洞=홍^길동", "N" * 64])
def test_what_dicom_holds_is_written_as_it_is(make_result, tmp_path, name):
    patient = Patient("ID 7-ü", name, "19600229", "F")
    done = export_result(make_result(GRID), tmp_path, options=ExportOptions(patient=patient))
    read = pydicom.dcmread(done.files[0])
    assert (read.PatientID, str(read.PatientName), read.PatientBirthDate, read.PatientSex) == (
        "ID 7-ü",
        name,
        "19600229",
        "F",
    )


def test_what_a_fixed_series_overrules_is_told(contexts, make_result, tmp_path):
    fixed, moving = contexts()
    options = ExportOptions(patient=Patient("7", birth_date="19600229"))
    done = export_result(make_result(fixed.geometry), tmp_path, fixed, moving, options)
    assert any("ID and birth date as given" in note for note in done.notes)
    assert pydicom.dcmread(done.files[0]).PatientID == "P-17"


@pytest.mark.parametrize(
    ("frame", "words"),
    [(None, "share one frame"), ("1.2.3", "Nothing registered"), ("", "Nothing")],
)
def test_without_a_transform_there_is_no_registration(
    contexts, make_result, tmp_path, frame, words
):
    changes = {} if frame is None else {"FrameOfReferenceUID": frame}
    fixed, moving = contexts(**changes)
    done = export_result(make_result(fixed.geometry), tmp_path, fixed, moving)
    assert not (tmp_path / "registration").exists()
    assert any(words in note for note in done.notes)


@pytest.mark.parametrize("by_content", [True, False])
def test_only_what_was_registered_is_called_so(contexts, make_result, tmp_path, by_content):
    fixed, moving = contexts()
    made = make_result(fixed.geometry, sitk.TranslationTransform(3, (0.5, 0.0, 0.0)))
    result = ResultVolumes(made.fused, transform=made.transform, by_content=by_content)
    export_result(result, tmp_path, fixed, moving)
    read = pydicom.dcmread(tmp_path / "registration" / "registration.dcm")
    still, moved = (
        item.MatrixRegistrationSequence[0].RegistrationTypeCodeSequence
        for item in read.RegistrationSequence
    )
    assert still[0].CodeValue == "125021"
    assert [item.CodeValue for item in moved] == (["125024"] if by_content else [])


@pytest.mark.parametrize(
    ("modalities", "kind"), [(("CT", "MR"), "CT"), (("", "CT"), "CT"), (("PT", ""), "MR")]
)
def test_the_class_follows_what_is_known_without_dicom(make_result, tmp_path, modalities, kind):
    made = make_result(GRID)
    result = ResultVolumes(made.fused, modalities=modalities)
    done = export_result(result, tmp_path)
    assert pydicom.dcmread(done.files[0]).Modality == kind
    assert np.shape(done.files) == (4,)
