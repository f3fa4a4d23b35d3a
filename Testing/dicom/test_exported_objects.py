"""What the exported objects say: whose they are, where they lie, and what they were made of."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.dicom.context import Patient
from WDualMineLib.dicom.export import ExportOptions, ResultVolumes, export_result, export_steps
from WDualMineLib.dicom.read import read_series
from WDualMineLib.errors import InputError, OutputError
from WDualMineLib.version import __version__
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

SOURCE_PURPOSE = "121322"
PLAIN = Geometry((5, 6, 4), (0.5, 0.8, 2.5), (10, -20, 30), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture(scope="module")
def transform() -> sitk.Euler3DTransform:
    moved = sitk.Euler3DTransform()
    moved.SetRotation(0.02, -0.01, 0.03)
    moved.SetTranslation((0.4, -0.3, 2.0))
    return moved


@pytest.fixture(scope="module")
def exported(contexts, make_result, transform, tmp_path_factory, all_objects):
    """Objects of a CT + MR result, and the contexts they came from."""
    fixed, moving = contexts()
    result = make_result(fixed.geometry, transform)
    folder = tmp_path_factory.mktemp("exported") / "out"
    done = export_result(result, folder, fixed, moving)
    assert sorted(done.files) == sorted(folder.rglob("*.dcm"))
    return all_objects(folder), fixed, moving


def _of(objects, sop_class: str) -> list[pydicom.Dataset]:
    return [item for item in objects if item.SOPClassUID.name == sop_class]


def test_all_kinds_are_there(exported) -> None:
    objects, *_ = exported
    kinds = {name: len(_of(objects, name)) for name in {o.SOPClassUID.name for o in objects}}
    assert kinds == {
        "CT Image Storage": 4,
        "Secondary Capture Image Storage": 4,
        "Parametric Map Storage": 3,
        "Spatial Registration Storage": 1,
    }


def test_every_object_is_of_the_fixed_patient_and_study(exported) -> None:
    objects, fixed, _ = exported
    for item in objects:
        assert str(item.PatientName) == "Müller^Jürgen"
        assert (item.PatientID, item.PatientBirthDate, item.PatientSex) == ("P-17", "19560102", "M")
        assert item.StudyInstanceUID == fixed.study.uid
        assert (item.StudyID, item.AccessionNumber) == ("S1", "A1")
        assert item.FrameOfReferenceUID == fixed.frame_of_reference_uid


def test_every_object_says_who_made_it_and_what_it_is_not_for(exported) -> None:
    objects, *_ = exported
    for item in objects:
        assert (item.Manufacturer, item.ManufacturerModelName) == ("WDualMine", "WDualMine")
        assert item.SoftwareVersions == __version__
        assert item.SeriesNumber > 100
        assert "not for diagnosis" in item.SeriesDescription and len(item.SeriesDescription) <= 64
        makers = [e.Manufacturer for e in item.ContributingEquipmentSequence]
        assert makers == ["ACME", "ACME"]
        if item.Modality == "REG":
            assert "Not for primary diagnosis" in item.ContentDescription
            continue
        assert "Not for primary diagnosis" in item.ImageComments
        assert item.BurnedInAnnotation == "NO"
        assert item.LossyImageCompression == "00"


def test_uids_are_new_unique_and_under_one_root(exported) -> None:
    objects, fixed, moving = exported
    instances = [item.SOPInstanceUID for item in objects]
    series = {item.SeriesInstanceUID for item in objects}
    assert len(set(instances)) == len(instances) == 12
    assert len(series) == 6
    sources = {i.sop_instance_uid for s in (fixed, moving) for i in s.instances}
    assert not sources & set(instances)
    for uid in {*instances, *series}:
        assert uid.startswith("2.25.") and uid.is_valid
    for item in objects:
        assert item.file_meta.MediaStorageSOPInstanceUID == item.SOPInstanceUID
    numbers = {(item.SeriesInstanceUID, item.SeriesNumber) for item in objects}
    assert sorted(number for _, number in numbers) == [101, 102, 103, 104, 105, 106]


def test_gray_images_hold_the_values(exported, make_result, transform) -> None:
    objects, fixed, _ = exported
    expected = make_result(fixed.geometry, transform).fused.array
    for k, item in enumerate(_of(objects, "CT Image Storage")):
        assert list(item.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
        assert (item.BitsAllocated, item.BitsStored, item.PixelRepresentation) == (16, 16, 0)
        assert (item.RescaleSlope, item.RescaleIntercept) == (1, 0)
        assert (item.WindowCenter, item.WindowWidth) == (32768, 65536)
        assert item.InstanceNumber == k + 1
        mapping = item.RealWorldValueMappingSequence[0]
        assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"
        real = item.pixel_array * mapping.RealWorldValueSlope + mapping.RealWorldValueIntercept
        assert np.abs(real - expected[k]).max() <= 0.5 / 65535 + 1e-7
        assert item.pixel_array.min() >= 0 and item.pixel_array.max() <= 65535
    first, last = expected[0, 0, 0], expected[-1, -1, -1]
    assert (first, last) == (0.0, 1.0)
    assert _of(objects, "CT Image Storage")[-1].pixel_array[-1, -1] == 65535


def test_colour_images_hold_the_values(exported, make_result, transform) -> None:
    objects, fixed, _ = exported
    expected = make_result(fixed.geometry, transform).colour.array
    images = _of(objects, "Secondary Capture Image Storage")
    for k, item in enumerate(images):
        assert item.PhotometricInterpretation == "RGB" and "DERIVED" in item.ImageType
        assert np.array_equal(item.pixel_array, expected[k])
        assert list(item.PatientOrientation) == ["L", "P"]
        assert list(item.ImagePositionPatient) == [10, -20, 30 + 2.5 * k]


def test_maps_hold_the_values_with_quantity_and_unit(exported, make_result, transform) -> None:
    objects, fixed, _ = exported
    expected = make_result(fixed.geometry, transform).maps
    maps = {item.ContentLabel: item for item in _of(objects, "Parametric Map Storage")}
    names = {
        "RELIABILITY_FIX": ("reliability_fixed", "Reliability of fixed CT, 0 to 1"),
        "RELIABILITY_MOV": ("reliability_moving", "Reliability of moving MR, 0 to 1"),
        "ARBITRATION": ("arbitration", "Arbitration: 0 frequency, 1 spatial expert"),
    }
    assert set(maps) == set(names)
    for label, item in maps.items():
        key, words = names[label]
        frames = np.frombuffer(item.FloatPixelData, "<f4").reshape(4, 6, 5)
        values = {_slice_of(g): f for g, f in zip(_groups(item), frames, strict=True)}
        for k in range(4):
            assert np.array_equal(values[k], expected[key].array[k])
        assert item.SeriesDescription.startswith(words)
        mapping = item.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
        assert mapping.MeasurementUnitsCodeSequence[0].CodeMeaning == "no units"
        quantity = mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0]
        assert (quantity.CodeValue, quantity.CodingSchemeDesignator) == (label, "99WDUALMINE")
        assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
        assert item.ContentQualification == "RESEARCH"


def _groups(item: pydicom.Dataset) -> list[pydicom.Dataset]:
    return list(item.PerFrameFunctionalGroupsSequence)


def _slice_of(group: pydicom.Dataset) -> int:
    """The slice of the synthetic grid that a frame is."""
    return round((float(group.PlanePositionSequence[0].ImagePositionPatient[2]) - 30) / 2.5)


def test_derivation_names_method_and_settings_but_no_paths(exported) -> None:
    objects, *_ = exported
    item = _of(objects, "CT Image Storage")[0]
    assert "fusion of a fixed CT and a moving MR volume" in item.DerivationDescription
    assert "strength=1.0" in item.DerivationDescription
    assert "Not for primary diagnosis." in item.DerivationDescription
    codes = [(c.CodeValue, c.CodingSchemeDesignator) for c in item.DerivationCodeSequence]
    assert ("113085", "DCM") in codes
    for item in objects:
        assert "jmueller" not in str(item)


def test_sources_of_a_slice_are_its_own_and_those_it_crosses(exported) -> None:
    objects, fixed, moving = exported
    for k, item in enumerate(_of(objects, "CT Image Storage")):
        sources = {s.ReferencedSOPInstanceUID: s for s in item.SourceImageSequence}
        for source in sources.values():
            purpose = source.PurposeOfReferenceCodeSequence[0]
            assert (purpose.CodeValue, purpose.CodingSchemeDesignator) == (SOURCE_PURPOSE, "DCM")
        here = sources.pop(fixed.instances[k].sop_instance_uid)
        assert here.SpatialLocationsPreserved == "YES"
        assert {s.SpatialLocationsPreserved for s in sources.values()} <= {"NO"}
        # The transform moves by 2 mm along the stack: slice k lies between k and k + 1.
        own = [i.sop_instance_uid for i in moving.instances]
        for near in own[k : k + 2]:
            assert near in sources
        assert set(sources) <= set(own)
        assert len(sources) < len(own) or k in (1, 2)


def test_map_frames_have_the_same_sources_as_the_images(exported) -> None:
    objects, *_ = exported
    images = _of(objects, "CT Image Storage")
    for item in _of(objects, "Parametric Map Storage"):
        for group in _groups(item):
            image = images[_slice_of(group)]
            derived = group.DerivationImageSequence[0]
            assert {s.ReferencedSOPInstanceUID for s in derived.SourceImageSequence} == {
                s.ReferencedSOPInstanceUID for s in image.SourceImageSequence
            }
            assert "Not for primary diagnosis" in derived.DerivationDescription


def test_references_are_listed_by_series_and_point_to_real_instances(exported) -> None:
    objects, fixed, moving = exported
    known = {
        series.series_uid: {i.sop_instance_uid for i in series.instances}
        for series in (fixed, moving)
    }
    for item in objects:
        listed = {
            series.SeriesInstanceUID: {
                i.ReferencedSOPInstanceUID for i in series.ReferencedInstanceSequence
            }
            for series in item.ReferencedSeriesSequence
        }
        assert set(listed) == set(known)
        for uid, instances in listed.items():
            assert instances and instances <= known[uid]


def test_registration_maps_moving_points_onto_fixed_ones(exported, transform) -> None:
    objects, fixed, moving = exported
    (item,) = _of(objects, "Spatial Registration Storage")
    at_fixed, at_moving = item.RegistrationSequence
    assert at_fixed.FrameOfReferenceUID == fixed.frame_of_reference_uid
    identity = _matrix(at_fixed)
    assert np.array_equal(identity, np.eye(4))
    step = at_moving.MatrixRegistrationSequence[0].MatrixSequence[0]
    assert step.FrameOfReferenceTransformationMatrixType == "RIGID"
    point = (12.0, -3.0, 40.0)  # of the fixed series
    there = np.array([*transform.TransformPoint(point), 1.0])
    assert (_matrix(at_moving) @ there)[:3] == pytest.approx(point, abs=1e-6)
    referenced = {i.ReferencedSOPInstanceUID for i in at_moving.ReferencedImageSequence}
    assert referenced == {i.sop_instance_uid for i in moving.instances}


def _matrix(item: pydicom.Dataset) -> np.ndarray:
    step = item.MatrixRegistrationSequence[0].MatrixSequence[0]
    return np.array(step.FrameOfReferenceTransformationMatrix, dtype=float).reshape(4, 4)


def test_an_affine_transform_is_called_affine(contexts, make_result, tmp_path, all_objects) -> None:
    fixed, moving = contexts()
    stretched = sitk.AffineTransform(3)
    stretched.Scale((1.1, 1.0, 1.0))
    export_result(make_result(fixed.geometry, stretched), tmp_path / "out", fixed, moving)
    (item,) = _of(all_objects(tmp_path / "out"), "Spatial Registration Storage")
    step = item.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]
    assert step.FrameOfReferenceTransformationMatrixType == "AFFINE"


def test_a_deformation_leaves_the_registration_out_and_says_so(
    contexts, make_result, tmp_path
) -> None:
    fixed, moving = contexts()
    field = sitk.DisplacementFieldTransform(3)
    done = export_result(make_result(fixed.geometry, field), tmp_path / "out", fixed, moving)
    assert "deformation" in done.notes[-1]
    assert not (tmp_path / "out" / "registration").exists()


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
    allowed = ExportOptions(allow_different_patients=True)
    done = export_result(result, tmp_path / "out", fixed, moving, allowed)
    assert "patient ID, birth date of the inputs differ" in done.notes[0]


@pytest.mark.parametrize(
    "changes", [{"PatientName": "MÜLLER^JÜRGEN^^"}, {"PatientBirthDate": ""}, {"PatientSex": "m"}]
)
def test_one_patient_written_in_two_ways(contexts, make_result, tmp_path, changes) -> None:
    fixed, moving = contexts(**changes)
    assert fixed.patient.differences(moving.patient) == []


def test_a_result_off_the_fixed_series_is_refused(contexts, make_result, tmp_path) -> None:
    fixed, moving = contexts()
    with pytest.raises(InputError, match="does not lie on the grid of the fixed series"):
        export_result(make_result(PLAIN.__class__(
            PLAIN.size, PLAIN.spacing, (10, -20, 31), PLAIN.direction
        )), tmp_path / "out", fixed, moving)  # fmt: skip
    maps = {"arbitration": make_result(Geometry((5, 6, 3), *_rest())).maps["arbitration"]}
    mixed = ResultVolumes(make_result(fixed.geometry).fused, maps)
    with pytest.raises(InputError, match="arbitration does not lie on the grid of the fused"):
        export_result(mixed, tmp_path / "out", fixed, moving)
    assert not (tmp_path / "out").exists()


def _rest() -> tuple:
    return PLAIN.spacing, PLAIN.origin, PLAIN.direction


@pytest.mark.parametrize("value", [1.5, -0.2, float("nan")])
def test_values_that_are_no_fusion_are_refused(make_result, tmp_path, value: float) -> None:
    values = make_result(PLAIN).fused.array.copy()
    values[2, 3, 1] = value
    with pytest.raises(InputError, match="has values from"):
        export_result(ResultVolumes(Volume(values, PLAIN, "fused")), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_sheared_grid_is_refused(make_result, tmp_path) -> None:
    sheared = Geometry(*_size(), (10, -20, 30), (1, 0, 0, 0, 1, 0.3, 0, 0, 0.954))
    with pytest.raises(InputError, match="sheared"):
        export_result(make_result(sheared), tmp_path / "out")


def _size() -> tuple:
    return PLAIN.size, PLAIN.spacing


def test_left_handed_grids_keep_every_voxel_in_place(make_result, tmp_path, all_objects) -> None:
    mirrored = Geometry(*_size(), (10, -20, 30), (-1, 0, 0, 0, 1, 0, 0, 0, 1))
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
