"""The stored values of one file, decoded exactly or refused: never padded, never cut in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

try:
    from pydicom.pixels import apply_modality_lut
except ImportError:  # pydicom 2.4
    from pydicom.pixel_data_handlers.util import apply_modality_lut

from .compression import decompressed
from .headers import damaged, number, text
from .padding import float_padding, integer_padding

# Signatures and trailing padding.
_MAY_FOLLOW = (0xFFFAFFFA, 0xFFFCFFFC)
_NOT_IN_PLACE = (pydicom.uid.DeflatedExplicitVRLittleEndian,)
_FLOATS = {"FloatPixelData": (32, "<f4"), "DoubleFloatPixelData": (64, "<f8")}


def stored_values(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """(frames, rows, columns) of stored values, of the integer or float type that holds them.

    A modality lookup table, where there is one, has been applied: it is no slope and intercept.
    MONOCHROME1, which is a matter of display, changes no value.

    Returns:
        The values, and where they are padding (boolean, same shape), None where nothing is.

    Raises:
        InputError: no pixels, fewer or more than the header says, colour, or a compression that
            cannot be decoded; names the file.
    """
    with damaged(path):
        dataset = _read(path)
        frames = int(number(dataset, "NumberOfFrames") or 1)
        rows, columns = int(number(dataset, "Rows")), int(number(dataset, "Columns"))
        shape = (frames, rows, columns)
        if min(shape) < 1 or np.prod(shape, dtype=np.float64) > 2**33:
            raise ValueError(f"it claims {frames} frames of {rows} x {columns} pixels")
        _require_end(path, dataset)
        for keyword, (bits, dtype) in _FLOATS.items():
            if keyword in dataset:
                values = _floats(dataset[keyword].value, shape, bits, dtype)
                padding = float_padding(dataset)
                return values, None if padding is None else padding.where(values)
        if "PixelData" not in dataset or not dataset.PixelData:
            raise ValueError("it holds no pixels")
        if int(number(dataset, "SamplesPerPixel") or 1) != 1:
            raise ValueError("it is in colour")
        values, outside = _decode(path.name, dataset, shape)
        if dataset.get("ModalityLUTSequence"):
            values = apply_modality_lut(values, dataset)
        return values.reshape(shape), None if outside is None else outside.reshape(shape)


def _read(path: Path) -> Dataset:
    """The whole file; one without a header of its own gets the encoding that it was read with."""
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = pydicom.uid.ImplicitVRLittleEndian
        explicit = pydicom.uid.ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = implicit if dataset.is_implicit_VR else explicit
    return dataset


def _require_end(path: Path, dataset: Dataset) -> None:
    """Nothing but padding and signatures may follow the pixels (PS3.5 7.1): other bytes mean that
    some were inserted before, so that every pixel lies beside its place."""
    if dataset.file_meta.TransferSyntaxUID in _NOT_IN_PLACE or "PixelData" not in dataset:
        return
    element = dataset["PixelData"]
    if element.is_undefined_length or any(tag in dataset for tag in _MAY_FOLLOW):
        return
    with path.open("rb") as stream:
        stream.seek(element.file_tell + len(element.value))
        if any(stream.read()):
            raise ValueError("bytes that belong to nothing follow its pixels")


def _floats(raw: bytes, shape: tuple[int, ...], bits: int, dtype: str) -> np.ndarray:
    expected = int(np.prod(shape)) * bits // 8
    if len(raw) != expected:
        raise ValueError(f"{len(raw)} bytes of pixels instead of {expected}")
    return np.frombuffer(raw, dtype=dtype).reshape(shape)


def _decode(
    name: str, dataset: Dataset, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray | None]:
    allocated, stored = int(number(dataset, "BitsAllocated")), int(number(dataset, "BitsStored"))
    high = number(dataset, "HighBit")
    if allocated not in (8, 16, 32) or not 1 <= stored <= allocated:
        raise ValueError(f"{stored} bits stored in {allocated} are not a layout of DICOM")
    if high is not None and high != stored - 1:
        raise ValueError(f"its highest bit is {high:g} where {stored} bits are stored")
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        values = decompressed(name, dataset, shape)
    else:
        _require_length(dataset.PixelData, int(np.prod(shape)) * allocated // 8)
        values = dataset.pixel_array
    if values.size != np.prod(shape):
        raise ValueError(f"{values.size} pixels instead of {int(np.prod(shape))}")
    signed = bool(number(dataset, "PixelRepresentation"))
    kept = _only_stored_bits(values, stored, signed=signed)
    padding = integer_padding(dataset, allocated, signed)
    if padding is None:
        return kept, None
    # Padding may use bits that values do not (63536 where 12 bits are stored).
    lowest, highest = (
        (-(2 ** (stored - 1)), 2 ** (stored - 1) - 1) if signed else (0, 2**stored - 1)
    )
    outside = padding.where(values)
    if lowest <= padding.low and padding.high <= highest:
        outside |= padding.where(kept)
    return kept, outside


def _require_length(raw: bytes, expected: int) -> None:
    """Padding after the pixels is zero; anything else means that rows or columns are wrong."""
    if len(raw) < expected:
        raise ValueError(f"{len(raw)} bytes of pixels instead of {expected}")
    if any(raw[expected:]):
        raise ValueError(f"its pixels go on behind the {expected} bytes that its size says")


def _only_stored_bits(values: np.ndarray, stored: int, signed: bool) -> np.ndarray:
    """Without what old scanners kept in the unused high bits (overlays)."""
    unused = values.dtype.itemsize * 8 - stored
    if unused <= 0 or values.dtype.kind not in "iu":
        return values
    kind = values.dtype.newbyteorder("=").str.replace("u", "i" if signed else "u")
    wide = values.astype(kind if signed else kind.replace("i", "u"), copy=False)
    return (wide << unused) >> unused


def is_colour(dataset: Dataset) -> bool:
    """Whether a header describes colour pixels, also by palette."""
    samples = number(dataset, "SamplesPerPixel")
    return (samples or 1) > 1 or text(dataset, "PhotometricInterpretation") == "PALETTE COLOR"
