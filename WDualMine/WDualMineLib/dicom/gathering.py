"""Headers and frames of a series to its :class:`~.context.SeriesContext`."""

from __future__ import annotations

from pydicom.dataset import Dataset

from ..errors import InputError
from ..volumes.geometry import Geometry
from .context import Instance, Patient, SeriesContext, Study, SuvFactor
from .frames import Frame
from .headers import Header, damaged, text
from .kinds import CT_CLASSES
from .suv import suv_factor

# Attributes of type 1 and 2 of the CT and MR modules, for the objects that are derived.
_ACQUISITION = (
    "AcquisitionNumber",
    "KVP",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "EchoTime",
    "EchoTrainLength",
    "RepetitionTime",
    "InversionTime",
    "MagneticFieldStrength",
)
_TRIAL = (
    "ClinicalTrialSponsorName",
    "ClinicalTrialProtocolID",
    "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
)
_MULTI_VALUED = {"ScanningSequence", "SequenceVariant", "ScanOptions"}


def gather(
    name: str, headers: list[Header], frames: list[Frame], geometry: Geometry
) -> SeriesContext:
    """The context of one series.

    Args:
        name: of the series, for messages.
        headers: of all its files.
        frames: in the order of the volume's K.
        geometry: of the volume.

    Raises:
        InputError: the files are of more than one patient or frame of reference.
    """
    first = headers[0].dataset
    units = _units(name, first, frames)
    with damaged(headers[0].path):
        patient = _patient(first)
        context = SeriesContext(
            patient=patient,
            study=_study(first),
            series_uid=text(first, "SeriesInstanceUID"),
            modality=text(first, "Modality").upper(),
            sop_class_uid=text(first, "SOPClassUID"),
            instances=tuple(_instance(frame) for frame in frames),
            geometry=geometry,
            series_number=_whole(text(first, "SeriesNumber")),
            series_description=text(first, "SeriesDescription"),
            frame_of_reference_uid=text(first, "FrameOfReferenceUID"),
            position_reference=text(first, "PositionReferenceIndicator"),
            patient_position=text(first, "PatientPosition"),
            body_part=text(first, "BodyPartExamined"),
            laterality=text(first, "Laterality"),
            manufacturer=text(first, "Manufacturer"),
            model_name=text(first, "ManufacturerModelName"),
            units=units,
            suv=_suv(headers, units),
            acquisition=_acquisition(first),
            lossy=any(text(h.dataset, "LossyImageCompression") == "01" for h in headers),
            lossy_ratios=_values(headers, "LossyImageCompressionRatio"),
            lossy_methods=_values(headers, "LossyImageCompressionMethod"),
        )
    for header in headers[1:]:
        with damaged(header.path):
            _require_same(name, context, header, headers[0])
    return context


def _require_same(name: str, context: SeriesContext, header: Header, first: Header) -> None:
    differences = _patient(header.dataset).differences(context.patient)
    if text(header.dataset, "FrameOfReferenceUID") != context.frame_of_reference_uid:
        differences.append("frame of reference")
    if text(header.dataset, "StudyInstanceUID") != context.study.uid:
        differences.append("study")
    if differences:
        raise InputError(
            f"{name} mixes files of more than one {' and '.join(differences)} "
            f"({first.path.name}, {header.path.name})",
            "Fetch the series again; if it comes so from the archive, its headers are wrong",
        )


def _patient(dataset: Dataset) -> Patient:
    return Patient(
        patient_id=text(dataset, "PatientID"),
        name=text(dataset, "PatientName"),
        birth_date=text(dataset, "PatientBirthDate"),
        sex=text(dataset, "PatientSex"),
        issuer_of_id=text(dataset, "IssuerOfPatientID"),
        age=text(dataset, "PatientAge"),
        size=text(dataset, "PatientSize"),
        weight=text(dataset, "PatientWeight"),
        identity_removed=text(dataset, "PatientIdentityRemoved").upper(),
        deidentification=text(dataset, "DeidentificationMethod"),
        trial={keyword: text(dataset, keyword) for keyword in _TRIAL if keyword in dataset},
    )


def _study(dataset: Dataset) -> Study:
    uid = text(dataset, "StudyInstanceUID")
    if not uid:
        raise ValueError("it names no study")
    return Study(
        uid=uid,
        date=text(dataset, "StudyDate"),
        time=text(dataset, "StudyTime"),
        study_id=text(dataset, "StudyID"),
        accession_number=text(dataset, "AccessionNumber"),
        referring_physician=text(dataset, "ReferringPhysicianName"),
        description=text(dataset, "StudyDescription"),
    )


def _instance(frame: Frame) -> Instance:
    return Instance(
        sop_class_uid=frame.sop_class_uid,
        sop_instance_uid=frame.sop_instance_uid,
        frame_number=frame.frame_number,
        position=tuple(float(x) for x in frame.position),
        slope=frame.slope,
        intercept=frame.intercept,
        instance_number=frame.instance_number,
    )


def _units(name: str, dataset: Dataset, frames: list[Frame]) -> str:
    """Of the values of all frames.

    Raises:
        InputError: they are in different units.
    """
    modality = text(dataset, "Modality").upper()
    if modality == "PT" and text(dataset, "Units"):
        return text(dataset, "Units").upper()
    # PS3.3 C.8.2.1: without a rescale type, the output of a CT image is in Hounsfield units.
    usual = "HU" if modality == "CT" else ""
    found = {
        frame.units or (usual if frame.sop_class_uid in CT_CLASSES else "") for frame in frames
    }
    if len(found) > 1:
        listed = ", ".join(sorted(unit or "-" for unit in found))
        raise InputError(
            f"{name} mixes values in different units ({listed})",
            "Choose the images of one quantity, as a list of files or a series of its own",
        )
    return found.pop()


def _suv(headers: list[Header], units: str) -> SuvFactor | None:
    if text(headers[0].dataset, "Modality").upper() != "PT":
        return None
    return suv_factor([header.dataset for header in headers], units)


def _acquisition(dataset: Dataset) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for keyword in _ACQUISITION:
        value = text(dataset, keyword)
        if value:
            found[keyword] = value.split("\\") if keyword in _MULTI_VALUED else value
    return found


def _values(headers: list[Header], keyword: str) -> tuple[str, ...]:
    values = [text(header.dataset, keyword) for header in headers]
    return tuple(next((value.split("\\") for value in values if value), ()))


def _whole(value: str) -> int | None:
    return int(value) if value.lstrip("+-").isdigit() else None
