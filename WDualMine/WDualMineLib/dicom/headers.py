"""Files to headers: finds the DICOM files, reads what precedes the pixels, sorts by series."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from ..errors import InputError

Source = str | PathLike | Iterable[str | PathLike]

# A file that calls itself DICOM by its name must be readable: leaving out a truncated slice in
# silence would make a shorter volume that looks complete.
DICOM_SUFFIXES = {".dcm", ".ima", ".dicom", ".dic"}
_REMEDY_DAMAGED = "Fetch the file again from the archive, or remove it if the series does without"


@dataclass(frozen=True)
class Header:
    """One file's data set up to its pixels."""

    path: Path
    dataset: Dataset


@dataclass
class Scan:
    """What a folder holds.

    Attributes:
        series: series instance UID to its headers, in the order of the file names.
        left_out: names of files that are not DICOM objects of a series (text, DICOMDIR, ...).
    """

    series: dict[str, list[Header]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def scan(source: Source) -> Scan:
    """Read the headers of a folder (with its subfolders), a file, or a list of files.

    A single file stands for the series that it belongs to, with its slices beside it in the same
    folder; a list stands for exactly its files.

    Raises:
        InputError: the path does not exist, holds no DICOM object, or a file that is named or
            marked as DICOM cannot be parsed.
    """
    if isinstance(source, (str, PathLike)) and Path(source).is_file():
        return _scan_siblings(Path(source))
    given, paths = _paths(source)
    found = Scan()
    for path in paths:
        header = _read_header(path, required=given or path.suffix.lower() in DICOM_SUFFIXES)
        uid = "" if header is None else text(header.dataset, "SeriesInstanceUID")
        if header is None or not uid:
            found.left_out.append(path.name)
        else:
            found.series.setdefault(uid, []).append(header)
    if not found.series:
        where = source if isinstance(source, (str, PathLike)) else "the given list of files"
        raise InputError(
            f"No DICOM image was found in {where} ({len(paths)} files looked at)",
            "Choose the folder that holds the slices of the series",
        )
    return found


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """Turn whatever pydicom trips over in a corrupt file into an :class:`InputError` naming it."""
    try:
        with warnings.catch_warnings():
            # pydicom warns of every value that breaks its VR; we check those that we use.
            warnings.simplefilter("ignore")
            yield
    except (InputError, KeyboardInterrupt):
        raise
    except OSError as error:
        if error.errno is None:  # pydicom's own
            raise _damaged(path, error) from error
        raise InputError(
            f"The DICOM file {path.name} cannot be read ({error.strerror})",
            "Check its permissions and the disk",
        ) from error
    # A corrupt file raises nearly any exception in pydicom and in its decoders: struct.error,
    # KeyError, RecursionError, NotImplementedError, MemoryError...
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    reason = str(error).split("\n")[0][:200] or type(error).__name__
    return InputError(
        f"The DICOM file {path.name} cannot be read, it is damaged or truncated ({reason})",
        _REMEDY_DAMAGED,
    )


def text(dataset: Dataset, keyword: str) -> str:
    """An element as stripped text; "" where it is absent or empty; backslashes join several."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return "\\".join(str(item).strip() for item in value)
    return str(value).strip(" \0")


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """An element as ``count`` finite floats; None where it is absent or empty.

    Raises:
        ValueError: another count, or not numbers.
    """
    value: Any = dataset.get(keyword)
    if value is None or value == "" or (hasattr(value, "__len__") and len(value) == 0):
        return None
    items = list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    result = tuple(float(item) for item in items)
    if len(result) != count:
        raise ValueError(f"{keyword} has {len(result)} values instead of {count}")
    if not all(abs(item) < 1e12 for item in result):  # also catches NaN and infinity
        raise ValueError(f"{keyword} is not a finite number")
    return result


def number(dataset: Dataset, keyword: str) -> float | None:
    """An element as one finite float; None where it is absent or empty."""
    values = numbers(dataset, keyword, 1)
    return None if values is None else values[0]


def _paths(source: Source) -> tuple[bool, list[Path]]:
    """Whether the files were named one by one, and the files."""
    if not isinstance(source, (str, PathLike)):
        return True, [_existing(Path(item)) for item in source]
    path = _existing(Path(source))
    files = (item for item in path.rglob("*") if item.is_file())
    return False, sorted(item for item in files if not item.name.startswith("."))


def _scan_siblings(path: Path) -> Scan:
    header = _read_header(path, required=True)
    uid = text(header.dataset, "SeriesInstanceUID") if header else ""
    if not uid:
        raise InputError(f"{path.name} is a DICOM directory, not an image", "Choose its folder")
    folder = scan(item for item in sorted(path.parent.iterdir()) if _is_marked(item))
    return Scan({uid: folder.series[uid]}, folder.left_out)


def _is_marked(path: Path) -> bool:
    """Whether it is a file with the DICOM preamble."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path} does not exist", "Check the path for a spelling mistake")
    return path


def _read_header(path: Path, required: bool) -> Header | None:
    """The header of a DICOM object; None for other files, unless ``required`` says it is one."""
    marked = _is_marked(path)
    if not marked and not required and not _looks_like_bare_dataset(path):
        return None
    try:
        with damaged(path):
            return _parse_header(path, marked)
    except InputError:
        if marked or required:
            raise
        return None


def _parse_header(path: Path, marked: bool) -> Header | None:
    dataset = pydicom.dcmread(path, stop_before_pixels=True, force=not marked)
    if marked and dataset.file_meta.get("MediaStorageSOPClassUID") == _DICOMDIR:
        return None
    if not text(dataset, "SOPClassUID") or not text(dataset, "SOPInstanceUID"):
        raise ValueError("it names no SOP class or instance")
    if not text(dataset, "SeriesInstanceUID"):
        raise ValueError("it names no series")
    return Header(path, dataset)


_DICOMDIR = "1.2.840.10008.1.3.10"


def _looks_like_bare_dataset(path: Path) -> bool:
    """Whether the file starts with a group 2 or 8 element, as files did before the preamble."""
    with path.open("rb") as stream:
        return stream.read(2) in (b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00\x02")
