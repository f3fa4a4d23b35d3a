"""Headers in text, of NRRD and MetaImage files: what they say, and which files they name.

ITK takes them at their word: it allocates what they claim, passes over units, and opens whatever
file they name. They are looked at before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from pathlib import Path

from ..errors import InputError
from .memory import require_memory
from .paths import printable, require_readable

_MOST_HEADER = 1 << 20
_MOST_FILES = 100_000
_MOST_AXES = 5  # MetaIO writes beyond its arrays, and so ends the program, for more than ten
# DEFLATE and bzip2 of one value repeated: no file unpacks to more than this many times its size.
_MOST_RATIO = {"raw": 1, "gzip": 1100, "bzip2": 50_000}
_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8"), 1),
    **dict.fromkeys(("uint8_t", "MET_CHAR", "MET_UCHAR"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16"), 2),
    **dict.fromkeys(("int16_t", "ushort", "unsigned short", "unsigned short int", "uint16"), 2),
    **dict.fromkeys(("uint16_t", "MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int"), 4),
    **dict.fromkeys(("uint32", "uint32_t", "float", "MET_INT", "MET_UINT", "MET_FLOAT"), 4),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long"), 8),
    **dict.fromkeys(("signed long long int", "int64", "int64_t", "ulonglong"), 8),
    **dict.fromkeys(("unsigned long long", "unsigned long long int", "uint64", "uint64_t"), 8),
    **dict.fromkeys(("double", "MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
    **dict.fromkeys(("MET_LONG", "MET_ULONG"), 4),
}


@dataclass(frozen=True)
class TextHeader:
    """A NRRD or MetaImage header.

    Attributes:
        path: the file that holds it.
        kind: "NRRD" or "MetaImage".
        fields: as written; names of NRRD in lower case.
        data: the files that hold the voxels; ``path`` itself where they follow the header.
        offset: bytes of ``path`` that are no voxels.
    """

    path: Path
    kind: str
    fields: dict[str, str]
    data: tuple[Path, ...]
    offset: int

    def numbers(self, name: str) -> list[float]:
        """The field's numbers, [] where it is absent or not all are numbers."""
        try:
            return [float(word) for word in self.fields.get(name, "").split()]
        except ValueError:
            return []


def read_text_header(path: Path) -> TextHeader | None:
    """The header of ``path``, or None if it is neither NRRD nor MetaImage.

    Raises:
        InputError: a file that it names is missing, no regular file, or outside of its folder.
    """
    with path.open("rb") as stream:
        raw = stream.read(_MOST_HEADER)
    if re.match(rb"NRRD000\d", raw):
        return _nrrd(path, raw)
    if path.suffix.lower() in (".mha", ".mhd"):
        return _meta(path, raw)
    return None


def require_fitting_voxels(header: TextHeader) -> None:
    """Refuse a header that claims more than its files, or the memory, can hold.

    Raises:
        InputError: see above, or too many axes.
    """
    nrrd = header.kind == "NRRD"
    name = printable(header.path.name)
    axes = header.numbers("dimension" if nrrd else "NDims")
    if axes and axes[0] > _MOST_AXES:
        raise InputError(
            f"{name} says that it has {axes[0]:g} axes", "Give a 3-D volume, or repair it"
        )
    sizes = header.numbers("sizes" if nrrd else "DimSize")
    if not sizes or not all(1 <= n <= 2**40 and n == int(n) for n in sizes):
        return  # ITK says what is wrong
    channels = header.numbers("ElementNumberOfChannels") or [1.0]
    voxels = prod(int(n) for n in sizes) * max(1, int(channels[0]))
    stored = _BYTES.get(header.fields.get("type" if nrrd else "ElementType", "").strip(), 1)
    encoding = _encoding(header)
    if encoding in _MOST_RATIO:
        there = sum(file.stat().st_size for file in header.data) - header.offset
        if voxels * stored > there * _MOST_RATIO[encoding] + _MOST_RATIO[encoding]:
            raise InputError(
                f"{name} is cut short or damaged: it says that it has "
                f"{' x '.join(f'{n:.0f}' for n in sizes)} voxels, and there are {max(there, 0):,} "
                "bytes for them",
                "Copy or download the file again",
            )
    require_memory(name, voxels, stored)


def _encoding(header: TextHeader) -> str:
    if header.kind == "NRRD":
        word = header.fields.get("encoding", "raw").lower()
        return {"gz": "gzip", "bz2": "bzip2"}.get(word, word)
    if header.fields.get("BinaryData", "True").lower().startswith("f"):
        return "ascii"
    return "gzip" if header.fields.get("CompressedData", "").lower().startswith("t") else "raw"


def _nrrd(path: Path, raw: bytes) -> TextHeader:
    end = re.search(rb"\r?\n\r?\n", raw)
    lines = raw[: end.start() if end else len(raw)].decode("utf-8", "surrogateescape").splitlines()
    fields: dict[str, str] = {}
    listed: list[str] | None = None
    for line in lines[1:]:
        if listed is not None:
            listed.append(line.strip())
            continue
        match = re.match(r"([^:=#]+): (.*)", line)
        if match is None:
            continue
        key = match[1].strip().lower()
        fields["data file" if key == "datafile" else key] = match[2].strip()
        if key in ("data file", "datafile") and match[2].startswith("LIST"):
            listed = []
    named = fields.get("data file")
    if named is None:
        return TextHeader(path, "NRRD", fields, (path,), end.end() if end else len(raw))
    return TextHeader(path, "NRRD", fields, _named_files(path, named, listed), 0)


def _meta(path: Path, raw: bytes) -> TextHeader:
    fields: dict[str, str] = {}
    position = 0
    for line in raw.split(b"\n"):
        position += len(line) + 1
        key, sign, value = line.decode("utf-8", "surrogateescape").partition("=")
        if not sign:
            break
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            break
    named = fields.get("ElementDataFile", "LOCAL")
    if named.upper() == "LOCAL":
        return TextHeader(path, "MetaImage", fields, (path,), position)
    listed = None
    if named.startswith("LIST"):
        rest = raw[position:].decode("utf-8", "surrogateescape")
        listed = [line.strip() for line in rest.splitlines()]
    return TextHeader(path, "MetaImage", fields, _named_files(path, named, listed), 0)


def _named_files(path: Path, named: str, listed: list[str] | None) -> tuple[Path, ...]:
    """The files that ``path`` names for its voxels: one, a list, or a pattern with numbers."""
    names = [name for name in listed if name] if listed is not None else _numbered(named)
    files = []
    for name in names[:_MOST_FILES]:
        parts = re.split(r"[/\\]", name)
        if re.match(r"[/\\]|[A-Za-z]:", name) or ".." in parts:
            raise InputError(
                f"{printable(path.name)} says that its voxels are in {printable(name)}, outside of "
                "its own folder",
                "Put both files in one folder and correct the name in the header",
            )
        file = path.parent / name
        if not file.exists():
            raise InputError(
                f"{printable(name)} is missing, without which {printable(path.name)} cannot be "
                "read",
                "Keep the header and the file with the voxels together",
            )
        require_readable(file)
        files.append(file)
    return tuple(files)


def _numbered(named: str) -> list[str]:
    """``img%03d.raw 1 20 1`` as 20 names; any other name as it is."""
    match = re.fullmatch(r"(.*%[-+ 0]*\d{0,3}d.*?)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(\s+\d+)?", named)
    if match is None or int(match[4]) == 0:
        return [named]
    first, last, step = (int(match[n]) for n in (2, 3, 4))
    stop = last + (1 if step > 0 else -1)
    numbers = range(first, stop, step)[: _MOST_FILES + 1]
    try:
        return [match[1] % number for number in numbers] or [named]
    except (TypeError, ValueError):
        return [named]
