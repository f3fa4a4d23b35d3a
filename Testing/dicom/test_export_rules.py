"""What export makes of unusual inputs: no DICOM, other patients, other grids, existing files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.dicom.context import Patient
from WDualMineLib.dicom.export import ExportOptions, ResultVolumes, export_result, export_steps
from WDualMineLib.dicom.read import read_series
from WDualMineLib.dicom.series import SeriesLabel
from WDualMineLib.errors import InputError, OutputError
from WDualMineLib.pipeline.parts import ARBITRATION
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

PLAIN = Geometry((5, 6, 4), (0.5, 0.8, 2.5), (10, -20, 30), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_lossy_sources_leave_lossy_results(synthetic, make_result, tmp_path, all_objects) -> None:
    changes = {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": "12",
        "LossyImageCompressionMethod": "ISO_10918_1",
    }
    series = read_series(synthetic(changes=changes).write(tmp_path / "ct"))
    assert "lossy compression" in series.notes[0]
    export_result(make_result(series.volume.geometry), tmp_path / "out", series.context)
    for item in all_objects(tmp_path / "out"):
        assert item.LossyImageCompression == "01"
        assert (item.LossyImageCompressionRatio, item.LossyImageCompressionMethod) == (
            12,
            "ISO_10918_1",
        )


@pytest.mark.parametrize(
    ("fixed", "moving", "kind"),
    [("CT", "MR", "CT"), ("MR", "CT", "MR"), ("PT", "CT", "CT"), ("PT", "MR", "MR")],
)
def test_kind_follows_the_fixed_series_or_the_anatomy(
    synthetic, make_result, tmp_path, all_objects, fixed, moving, kind
) -> None:
    a = read_series(synthetic(fixed, seed="a").write(tmp_path / "a")).context
    b = read_series(synthetic(moving, seed="b").write(tmp_path / "b")).context
    export_result(make_result(a.geometry), tmp_path / "out", a, b)
    gray = [item for item in all_objects(tmp_path / "out" / "fused")]
    assert {item.Modality for item in gray} == {kind}


def test_without_dicom_placeholders_are_visible(make_result, tmp_path, all_objects) -> None:
    done = export_result(make_result(PLAIN), tmp_path / "out")
    assert "PLACEHOLDER" in done.notes[0]
    objects = all_objects(tmp_path / "out")
    for item in objects:
        assert str(item.PatientName) == "PLACEHOLDER^WDualMine"
        assert item.PatientID.startswith("PLACEHOLDER-")
        assert item.StudyDescription.startswith("PLACEHOLDER")
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert len({item.get(keyword) for item in objects}) == 1


def test_without_dicom_the_user_says_who_it_is(make_result, tmp_path, all_objects) -> None:
    options = ExportOptions(patient=Patient("0815", "Doe^Jane", "19700101", "F"), kind="CT")
    export_result(make_result(PLAIN), tmp_path / "out", options=options)
    for item in all_objects(tmp_path / "out"):
        assert (str(item.PatientName), item.PatientID) == ("Doe^Jane", "0815")
        assert (item.PatientBirthDate, item.PatientSex) == ("19700101", "F")
    assert {i.Modality for i in all_objects(tmp_path / "out" / "fused")} == {"CT"}


def test_a_fixed_series_without_frame_of_reference_gets_one_for_good(
    synthetic, make_result, tmp_path, all_objects
) -> None:
    series = synthetic(changes={"FrameOfReferenceUID": None}).write(tmp_path / "ct")
    context = read_series(series).context
    frames = set()
    for name in ("first", "second"):
        done = export_result(make_result(context.geometry), tmp_path / name, context)
        assert "no frame of reference" in done.notes[0]
        frames |= {item.FrameOfReferenceUID for item in all_objects(tmp_path / name)}
    assert len(frames) == 1


def test_different_patients_are_refused_unless_allowed(contexts, make_result, tmp_path) -> None:
    fixed, moving = contexts(PatientID="P-18", PatientBirthDate="19991231")
    result = make_result(fixed.geometry)
    with pytest.raises(InputError, match="patient ID, birth date differ"):
        export_result(result, tmp_path / "out", fixed, moving)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="two patients cannot go out under one"):
        ExportOptions(allow_different_patients=True)
    allowed = ExportOptions(allow_different_patients=True, anonymise=True)
    done = export_result(result, tmp_path / "out", fixed, moving, allowed)
    assert any("(patient ID, birth date differ)" in note for note in done.notes)


@pytest.mark.parametrize(
    "changes", [{"PatientName": "MÜLLER^JÜRGEN^^"}, {"PatientBirthDate": ""}, {"PatientSex": "m"}]
)
def test_one_patient_written_in_two_ways(contexts, make_result, tmp_path, changes) -> None:
    fixed, moving = contexts(**changes)
    assert fixed.patient.differences(moving.patient) == []


def test_a_result_off_the_fixed_series_is_refused(contexts, make_result, tmp_path) -> None:
    fixed, moving = contexts()
    higher = make_result(replace(PLAIN, origin=(10, -20, 31)))
    with pytest.raises(InputError, match="does not lie on the grid of the fixed series"):
        export_result(higher, tmp_path / "out", fixed, moving)
    series = ARBITRATION.series
    maps = {series: make_result(replace(PLAIN, size=(5, 6, 3))).maps[series]}
    mixed = ResultVolumes(make_result(fixed.geometry).fused, maps)
    with pytest.raises(InputError, match="arbitration does not lie on the grid of the fused"):
        export_result(mixed, tmp_path / "out", fixed, moving)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [1.5, -0.2, float("nan")])
def test_values_that_are_no_fusion_are_refused(make_result, tmp_path, value: float) -> None:
    values = make_result(PLAIN).fused.array.copy()
    values[2, 3, 1] = value
    with pytest.raises(InputError, match="has values from"):
        export_result(ResultVolumes(Volume(values, PLAIN, "fused")), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_sheared_grid_is_refused(make_result, tmp_path) -> None:
    sheared = replace(PLAIN, direction=(1, 0, 0, 0, 1, 0.3, 0, 0, 0.954))
    with pytest.raises(InputError, match="sheared"):
        export_result(make_result(sheared), tmp_path / "out")


def test_left_handed_grids_keep_every_voxel_in_place(make_result, tmp_path, all_objects) -> None:
    mirrored = replace(PLAIN, direction=(-1, 0, 0, 0, 1, 0, 0, 0, 1))
    result = make_result(mirrored)
    export_result(result, tmp_path / "out")
    images = all_objects(tmp_path / "out" / "fused")
    for item in images:
        k = round((item.ImagePositionPatient[2] - 30) / 2.5)
        assert np.array_equal(item.pixel_array, np.rint(result.fused.array[k] * 65535.0))
    heights = [float(item.ImagePositionPatient[2]) for item in images]
    assert heights == sorted(heights, reverse=True)  # along the normal, which points down


def test_existing_files_stay_unless_forced(make_result, tmp_path) -> None:
    export_result(make_result(PLAIN), tmp_path / "out")
    before = (tmp_path / "out" / "fused" / "0001.dcm").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        export_result(make_result(PLAIN), tmp_path / "out")
    assert (tmp_path / "out" / "fused" / "0001.dcm").read_bytes() == before
    export_result(make_result(PLAIN), tmp_path / "out", options=ExportOptions(force=True))
    assert (tmp_path / "out" / "fused" / "0001.dcm").read_bytes() != before


def test_slices_of_another_result_never_stay_among_the_new(make_result, tmp_path) -> None:
    longer = make_result(replace(PLAIN, size=(5, 6, 9)))
    export_result(longer, tmp_path / "out")
    with pytest.raises(OutputError, match=r"0005\.dcm, of another result, would stay"):
        export_result(make_result(PLAIN), tmp_path / "out", options=ExportOptions(force=True))
    assert len(list((tmp_path / "out" / "fused").iterdir())) == 9


def test_a_full_disk_is_said_and_leaves_nothing(make_result, tmp_path, monkeypatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("WDualMineLib.dicom.export.write_file", full)
    with pytest.raises(OutputError, match=r"no room on the disk for .*0001\.dcm"):
        export_result(make_result(PLAIN), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_export_leaves_nothing(make_result, tmp_path) -> None:
    steps = export_steps(make_result(PLAIN), tmp_path / "out")
    assert 0 < next(steps).fraction < 1
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_an_odd_number_of_bytes_is_padded(make_result, tmp_path, all_objects) -> None:
    odd = Geometry((3, 3, 1), (1, 1, 1), (0, 0, 0), PLAIN.direction)
    result = make_result(odd)
    export_result(result, tmp_path / "out")
    (image,) = all_objects(tmp_path / "out" / "fused_colour")
    assert len(image.PixelData) == 28
    assert np.array_equal(image.pixel_array, result.colour.array[0])


def test_some_parts_alone(contexts, make_result, tmp_path, all_objects) -> None:
    """A map alone says what it says among the others, but for its own UIDs."""
    fixed, moving = contexts()
    result = make_result(fixed.geometry, sitk.TranslationTransform(3, (1.0, 2.0, 3.0)))
    export_result(result, tmp_path / "all", fixed, moving)
    options = ExportOptions(parts={"arbitration", "registration"})
    done = export_result(result, tmp_path / "some", fixed, moving, options)
    names = [path.relative_to(tmp_path / "some").as_posix() for path in done.files]
    assert names == ["maps/arbitration.dcm", "registration/registration.dcm"]
    assert sorted((tmp_path / "some").rglob("*.dcm")) == sorted(done.files)
    for name, instance in zip(names, done.instances, strict=True):
        alone = pydicom.dcmread(tmp_path / "some" / name)
        among = pydicom.dcmread(tmp_path / "all" / name)
        assert alone.SOPInstanceUID == instance != among.SOPInstanceUID
        for item in (alone, among):
            for element in list(item):
                if element.VR in ("UI", "TM", "SQ") and element.keyword != "FrameOfReferenceUID":
                    del item[element.tag]
        assert pydicom.Dataset(alone) == pydicom.Dataset(among)
    assert done.patient == "Müller^Jürgen (P-17)"


def test_parts_that_are_not_there_are_refused(make_result, tmp_path) -> None:
    with pytest.raises(InputError, match="none of the parts"):
        options = ExportOptions(parts={"registration"})
        export_result(make_result(PLAIN), tmp_path / "out", options=options)


def test_series_can_be_labelled_otherwise(make_result, tmp_path, all_objects) -> None:
    labels = {"fused": SeriesLabel(7, "For the tumour board"), "colour": SeriesLabel(8, "Ü")}
    export_result(make_result(PLAIN), tmp_path / "out", options=ExportOptions(labels=labels))
    found = {(item.SeriesNumber, item.SeriesDescription) for item in all_objects(tmp_path / "out")}
    assert {(7, "For the tumour board"), (8, "Ü")} < found
    assert {number for number, _ in found} == {7, 8, 103, 104, 105}
    for item in all_objects(tmp_path / "out" / "fused"):
        assert "Not for primary diagnosis" in item.ImageComments


@pytest.mark.parametrize(
    ("number", "text"), [(-1, "x"), (2**31, "x"), (1, " "), (1, "x" * 65), (1, "a\\b"), (1, "a\nb")]
)
def test_labels_that_dicom_cannot_hold_are_refused(number: int, text: str) -> None:
    with pytest.raises(InputError, match="not possible"):
        SeriesLabel(number, text)


def test_deidentified_patients_and_trials_stay_what_they_are(
    synthetic, make_result, tmp_path, all_objects, dciodvfy
) -> None:
    """Of the fixed series only; and a series that does not say how it was de-identified is not
    said to have been so in another way."""
    said = {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "Basic profile",
        "ClinicalTrialSponsorName": "Sponsor",
        "ClinicalTrialProtocolID": "PROTOCOL-1",
        "ClinicalTrialProtocolName": "",
        "ClinicalTrialSiteID": "Site 7",
        "ClinicalTrialSiteName": "",
        "ClinicalTrialSubjectID": "S-42",
        "ClinicalTrialTimePointID": "Baseline",
    }
    fixed = read_series(synthetic(changes=said).write(tmp_path / "ct")).context
    moving = synthetic("MR", seed="m", changes={"ClinicalTrialSubjectID": "OTHER-43"})
    moving = read_series(moving.write(tmp_path / "mr")).context
    done = export_result(make_result(fixed.geometry), tmp_path / "out", fixed, moving)
    for item in all_objects(tmp_path / "out"):
        assert {keyword: item[keyword].value for keyword in said} == said
    for path in done.files:
        assert b"OTHER-43" not in path.read_bytes()
        assert not [line for line in dciodvfy(path) if line.startswith("Error")], path
    options = ExportOptions(anonymise=True)
    export_result(make_result(fixed.geometry), tmp_path / "none", fixed, moving, options)
    for path in (tmp_path / "none").rglob("*.dcm"):
        data = path.read_bytes()
        assert not [word for word in (b"S-42", b"PROTOCOL-1", b"Site 7") if word in data]
    changes = {"PatientIdentityRemoved": "YES", "DeidentificationMethod": ""}
    silent = read_series(synthetic(seed="x", changes=changes).write(tmp_path / "x")).context
    export_result(make_result(silent.geometry), tmp_path / "y", silent)
    (method,) = {item.DeidentificationMethod for item in all_objects(tmp_path / "y")}
    assert method == "As the source, which does not say how"


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("GB18030", "王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ],
)
def test_names_keep_their_letters(
    synthetic, make_result, tmp_path, all_objects, character_set, name: str
) -> None:
    changes = {"SpecificCharacterSet": character_set, "PatientName": name}
    context = read_series(synthetic(changes=changes).write(tmp_path / "ct")).context
    export_result(make_result(context.geometry), tmp_path / "out", context)
    assert {str(item.PatientName) for item in all_objects(tmp_path / "out")} == {name}


@pytest.mark.parametrize("size", [0, 3_000, 30_000])
def test_a_disk_that_fills_inside_the_export(
    contexts, make_result, tmp_path, little_room, size
) -> None:
    """pydicom and highdicom wrap what the system says in words, and in a trace, of their own."""
    fixed, moving = contexts()
    wide = replace(PLAIN, size=(160, 120, 4), spacing=(0.1, 0.1, 2.5))
    result, context = make_result(wide), replace(fixed, geometry=wide)
    with little_room(size), pytest.raises(OutputError) as caught:
        export_result(result, tmp_path / "out", context, moving)
    assert "no room on the disk" in str(caught.value)
    assert "Traceback" not in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".partial-*"))
