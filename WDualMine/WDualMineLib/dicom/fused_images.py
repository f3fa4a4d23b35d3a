"""The fused volume as single-frame CT or MR images, or as RGB secondary captures in colour."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ..errors import InputError
from ..volumes.volume import Volume
from . import codes, kinds
from .derivation import Derivation, describe, instances_behind, list_series, source_images
from .modules import (
    Target,
    new_object,
    put_disclaimers,
    put_frame_of_reference,
)
from .planes import Planes, planes_of
from .series import SeriesLabel

FULL_SCALE = 65535
"""Stored value of 1.0; one quantisation step is 1/65535."""

_MR_TYPE_2 = (
    "ScanOptions",
    "MRAcquisitionType",
    "EchoTime",
    "EchoTrainLength",
    "RepetitionTime",
)
_KINDS = {"CT": kinds.CT, "MR": kinds.MR}


def kind_for(derivation: Derivation) -> str:
    """ "CT" or "MR": the kind of the fixed volume, else the moving one's, else MR.

    A fused value is no activity, so a fused PET or NM series takes the kind of its anatomy.
    """
    return next((code for code in derivation.codes if code in _KINDS), "MR")


def gray_images(
    fused: Volume, target: Target, derivation: Derivation, kind: str, label: SeriesLabel
) -> Iterator[Dataset]:
    """The fused volume, one data set a slice, in the order of the normal.

    Args:
        fused: 0..1; stored as ``round(65535 * value)``, and a Real World Value Mapping back.
        target, derivation: whose, and from what.
        kind: "CT" or "MR".
        label: of the new series.

    Raises:
        InputError: values outside 0..1 or not finite, or a sheared grid.
    """
    planes = planes_of(fused)
    stored = _stored(fused, planes)
    for k in range(len(stored)):
        dataset = _slice(planes, k, target, derivation, _KINDS[kind], kind, label)
        (_put_ct if kind == "CT" else _put_mr)(dataset, derivation)
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        _put_pixels(dataset, stored[k].astype("<u2"), bits=16)
        dataset.WindowCenter, dataset.WindowWidth = "32768", "65536"
        dataset.WindowCenterWidthExplanation = "Full range"
        dataset.RealWorldValueMappingSequence = Sequence([_real_world_values()])
        yield dataset


def colour_images(
    colour: Volume, target: Target, derivation: Derivation, label: SeriesLabel
) -> Iterator[Dataset]:
    """The fused volume in colour, one RGB secondary capture a slice, placed like the gray ones.

    Raises:
        InputError: not RGB of 8 bits, or a sheared grid.
    """
    if not colour.is_colour or colour.array.dtype != np.uint8 or colour.array.shape[3] != 3:
        raise InputError(
            f"{colour.name} is not an RGB volume of 8 bits", "Give the colour volume of a fusion"
        )
    planes = planes_of(colour)
    kind = kinds.SECONDARY_CAPTURE
    for k in range(len(planes.array)):
        dataset = _slice(planes, k, target, derivation, kind, "OT", label)
        dataset.ConversionType = "WSD"
        dataset.PatientOrientation = planes.letters
        dataset.ImageType = ["DERIVED", "SECONDARY"]
        dataset.SamplesPerPixel = 3
        dataset.PhotometricInterpretation = "RGB"
        dataset.PlanarConfiguration = 0
        _put_pixels(dataset, planes.array[k], bits=8)
        yield dataset


def _slice(
    planes: Planes,
    k: int,
    target: Target,
    derivation: Derivation,
    sop_class_uid: str,
    modality: str,
    label: SeriesLabel,
) -> Dataset:
    """All but pixels and what is of the kind alone."""
    dataset = new_object(
        target,
        derivation,
        sop_class_uid=sop_class_uid,
        modality=modality,
        series=f"fused {modality}",
        label=label,
        instance=k + 1,
    )
    put_frame_of_reference(dataset, target, derivation.fixed)
    dataset.PatientPosition = derivation.fixed.patient_position if derivation.fixed else ""
    put_disclaimers(dataset, derivation)
    planes.put(dataset, k)
    dataset.ContentDate = dataset.SeriesDate
    dataset.ContentTime = dataset.SeriesTime
    describe(dataset, derivation)
    references = instances_behind(derivation, planes.geometry, k)
    if references:
        dataset.SourceImageSequence = source_images(references)
        pairs = [(instance, series) for instance, series, _ in references]
        list_series(dataset, pairs, target.study.uid)
    return dataset


def _put_ct(dataset: Dataset, derivation: Derivation) -> None:
    """The CT Image module (PS3.3 C.8.2.1); what the fixed series does not say stays empty."""
    source = _acquisition(derivation, "CT")
    dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    dataset.AcquisitionNumber = source.get("AcquisitionNumber", "")
    dataset.KVP = source.get("KVP", "")
    dataset.RescaleIntercept, dataset.RescaleSlope = "0", "1"
    dataset.RescaleType = "US"  # unspecified: a fused value is no Hounsfield unit


def _put_mr(dataset: Dataset, derivation: Derivation) -> None:
    """The MR Image module (PS3.3 C.8.3.1); RM is research mode, where there was no MR sequence."""
    source = _acquisition(derivation, "MR")
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.AcquisitionNumber = source.get("AcquisitionNumber", "")
    dataset.ScanningSequence = source.get("ScanningSequence", "RM")
    dataset.SequenceVariant = source.get("SequenceVariant", "NONE")
    for keyword in _MR_TYPE_2:
        setattr(dataset, keyword, source.get(keyword, ""))
    if "IR" in dataset.ScanningSequence:
        dataset.InversionTime = source.get("InversionTime", "")
    if "MagneticFieldStrength" in source:
        dataset.MagneticFieldStrength = source["MagneticFieldStrength"]
    dataset.SpacingBetweenSlices = dataset.SliceThickness


def _acquisition(derivation: Derivation, kind: str) -> dict[str, str | list[str]]:
    """What the fixed series says of its acquisition, if it is of this kind."""
    fixed = derivation.fixed
    return fixed.acquisition if fixed is not None and fixed.modality == kind else {}


def _stored(fused: Volume, planes: Planes) -> np.ndarray:
    low, high = float(planes.array.min()), float(planes.array.max())
    if fused.is_colour or not (low >= -1e-6 and high <= 1 + 1e-6):  # false for NaN as well
        raise InputError(
            f"{fused.name} has values from {low:g} to {high:g}, and a fused volume has 0 to 1",
            "Give the fused volume as `wdualmine fuse` writes it",
        )
    return np.rint(np.clip(planes.array, 0, 1).astype(np.float64) * FULL_SCALE).astype(np.uint16)


def _put_pixels(dataset: Dataset, pixels: np.ndarray, bits: int) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = 0
    raw = np.ascontiguousarray(pixels).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW"


def _real_world_values() -> Dataset:
    """Stored value to 0..1 (PS3.3 C.7.6.16.2.11)."""
    mapping = Dataset()
    mapping.LUTExplanation = "Fused intensity, 0 to 1"
    mapping.LUTLabel = "FUSED"
    mapping.add_new("RealWorldValueFirstValueMapped", "US", 0)
    mapping.add_new("RealWorldValueLastValueMapped", "US", FULL_SCALE)
    mapping.RealWorldValueIntercept = 0.0
    mapping.RealWorldValueSlope = 1.0 / FULL_SCALE
    mapping.MeasurementUnitsCodeSequence = codes.sequence(codes.NO_UNITS)
    return mapping
