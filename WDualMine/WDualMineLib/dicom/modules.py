"""The modules that every exported object carries: patient, study, series, equipment, image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import format_number_as_ds

from ..version import __version__
from . import codes
from .context import Patient, SeriesContext, Study
from .derivation import NOT_FOR_DIAGNOSIS, Derivation
from .series import SeriesLabel
from .uids import Uids, frame_of_reference_for

MANUFACTURER = "WDualMine"
MODEL_NAME = "WDualMine"
# (0018,1000) wants something; a program has no serial number, its version is what identifies it.
SERIAL_NUMBER = __version__
PLACEHOLDER = "PLACEHOLDER"

_FORMATS = {
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"),
    "AS": re.compile(r"\d{3}[DWMY]"),
    "DS": re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"),
}

_NOT_PAIRED = {"HEAD", "BRAIN", "SKULL", "NECK", "HEADNECK", "CHEST", "ABDOMEN", "PELVIS", "HEART"}


@dataclass(frozen=True)
class Target:
    """Whose object it will be, and when it is made.

    Attributes:
        patient, study: to be written.
        frame_of_reference_uid: of the fixed grid.
        uids: of this export.
        made: when.
    """

    patient: Patient
    study: Study
    frame_of_reference_uid: str
    uids: Uids
    made: datetime = field(default_factory=datetime.now)


def target_for(fixed: SeriesContext | None, patient: Patient | None, uids: Uids) -> Target:
    """The fixed series' patient, study and frame of reference, else what the user gives.

    Args:
        fixed: context of the fixed series, None for a volume without DICOM.
        patient: as the user gives it for a volume without DICOM; what is empty there gets a
            placeholder that nobody takes for a patient.
    """
    if fixed is not None:
        frame = fixed.frame_of_reference_uid or frame_of_reference_for(fixed.series_uid)
        return Target(fixed.patient, fixed.study, frame, uids)
    made = datetime.now()
    given = patient or Patient()
    complete = Patient(
        patient_id=given.patient_id or f"{PLACEHOLDER}-{uids.export.hex[:8].upper()}",
        name=given.name or f"{PLACEHOLDER}^{MANUFACTURER}",
        birth_date=given.birth_date,
        sex=given.sex,
    )
    study = Study(
        uid=uids.of("study"),
        date=f"{made:%Y%m%d}",
        time=f"{made:%H%M%S}",
        study_id=PLACEHOLDER,
        description=f"{PLACEHOLDER}: fused from files without DICOM",
    )
    return Target(complete, study, uids.of("frame of reference"), uids, made)


def new_object(
    target: Target,
    derivation: Derivation,
    *,
    sop_class_uid: str,
    modality: str,
    series: str,
    label: SeriesLabel,
    instance: int = 1,
) -> Dataset:
    """A data set with the Patient, Study, Series, Equipment and SOP Common modules.

    Args:
        target: whose object.
        derivation: its sources.
        sop_class_uid, modality: its kind.
        series: name of the series within the export; objects of one name share the series UID.
        label: of the series.
        instance: number of the object in the series, from 1.
    """
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.InstanceCreationDate = f"{target.made:%Y%m%d}"
    dataset.InstanceCreationTime = f"{target.made:%H%M%S}"
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = target.uids.of(series, instance)
    put_patient_and_study(dataset, target)
    dataset.Modality = modality
    dataset.SeriesInstanceUID = target.uids.of(series)
    dataset.SeriesNumber = label.number
    dataset.SeriesDate, dataset.SeriesTime = f"{target.made:%Y%m%d}", f"{target.made:%H%M%S}"
    dataset.SeriesDescription = label.description
    _put_body_part(dataset, derivation.fixed)
    dataset.InstanceNumber = instance
    put_equipment(dataset)
    dataset.CodingSchemeIdentificationSequence = codes.own_scheme()
    equipment = contributing_equipment(derivation)
    if equipment:
        dataset.ContributingEquipmentSequence = equipment
    return dataset


def put_patient_and_study(dataset: Dataset, target: Target) -> None:
    """Set the modules of patient, study and clinical trial, well-formed or empty."""
    patient, study = target.patient, target.study
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = _formed("DA", patient.birth_date)
    dataset.PatientSex = patient.sex.upper() if patient.sex.upper() in ("M", "F", "O") else ""
    if patient.issuer_of_id:
        dataset.IssuerOfPatientID = patient.issuer_of_id
    dataset.StudyInstanceUID = study.uid
    dataset.StudyDate = _formed("DA", study.date)
    dataset.StudyTime = _formed("TM", study.time)
    dataset.StudyID = study.study_id[:16]
    dataset.AccessionNumber = study.accession_number[:16]
    dataset.ReferringPhysicianName = study.referring_physician
    optional = {
        "StudyDescription": study.description[:64],
        "PatientAge": _formed("AS", patient.age),
        "PatientSize": _formed("DS", patient.size),
        "PatientWeight": _formed("DS", patient.weight),
    }
    for keyword, value in optional.items():
        if value.strip("0."):  # a weight of 0 is one that nobody entered
            setattr(dataset, keyword, value)
    for keyword, value in patient.trial.items():
        setattr(dataset, keyword, value[:64])
    if patient.identity_removed in ("YES", "NO"):
        dataset.PatientIdentityRemoved = patient.identity_removed
    if patient.identity_removed == "YES":  # then the method is wanted, too
        method = patient.deidentification or "As the source, which does not say how"
        dataset.DeidentificationMethod = [part[:64] for part in method.split("\\")]


def put_equipment(dataset: Dataset) -> None:
    """Set the (Enhanced) General Equipment module: this software, not the scanner."""
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL_NAME
    dataset.DeviceSerialNumber = SERIAL_NUMBER
    dataset.SoftwareVersions = __version__


def put_frame_of_reference(dataset: Dataset, target: Target, fixed: SeriesContext | None) -> None:
    """Set the Frame of Reference module."""
    dataset.FrameOfReferenceUID = target.frame_of_reference_uid
    dataset.PositionReferenceIndicator = fixed.position_reference if fixed else ""


def put_disclaimers(dataset: Dataset, derivation: Derivation) -> None:
    """Say that it is not for diagnosis, holds no burned-in text, and whether anything was lossy."""
    dataset.ImageComments = f"{NOT_FOR_DIAGNOSIS} Fused by WDualMine {__version__}."
    dataset.BurnedInAnnotation = "NO"
    lossy = [series for series in derivation.sources if series.lossy]
    dataset.LossyImageCompression = "01" if lossy else "00"
    ratios = [ratio for series in lossy for ratio in series.lossy_ratios]
    methods = [method for series in lossy for method in series.lossy_methods]
    if ratios:
        dataset.LossyImageCompressionRatio = ratios
    if methods:
        dataset.LossyImageCompressionMethod = methods


def contributing_equipment(derivation: Derivation) -> Sequence:
    """The scanners that made the sources."""
    items = []
    for series in derivation.sources:
        if not series.manufacturer:
            continue
        item = Dataset()
        item.PurposeOfReferenceCodeSequence = codes.sequence(codes.ACQUISITION_EQUIPMENT)
        item.Manufacturer = series.manufacturer[:64]
        if series.model_name:
            item.ManufacturerModelName = series.model_name[:64]
        items.append(item)
    return Sequence(items)


def decimals(values: object) -> list[str]:
    """Numbers as decimal strings of at most 16 characters (VR DS), as exact as these hold."""
    # Adding 0.0 turns -0.0 into 0.0, which some readers take for a sign.
    return [format_number_as_ds(float(value) + 0.0) for value in values]


def _put_body_part(dataset: Dataset, fixed: SeriesContext | None) -> None:
    """BodyPartExamined if known, and Laterality: wanted, if only empty, unless the part is known
    not to be one of a pair."""
    part = fixed.body_part.upper()[:16] if fixed else ""
    if part:
        dataset.BodyPartExamined = part
    if part not in _NOT_PAIRED:
        dataset.Laterality = fixed.laterality if fixed and fixed.laterality in ("L", "R") else ""


def _formed(vr: str, value: str) -> str:
    """``value`` if it is well-formed: an archive's "1/2/1960" must not spoil our object."""
    return value if _FORMATS[vr].fullmatch(value) else ""
