"""What a DICOM series says beside its voxels: patient, study, frame of reference, instances.

Small value objects that hold no pydicom data set, so that nothing of a source file can slip into
an exported object unless it is named here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..volumes.geometry import Geometry


@dataclass(frozen=True)
class Patient:
    """The Patient module (PS3.3 C.7.1.1), as strings; "" where the series says nothing.

    ``size`` is in metres and ``weight`` in kilograms, as DICOM keeps them. ``identity_removed`` is
    "YES" of a series that was de-identified, ``deidentification`` says how. ``trial`` holds the
    Clinical Trial Subject and Study modules (keyword to string).
    """

    patient_id: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    issuer_of_id: str = ""
    age: str = ""
    size: str = ""
    weight: str = ""
    identity_removed: str = ""
    deidentification: str = ""
    trial: dict[str, str] = field(default_factory=dict)

    def differences(self, other: Patient) -> list[str]:
        """Which of ID, name, birth date and sex contradict; what either leaves empty does not."""
        pairs = {
            "patient ID": (self.patient_id, other.patient_id),
            "patient name": (_plain_name(self.name), _plain_name(other.name)),
            "birth date": (self.birth_date, other.birth_date),
            "sex": (self.sex.upper(), other.sex.upper()),
        }
        if self.issuer_of_id and other.issuer_of_id and self.issuer_of_id != other.issuer_of_id:
            # Numbers of two hospitals cannot be compared; name and birth date still can.
            del pairs["patient ID"]
        return [what for what, (a, b) in pairs.items() if a and b and a != b]


@dataclass(frozen=True)
class Study:
    """The General Study module (PS3.3 C.7.2.1), as strings; "" where the series says nothing."""

    uid: str
    date: str = ""
    time: str = ""
    study_id: str = ""
    accession_number: str = ""
    referring_physician: str = ""
    description: str = ""


@dataclass(frozen=True)
class Instance:
    """One slice as it was acquired.

    Attributes:
        sop_class_uid, sop_instance_uid: which object holds it.
        frame_number: 1-based frame in a multi-frame object, None in a single-frame one.
        position: LPS mm of the centre of its first pixel.
        slope, intercept: stored value to real value.
        instance_number: as the series counts, None where it does not.
    """

    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int | None
    position: tuple[float, float, float]
    slope: float = 1.0
    intercept: float = 0.0
    instance_number: int | None = None


@dataclass(frozen=True)
class SuvFactor:
    """Stored-unit value to SUV by body weight: ``suv = factor * value``.

    ``factor`` is None where it cannot be known; ``reason`` then says why in one sentence, and
    otherwise how it was found.
    """

    factor: float | None
    reason: str


@dataclass(frozen=True)
class SeriesContext:
    """Everything of a series that an object derived from it must or may repeat.

    Attributes:
        patient, study: whose it is.
        series_uid, series_number, series_description, modality: which series it is.
        sop_class_uid: the kind of its instances.
        frame_of_reference_uid: "" where the series carries none (it is required for CT, MR, PT,
            but anonymisers drop it).
        instances: the slices along the normal of the image plane, ascending; the order of K.
        geometry: the grid that the series was read onto.
        units: of the values, "HU", "BQML", ...; "" where unknown.
        suv: for PET only.
        acquisition: type 1 and 2 attributes of the CT or MR module that a derived image repeats
            (keyword to string or list of strings).
        lossy: whether any instance went through lossy compression, with its ratios and methods.
    """

    patient: Patient
    study: Study
    series_uid: str
    modality: str
    sop_class_uid: str
    instances: tuple[Instance, ...]
    geometry: Geometry
    series_number: int | None = None
    series_description: str = ""
    frame_of_reference_uid: str = ""
    position_reference: str = ""
    patient_position: str = ""
    body_part: str = ""
    laterality: str = ""
    manufacturer: str = ""
    model_name: str = ""
    units: str = ""
    suv: SuvFactor | None = None
    acquisition: dict[str, str | list[str]] = field(default_factory=dict)
    lossy: bool = False
    lossy_ratios: tuple[str, ...] = ()
    lossy_methods: tuple[str, ...] = ()


def _plain_name(name: str) -> str:
    """A person's name without case and empty components, so that ``DOE^J^^`` equals ``doe^j``."""
    return name.split("=")[0].upper().replace(" ", "^").strip("^")
