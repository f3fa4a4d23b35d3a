"""Headers to frames: where each image plane lies, in single-frame, enhanced and NM objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ..errors import InputError
from .headers import Header, damaged, number, numbers, text
from .kinds import ENHANCED, NUCLEAR_MEDICINE, PARAMETRIC_MAP
from .mosaic import refuse_mosaic
from .real_world import ValueMapping, mapping_of

# Cosines are written with six digits or fewer; further off than this they are wrong.
_COSINE_TOLERANCE = 1e-3

# What sets images at one position apart: shown to the user when a series is several volumes.
_TELLS_APART = (
    "AcquisitionNumber",
    "AcquisitionTime",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "FrameAcquisitionNumber",
    "EchoTime",
    "EffectiveEchoTime",
    "EchoNumbers",
    "InversionTime",
    "DiffusionBValue",
    "TriggerTime",
    "ContentTime",
    "ImageType",
)


@dataclass(frozen=True)
class Frame:
    """One image plane.

    Attributes:
        path, index: the file, and the frame in it (0-based).
        position: (3,) LPS mm of the centre of the first pixel.
        rows_along, columns_along: (3,) unit vectors of increasing column and row index, that is
            of the I and the J axis.
        spacing: mm along I and J.
        shape: rows, columns.
        slope, intercept: stored value to real value, where there is no ``mapping``.
        units: of the real value, as the rescale or the mapping says; "" where neither does.
        mapping: stored value to real value, or None.
        thickness: mm, None where unknown.
        gap: mm between slices as the header states it, None where it does not.
        apart: what may distinguish it from another image at its position.
    """

    path: Path
    index: int
    frame_number: int | None
    sop_class_uid: str
    sop_instance_uid: str
    position: np.ndarray
    rows_along: np.ndarray
    columns_along: np.ndarray
    spacing: tuple[float, float]
    shape: tuple[int, int]
    slope: float = 1.0
    intercept: float = 0.0
    units: str = ""
    mapping: ValueMapping | None = None
    thickness: float | None = None
    gap: float | None = None
    instance_number: int | None = None
    apart: dict[str, str] = field(default_factory=dict)

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit LPS vector, right-handed with the I and the J axis."""
        return np.cross(self.rows_along, self.columns_along)


def frames_of(header: Header) -> list[Frame]:
    """All image planes of one file.

    Raises:
        InputError: geometry missing or impossible, or values that cannot be parsed; names the file.
    """
    with damaged(header.path):
        dataset = header.dataset
        kind = text(dataset, "SOPClassUID")
        if kind in ENHANCED or kind == PARAMETRIC_MAP:
            return list(_enhanced(header))
        if kind == NUCLEAR_MEDICINE:
            return list(_nuclear_medicine(header))
        if int(number(dataset, "NumberOfFrames") or 1) != 1:
            raise _without_geometry(header, "it holds several frames where its kind has one")
        refuse_mosaic(header)
        return [_frame(header, 0, None, [dataset], [dataset])]


def _frame(
    header: Header,
    index: int,
    number_: int | None,
    groups: list[Dataset],
    holders: list[Dataset],
) -> Frame:
    """A frame whose attributes are looked up in ``groups``, first come first served.

    Args:
        holders: data sets that may hold a mapping to real-world values, likewise.
    """
    position = _first(groups, "ImagePositionPatient", 3)
    orientation = _first(groups, "ImageOrientationPatient", 6)
    spacing = _first(groups, "PixelSpacing", 2)
    missing = [
        name
        for name, value in (
            ("position", position),
            ("orientation", orientation),
            ("pixel spacing", spacing),
        )
        if value is None
    ]
    if missing:
        raise _without_geometry(header, f"it has no {' and no '.join(missing)}")
    if min(spacing) <= 0:
        raise _without_geometry(header, f"its pixel spacing is {spacing[0]:g} x {spacing[1]:g} mm")
    along_i, along_j = _axes(header, orientation)
    slope, intercept = _rescale(groups)
    dataset = header.dataset
    rescale_type = _first_text(groups, "RescaleType").upper()
    mapping = _mapping(dataset, holders)
    return Frame(
        path=header.path,
        index=index,
        frame_number=number_,
        sop_class_uid=text(dataset, "SOPClassUID"),
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        position=np.array(position),
        rows_along=along_i,
        columns_along=along_j,
        spacing=(spacing[1], spacing[0]),  # DICOM gives the spacing between rows (J) first
        shape=_shape(dataset),
        slope=slope,
        intercept=intercept,
        units=rescale_type if mapping is None else mapping.units,
        mapping=mapping,
        thickness=_positive(groups, "SliceThickness"),
        gap=_positive(groups, "SpacingBetweenSlices"),
        instance_number=_instance_number(dataset),
        apart={key: value for key in _TELLS_APART if (value := _first_text(groups, key))},
    )


def _enhanced(header: Header) -> Iterator[Frame]:
    """Frames of an enhanced multi-frame object: functional groups, per frame before shared."""
    dataset = header.dataset
    per_frame = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    shared = list(dataset.get("SharedFunctionalGroupsSequence") or [])
    count = int(number(dataset, "NumberOfFrames") or 1)
    if len(per_frame) != count:
        raise _without_geometry(
            header, f"it describes the position of {len(per_frame)} of its {count} frames"
        )
    shared_groups = [item for group in shared for item in _macros(group)]
    for index, group in enumerate(per_frame):
        groups = [*_macros(group), *shared_groups]
        yield _frame(header, index, index + 1, groups, [group, *shared, dataset])


def _nuclear_medicine(header: Header) -> Iterator[Frame]:
    """Frames of an NM object: the first one's place, then steps along the normal (C.8.4.15)."""
    dataset = header.dataset
    image_type = text(dataset, "ImageType").upper().split("\\")
    if "RECON TOMO" not in image_type:
        raise InputError(
            f"{header.path.name} is an NM image of type {'/'.join(image_type[2:]) or 'unknown'}, "
            "not a reconstructed tomogram, so it is no volume",
            "Choose the reconstructed transverse slices (image type RECON TOMO) of the study",
        )
    detectors = list(dataset.get("DetectorInformationSequence") or [])[:1]
    first = _frame(header, 0, 1, [dataset, *detectors], [dataset])
    count = int(number(dataset, "NumberOfFrames") or 1)
    step = number(dataset, "SpacingBetweenSlices")
    slices = _slice_numbers(dataset, count)
    if count > 1 and not step:
        raise _without_geometry(header, "it does not say how far apart its slices are")
    for index in range(count):
        moved = (slices[index] - slices[0]) * (step or 0.0) * first.normal
        yield Frame(
            **{
                **vars(first),
                "index": index,
                "frame_number": index + 1,
                "position": first.position + moved,
                "gap": abs(step) if step else None,
            }
        )


def _slice_numbers(dataset: Dataset, count: int) -> list[int]:
    """The slice vector (0054,0080), which says which slice each frame is; else as they come."""
    vector = dataset.get("SliceVector")
    values = [int(item) for item in vector] if vector and not isinstance(vector, int) else []
    return values if len(values) == count else list(range(count))


def _macros(group: Dataset) -> list[Dataset]:
    """The first item of each functional group sequence."""
    sequences = (element.value for element in group if element.VR == "SQ")
    return [sequence[0] for sequence in sequences if len(sequence)]


def _first(groups: list[Dataset], keyword: str, count: int) -> tuple[float, ...] | None:
    return next((v for g in groups if (v := numbers(g, keyword, count)) is not None), None)


def _first_text(groups: list[Dataset], keyword: str) -> str:
    return next((value for group in groups if (value := text(group, keyword))), "")


def _positive(groups: list[Dataset], keyword: str) -> float | None:
    value = _first(groups, keyword, 1)
    return abs(value[0]) if value and value[0] else None


def _rescale(groups: list[Dataset]) -> tuple[float, float]:
    slope = _first(groups, "RescaleSlope", 1)
    intercept = _first(groups, "RescaleIntercept", 1)
    if slope is not None and slope[0] == 0:
        raise ValueError("its rescale slope is 0, so its values say nothing")
    return (slope[0] if slope else 1.0), (intercept[0] if intercept else 0.0)


def _mapping(dataset: Dataset, holders: list[Dataset]) -> ValueMapping | None:
    """The mapping that says more than slope and intercept do, else None.

    PET is what its Units say, from which the SUV comes; of CT in HU the mapping repeats the
    rescale. Values of a parametric map mean nothing without one.
    """
    modality = text(dataset, "Modality").upper()
    if modality == "PT" and text(dataset, "Units"):
        return None
    items = next((list(s) for h in holders if (s := h.get("RealWorldValueMappingSequence"))), [])
    mapping = mapping_of(items, signed=bool(number(dataset, "PixelRepresentation")))
    if mapping is None:
        # Of floating-point pixels (32 or 64 bits) the stored values are the real ones.
        if text(dataset, "SOPClassUID") == PARAMETRIC_MAP and number(dataset, "BitsAllocated") < 32:
            raise ValueError("it is a parametric map that does not say what its values mean")
        return None
    if modality == "CT" and mapping.units == "HU":
        return None
    if dataset.get("ModalityLUTSequence"):
        raise ValueError("it has both a lookup table and a mapping to real-world values")
    return mapping


def _axes(header: Header, orientation: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    along_i, along_j = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(along_i), np.linalg.norm(along_j)
    crooked = max(abs(length - 1) for length in lengths) > _COSINE_TOLERANCE
    if crooked or abs(along_i @ along_j) > _COSINE_TOLERANCE:
        raise _without_geometry(header, "its orientation is not two perpendicular unit vectors")
    along_i = along_i / lengths[0]
    along_j = along_j - (along_j @ along_i) * along_i
    return along_i, along_j / np.linalg.norm(along_j)


def _shape(dataset: Dataset) -> tuple[int, int]:
    rows, columns = number(dataset, "Rows"), number(dataset, "Columns")
    if not rows or not columns or rows < 1 or columns < 1:
        raise ValueError("it says no number of rows or columns")
    return int(rows), int(columns)


def _instance_number(dataset: Dataset) -> int | None:
    value = text(dataset, "InstanceNumber")
    return int(value) if value.lstrip("+-").isdigit() else None


def _without_geometry(header: Header, why: str) -> InputError:
    return InputError(
        f"{header.path.name} has no usable place in the patient: {why}",
        "Choose the original series of the scanner instead of screen captures or exports",
    )
