"""What ITK does not tell about a NIfTI file: its sform as written, and whether it is complete.

ITK refuses or orthogonalises a sheared sform, prefers the qform where the two disagree, and reads
a truncated file in silence, leaving the missing voxels at 0. Field offsets are those of the
NIfTI-1 header (nifti1.h, 348 bytes).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from .geometry import LPS_TO_RAS

HEADER_BYTES = 348
_MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
_RAS_TO_LPS = np.diag(LPS_TO_RAS)
_CHUNK = 1 << 22
# Behind the voxels: more than this is no padding, and could be without end.
_MOST_BEHIND = 1 << 26


class DamagedFile(Exception):
    """A compressed file breaks off or contradicts its checksum."""


@dataclass(frozen=True)
class NiftiHeader:
    """The fields of a NIfTI-1 header that decide on geometry and length.

    Attributes:
        sform: 3x4 float64, voxel indices to LPS mm, or None where the header sets none that
            could be used (code 0, singular, or not finite).
        has_qform: whether the qform code is set.
        data_path: the file that holds the voxels (the header's own, or the .img beside it).
        unusable: why no place can be had from anything but a sform, else "".
        end_of_data: offset in bytes, uncompressed, at which the voxels end in ``data_path``.
    """

    sform: np.ndarray | None
    has_qform: bool
    data_path: Path
    end_of_data: int
    unusable: str = ""

    def is_complete(self) -> bool:
        """Whether ``data_path`` holds every voxel and, if compressed, matches its checksum."""
        try:
            return _length(self.data_path, self.end_of_data) >= self.end_of_data
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return False


def read_header(path: Path) -> NiftiHeader | None:
    """The header of ``path``, or None if it is not NIfTI-1 (whatever its name says).

    Raises:
        OSError: no such file, or no permission.
        DamagedFile: it is compressed and does not decompress.
    """
    header_path = _partner(path, ".img", ".hdr")
    try:
        with _open(header_path) as stream:
            raw = stream.read(HEADER_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedFile from error
    if len(raw) < HEADER_BYTES or raw[344:348] not in (b"n+1\0", b"ni1\0"):
        return None
    order = "<" if struct.unpack("<i", raw[:4])[0] == HEADER_BYTES else ">"
    dim = struct.unpack(f"{order}8h", raw[40:56])
    (bits,) = struct.unpack(f"{order}h", raw[72:74])
    (offset,) = struct.unpack(f"{order}f", raw[108:112])
    if not 0 <= offset < 2**31:  # also catches NaN
        raise DamagedFile
    qform_code, sform_code = struct.unpack(f"{order}2h", raw[252:256])
    rows = np.array(struct.unpack(f"{order}12f", raw[280:328]), dtype=np.float64).reshape(3, 4)
    scale = _MILLIMETRES.get(raw[123] & 7, 1.0)
    single = raw[344:348] == b"n+1\0"
    voxels = prod(max(n, 1) for n in dim[1 : 1 + max(0, min(dim[0], 7))])
    start = max(int(offset), HEADER_BYTES) if single else int(offset)
    return NiftiHeader(
        sform=_usable(_RAS_TO_LPS @ rows * scale) if sform_code > 0 else None,
        has_qform=qform_code > 0,
        data_path=header_path if single else _partner(header_path, ".hdr", ".img"),
        end_of_data=start + voxels * max(bits, 8) // 8,
        unusable=_without_sform(raw, order, qform_code > 0),
    )


def _without_sform(raw: bytes, order: str, has_qform: bool) -> str:
    """What makes the voxel size or the qform unusable: ITK puts 1 mm, or a unit matrix, there."""
    sizes = struct.unpack(f"{order}3f", raw[80:92])
    quaternion = np.array(struct.unpack(f"{order}3f", raw[256:268]))
    offsets = struct.unpack(f"{order}3f", raw[268:280])
    if not np.isfinite(sizes).all() or 0 in sizes:
        return f"the voxel size (pixdim) is {' x '.join(f'{size:g}' for size in sizes)} mm"
    if not has_qform:
        return ""
    if not np.isfinite([*quaternion, *offsets]).all() or quaternion @ quaternion > 1.001:
        return "the rotation or the offset of its qform is no number, or none that can be"
    return ""


def _usable(sform: np.ndarray) -> np.ndarray | None:
    lengths = np.linalg.norm(sform[:, :3], axis=0)
    if not np.isfinite(sform).all() or lengths.min() <= 0:
        return None
    return sform if abs(np.linalg.det(sform[:, :3] / lengths)) > 1e-3 else None


def partners(path: Path) -> tuple[Path, ...]:
    """``path`` and, of a pair of .hdr and .img, the other one."""
    both = (_partner(path, ".hdr", ".img"), _partner(path, ".img", ".hdr"))
    return tuple(dict.fromkeys((path, *(other for other in both if other.is_file()))))


def _partner(path: Path, suffix: str, other: str) -> Path:
    """``path`` with ``suffix`` (before .gz, if any) replaced by ``other``; else as it is."""
    for ending in ("", ".gz"):
        if path.name.lower().endswith(suffix + ending):
            return path.with_name(path.name[: -len(suffix + ending)] + other + ending)
    return path


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb") if _is_gzip(path) else path.open("rb"))


def _length(path: Path, enough: int) -> int:
    """Bytes of ``path``, uncompressed; no more than some beyond ``enough`` are looked at."""
    if not _is_gzip(path):
        return path.stat().st_size
    found = 0
    with gzip.open(path, "rb") as stream:
        while found < enough + _MOST_BEHIND and (chunk := stream.read(_CHUNK)):
            found += len(chunk)
    return found
