"""What the exported objects say: whose they are, where they lie, and what they were made of."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.dicom.export import export_result
from WDualMineLib.version import __version__
from WDualMineLib.volumes.geometry import Geometry

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
    made = make_result(fixed.geometry, transform).maps
    expected = {kind.name: volume for kind, volume in made.items()}
    maps = {item.ContentLabel: item for item in _of(objects, "Parametric Map Storage")}
    names = {
        "RELIABILITY_FIX": ("reliability_fixed", "Reliability of fixed CT: 1 - P(fault)"),
        "RELIABILITY_MOV": ("reliability_moving", "Reliability of moving MR: 1 - P(fault)"),
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
