"""Linear transforms from ITK's files, without ITK's readers, which end the program on damaged ones.

Text (.tfm, .txt) and MATLAB level 4 (.mat) are taken apart here. HDF5 (.h5) is left to ITK in a
process of its own, which may end as it likes.

Sources: itkTxtTransformIO, itkMatlabTransformIO (the variable is called after the class, and
"fixed" holds its fixed parameters); MAT-File Format, Level 4.
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from ..errors import InputError
from ..interpreter import interpreter
from .paths import printable

# Class in a file: class of SimpleITK, numbers of parameters and of fixed ones.
_LINEAR = {
    "IdentityTransform": (None, (0,), (0, 3)),
    "TranslationTransform": (lambda: sitk.TranslationTransform(3), (3,), (0, 3)),
    "Euler3DTransform": (sitk.Euler3DTransform, (6,), (3, 4)),
    "VersorTransform": (sitk.VersorTransform, (3,), (3,)),
    "VersorRigid3DTransform": (sitk.VersorRigid3DTransform, (6,), (3,)),
    "Similarity3DTransform": (sitk.Similarity3DTransform, (7,), (3,)),
    "ScaleTransform": (lambda: sitk.ScaleTransform(3), (3,), (3,)),
    "ScaleVersor3DTransform": (sitk.ScaleVersor3DTransform, (9,), (3,)),
    "ScaleSkewVersor3DTransform": (sitk.ScaleSkewVersor3DTransform, (15,), (3,)),
    "ComposeScaleSkewVersor3DTransform": (sitk.ComposeScaleSkewVersor3DTransform, (12,), (3,)),
    "AffineTransform": (lambda: sitk.AffineTransform(3), (12,), (3,)),
    "MatrixOffsetTransformBase": (lambda: sitk.AffineTransform(3), (12,), (3,)),
}
_COMPOSITE = "CompositeTransform"
_CLASS = re.compile(r"([A-Za-z0-9]+)_(double|float)_(\d+)_(\d+)")
_REMEDY = "Give a linear transform saved as .tfm, .h5 or .mat, for example by 3D Slicer"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SECONDS = 60
_CONVERT = (
    "import SimpleITK, sys;"
    "SimpleITK.ProcessObject.SetGlobalWarningDisplay(False);"
    "SimpleITK.WriteTransform(SimpleITK.ReadTransform(sys.argv[1]), sys.argv[2])"
)


@dataclass
class _Part:
    kind: str
    dimension: int
    parameters: tuple[float, ...] = ()
    fixed: tuple[float, ...] = ()


def read_itk_transform(path: Path) -> sitk.Transform:
    """The transform of a file that :func:`~.transform_files.require_one_transform` has passed.

    Returns:
        One of SimpleITK's linear classes in 3-D, or a composite of them.

    Raises:
        InputError: no transform file, damaged, or a class that is not linear or not 3-D.
    """
    raw = path.read_bytes()
    name = printable(path)
    try:
        if raw.startswith(_HDF5):
            parts = _from_text(_converted(path))
        elif path.suffix.lower() == ".mat":
            parts = _from_matlab(raw)
        else:
            parts = _from_text(raw.decode("utf-8", "replace"))
        if parts[0].kind == _COMPOSITE:
            if len(parts) < 2:
                raise ValueError("it holds a composite without parts")
            return sitk.CompositeTransform([_transform(part, name) for part in parts[1:]])
        if len(parts) > 1:
            raise ValueError("it holds several transforms")
        return _transform(parts[0], name)
    except (ValueError, struct.error, RuntimeError, OverflowError) as error:
        reason = printable(str(error).strip().splitlines()[-1] if str(error).strip() else "damaged")
        raise InputError(
            f"{name} is not a transform file that can be read ({reason})", _REMEDY
        ) from error


def _transform(part: _Part, name: str) -> sitk.Transform:
    if part.dimension != 3:
        raise InputError(
            f"{name} is a {part.dimension}-D transform", "Give a 3-D rigid or affine one"
        )
    if part.kind not in _LINEAR:
        raise InputError(
            f"{name} holds a {part.kind}, which is not linear",
            "Give a rigid or affine transform from fixed to moving points, or register anew",
        )
    make, parameters, fixed = _LINEAR[part.kind]
    if len(part.parameters) not in parameters or len(part.fixed) not in fixed:
        raise ValueError(f"{len(part.parameters)} parameters are none of a {part.kind}")
    if make is None:
        return sitk.Transform(3, sitk.sitkIdentity)
    transform = make()
    if part.fixed:
        transform.SetFixedParameters(part.fixed)
    transform.SetParameters(part.parameters)
    return transform


def _kind(text: str) -> tuple[str, int]:
    match = _CLASS.fullmatch(text.strip())
    if match is None:
        raise ValueError("a transform in it has no class that is known")
    return match[1], int(match[3])


def _from_text(text: str) -> list[_Part]:
    if not text.lstrip().startswith("#Insight Transform File"):
        raise ValueError("it does not begin as one")
    parts: list[_Part] = []
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if not colon or line.startswith("#"):
            continue
        if key == "Transform":
            parts.append(_Part(*_kind(value)))
        elif not parts:
            raise ValueError("numbers come before the first transform")
        elif key == "Parameters":
            parts[-1].parameters = tuple(map(float, value.split()))
        elif key == "FixedParameters":
            parts[-1].fixed = tuple(map(float, value.split()))
    if not parts:
        raise ValueError("it holds no transform")
    return parts


def _from_matlab(raw: bytes) -> list[_Part]:
    parts: list[_Part] = []
    position = 0
    while position < len(raw):
        kind, rows, columns, imaginary, length = struct.unpack_from("<5i", raw, position)
        position += 20
        size = 4 if kind // 10 % 10 == 1 else 8
        count = rows * columns
        end = position + length + count * size
        if kind not in (0, 10) or imaginary or min(rows, columns, length) < 0 or end > len(raw):
            raise ValueError("it is damaged, or no MATLAB file of level 4")
        label = raw[position : position + length].split(b"\0")[0].decode("ascii", "replace")
        values = struct.unpack_from(f"<{count}{'f' if size == 4 else 'd'}", raw, position + length)
        position = end
        if label != "fixed":
            parts.append(_Part(*_kind(label), parameters=values))
        elif parts:
            parts[-1].fixed = values
    if not parts:
        raise ValueError("it holds no transform")
    return parts


def _converted(path: Path) -> str:
    """An HDF5 file as text, by ITK in a process of its own where there is an interpreter for it."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "transform.tfm"
        program = interpreter()
        if program is None:
            sitk.WriteTransform(sitk.ReadTransform(str(path)), str(text))
            return text.read_text()
        command = [program, "-c", _CONVERT, str(path.absolute()), str(text)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ValueError("it cannot be read in reasonable time") from error
        if done.returncode or not text.is_file():
            raise ValueError("it is damaged")
        return text.read_text(errors="replace")
