"""Files that ITK would guess at: told by their first bytes, and refused in words."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from pathlib import Path

from ..errors import InputError
from .paths import printable

_CONVERT = "Convert it to NIfTI, NRRD or MetaImage by the program that wrote it, and give that"
_PACKED = {
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"Rar!": "RAR",
}
# ITK writes to other formats than these what it knows of place and size, or nothing.
_TRUSTED = {"NiftiImageIO", "NrrdImageIO", "MetaImageIO", "HDF5ImageIO"}
_NO_DEPTH = {"TIFFImageIO", "LSMImageIO", "BioRadImageIO", "MRCImageIO", "StimulateImageIO"}


def refuse_by_content(path: Path) -> None:
    """Refuse what is known by its first bytes and would be read wrong, or not at all.

    Raises:
        InputError: packed, NIfTI-2, Analyze, MINC.
    """
    name = printable(path.name)
    with path.open("rb") as stream:
        start = stream.read(512)
    packed = next((words for magic, words in _PACKED.items() if start.startswith(magic)), None)
    if packed is not None:
        raise InputError(f"{name} is packed ({packed})", "Unpack it and give what is inside")
    gzipped = start.startswith(b"\x1f\x8b")
    if gzipped and not name.lower().endswith(".gz"):
        raise InputError(
            f"{name} is compressed by gzip, which its name does not say",
            f"Rename it to {name}.gz if that is an image format, else unpack it",
        )
    if gzipped:
        start = _unpacked_start(path)
    size = {struct.unpack(f"{order}i", start[:4])[0] for order in "<>"} if start[3:] else set()
    if 540 in size and start[4:7] in (b"n+2", b"ni2"):
        raise InputError(
            f"{name} is a NIfTI-2 file, of which only NIfTI-1 can be read",
            "Convert it (nibabel: nib.save(nib.Nifti1Image.from_image(image), name); FSL: "
            "fslchfiletype NIFTI_GZ)",
        )
    if 348 in size and len(start) >= 348 and start[344:348] not in (b"n+1\0", b"ni1\0"):
        raise _analyze(name)
    if start.startswith(b"CDF") or re.search(r"\.mnc2?(\.gz)?$", name.lower()):
        raise _minc(name)


def notes_on_format(path: Path, reader: str) -> list[str]:
    """What must be told of a format that says little of where a volume lies.

    Args:
        reader: ITK's name for what reads it, such as "VTKImageIO".

    Raises:
        InputError: a format that says no distance between slices, or that ITK reads wrong.
    """
    name = printable(path.name)
    if reader in _TRUSTED:
        return []
    if reader == "MINCImageIO":
        raise _minc(name)
    if reader in _NO_DEPTH:
        raise InputError(
            f"{name} is of a format that does not say how far apart its slices are, nor where "
            "they lie in the patient",
            _CONVERT,
        )
    return [
        f"{name} is of a format ({reader.removesuffix('ImageIO')}) that says nothing for certain "
        "of its orientation; check left and right"
    ]


def refuse_analyze_image(path: Path) -> None:
    """Refuse the .img of an Analyze pair, which is known by its .hdr alone."""
    if path.suffix.lower() != ".img" and not path.name.lower().endswith(".img.gz"):
        return
    base = re.sub(r"\.img(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    for suffix in (".hdr", ".HDR", ".hdr.gz"):
        header = path.with_name(base + suffix)
        if header.is_file():
            refuse_by_content(header)


def _analyze(name: str) -> InputError:
    return InputError(
        f"{name} is an Analyze 7.5 file, a format without orientation: left and right cannot be "
        "told",
        "Convert it to NIfTI by a program that knows how it was written, and give that",
    )


def _minc(name: str) -> InputError:
    return InputError(
        f"{name} is a MINC file, whose axes are not read reliably",
        "Convert it to NIfTI (mnc2nii), and give that",
    )


def _unpacked_start(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as stream:
            return stream.read(512)
    except (OSError, EOFError, zlib.error):
        return b""  # the reader says what is damaged
