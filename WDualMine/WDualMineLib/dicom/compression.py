"""Compressed pixels, by pydicom's decoders or, where none of them is installed, by ITK's."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

try:
    from pydicom.encaps import generate_frames
except ImportError:  # pydicom 2.4
    from pydicom.encaps import generate_pixel_data_frame

    def generate_frames(buffer: bytes, *, number_of_frames: int):
        return generate_pixel_data_frame(buffer, number_of_frames)


from ..errors import InputError
from .files import write_file
from .headers import number
from .kinds import SECONDARY_CAPTURE

# A frame may be this much larger than its code; a larger claim is refused before memory is taken
# for it. Blank images compress best: JPEG 2000 brings 2 MiB of one value to some hundred bytes.
_MOST_RATIO = 50_000
_SMALL = 1 << 26
_LAYOUT = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")


def decompressed(name: str, dataset: Dataset, shape: tuple[int, int, int]) -> np.ndarray:
    """(frames, rows, columns) or any other shape of as many stored values.

    Args:
        name: of the file, for messages.
        dataset: with PixelData of a compressed transfer syntax, not in colour.
        shape: frames, rows, columns, as the header says.

    Raises:
        ValueError: fewer frames than ``shape`` says, or an impossible size.
        InputError: no decoder takes it.
    """
    size = int(np.prod(shape, dtype=np.float64)) * (int(number(dataset, "BitsAllocated")) // 8)
    if size > max(_SMALL, _MOST_RATIO * len(dataset.PixelData)):
        raise ValueError(f"{len(dataset.PixelData)} bytes cannot hold the {size} that it claims")
    try:
        return dataset.pixel_array
    except (RuntimeError, NotImplementedError, AttributeError, OverflowError):
        pass
    codes = list(generate_frames(dataset.PixelData, number_of_frames=shape[0]))
    if len(codes) != shape[0]:
        raise ValueError(f"it holds {len(codes)} frames and says {shape[0]}")
    try:
        return np.stack([_by_itk(dataset, code) for code in codes])
    except RuntimeError as error:
        raise InputError(
            f"The pixels of {name} cannot be decoded: they are compressed as "
            f"{dataset.file_meta.TransferSyntaxUID.name}, and no decoder here takes them",
            "Fetch the series again, uncompressed if the archive can do that",
        ) from error


def _by_itk(dataset: Dataset, code: bytes) -> np.ndarray:
    """One frame, in an object of its own with nothing that ITK would apply: no rescale, no lookup
    table, and MONOCHROME2, since it inverts MONOCHROME1."""
    frame = Dataset()
    frame.SOPClassUID, frame.SOPInstanceUID = SECONDARY_CAPTURE, "2.25.1"
    for keyword in _LAYOUT:
        setattr(frame, keyword, dataset[keyword].value)
    frame.SamplesPerPixel, frame.PhotometricInterpretation = 1, "MONOCHROME2"
    frame.PixelData = encapsulate([code])
    frame["PixelData"].VR, frame["PixelData"].is_undefined_length = "OB", True
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "frame.dcm"
        write_file(frame, copy, dataset.file_meta.TransferSyntaxUID)
        return sitk.GetArrayFromImage(sitk.ReadImage(str(copy)))
