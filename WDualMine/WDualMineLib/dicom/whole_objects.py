"""DICOM files of a folder, each read to its end: nothing of them is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from ..errors import InputError
from ..volumes.paths import require_readable
from .headers import DICOM_SUFFIXES, damaged, number, text
from .structure import require_complete

_DIRECTORY = "1.2.840.10008.1.3.10"
_PIXELS = {"PixelData": "BitsAllocated", "FloatPixelData": 32, "DoubleFloatPixelData": 64}
# What an object without pixels is nothing without; it comes late in the file.
_CONTENT = (
    "RegistrationSequence",
    "DeformableRegistrationSequence",
    "ContentSequence",
    "EncapsulatedDocument",
    "ROIContourSequence",
    "StructureSetROISequence",
    "WaveformSequence",
    "ReferencedSeriesSequence",
    "CurrentRequestedProcedureEvidenceSequence",
    "ReferencedImageRealWorldValueMappingSequence",
    "FractionGroupSequence",
)
_WITH_PIXELS = ("Image Storage", "Segmentation Storage", "Parametric Map Storage", "RT Dose")


@dataclass(frozen=True)
class WholeObject:
    """One file.

    Attributes:
        path: where it lies.
        sop_class_uid, transfer_syntax_uid: what it is and how it is encoded.
        left_out: sentences on what lies in the folder and is no DICOM; the same for all.
    """

    path: Path
    sop_class_uid: str
    transfer_syntax_uid: str
    left_out: tuple[str, ...] = ()


def whole_objects(folder: Path) -> Iterator[WholeObject]:
    """The DICOM objects of a folder with its subfolders, or of one file.

    Raises:
        InputError: no such folder, no DICOM file in it, one that is named as DICOM and is none, or
            one that is damaged or cut short; before anything after it is looked at.
    """
    require_readable(folder)
    paths = [folder] if folder.is_file() else sorted(p for p in folder.rglob("*") if p.is_file())
    dicom, others = [], []
    for path in paths:
        if _is_marked(path):
            dicom.append(path)
        elif path.suffix.lower() in DICOM_SUFFIXES:
            raise InputError(
                f"{path.name} is no DICOM file, or it is cut short",
                "Write or fetch it again, or move it elsewhere",
            )
        elif not path.name.startswith("."):
            others.append(path.name)
    left_out = ()
    if others:
        listed = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        left_out = (f"{len(others)} files that are not DICOM were not sent: {listed}",)
    found = False
    for path in dicom:
        whole = _whole(path, left_out)
        if whole is not None:
            found = True
            yield whole
    if not found:
        raise InputError(
            f"{folder} holds no DICOM files", "Give the folder that `wdualmine dicom export` wrote"
        )


def _is_marked(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _whole(path: Path, left_out: tuple[str, ...]) -> WholeObject | None:
    """None for a directory of objects (DICOMDIR), which is not sent."""
    with damaged(path):
        dataset = pydicom.dcmread(path)
        meta = dataset.file_meta
        kind = text(meta, "MediaStorageSOPClassUID") or text(dataset, "SOPClassUID")
        if kind == _DIRECTORY:
            return None
        require_complete(path.read_bytes(), text(meta, "TransferSyntaxUID"))
        for tag in list(dataset.keys()):  # elements are parsed when they are looked at
            dataset[tag]
        if text(dataset, "SOPClassUID") != kind or not text(dataset, "SOPInstanceUID"):
            raise ValueError("it does not name its kind and instance")
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
            if not text(dataset, keyword):
                raise ValueError(f"it has no {keyword}")
        _require_content(dataset, UID(kind).name)
        return WholeObject(path, kind, text(meta, "TransferSyntaxUID"), left_out)


def _require_content(dataset: Dataset, kind: str) -> None:
    """ValueError where pixels, or what else the object is about, are missing or too few."""
    present = [keyword for keyword in _PIXELS if keyword in dataset]
    if present:
        _require_pixels(dataset, present[0])
    elif any(words in kind for words in _WITH_PIXELS) or "Rows" in dataset:
        raise ValueError("it has no pixels, where its kind has some")
    elif not any(keyword in dataset for keyword in _CONTENT):
        raise ValueError("it breaks off before its content")


def _require_pixels(dataset: Dataset, keyword: str) -> None:
    value = dataset[keyword].value
    raw = value if isinstance(value, bytes) else b""
    frames = int(number(dataset, "NumberOfFrames") or 1)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        if _fragments(raw) < frames:
            raise ValueError(f"it has fewer pieces of pixels than its {frames} frames")
        return
    bits = _PIXELS[keyword]
    bits = int(number(dataset, bits)) if isinstance(bits, str) else bits
    pixels = frames * int(number(dataset, "Rows")) * int(number(dataset, "Columns"))
    samples = int(number(dataset, "SamplesPerPixel") or 1)
    if text(dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2
    expected = (pixels * samples * bits + 7) // 8
    if len(raw) < expected:
        raise ValueError(f"it has {len(raw)} bytes of pixels instead of {expected}")


def _fragments(raw: bytes) -> int:
    """Pieces of encapsulated pixels (PS3.5 A.4), behind the table of offsets.

    Raises:
        ValueError: the last one breaks off.
    """
    count, position = -1, 0
    while raw[position : position + 4] == b"\xfe\xff\x00\xe0":
        count += 1
        position += 8 + int.from_bytes(raw[position + 4 : position + 8], "little")
    if position > len(raw):
        raise ValueError("its pixels break off")
    return count
