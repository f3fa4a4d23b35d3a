"""Transform files, looked at before ITK reads them: how many transforms, and in whose axes.

Of a file that holds several transforms one after another SimpleITK gives the first and says
nothing; of MNI's .xfm, whose points are RAS and whose direction is the opposite, it takes the
numbers as they are.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InputError
from .paths import printable, require_readable, require_unicode

_MOST_BYTES = 1 << 26
_CLASS = re.compile(rb"([A-Za-z0-9]+Transform)_(?:double|float)_\d+_\d+")


def require_one_transform(path: Path) -> None:
    """Raise :class:`InputError` unless ITK would read all that ``path`` says, in its own axes.

    Several transforms are taken if they are the parts of a composite one, which says their order.

    Raises:
        InputError: missing, no regular file, too large for a linear transform, several transforms,
            or MNI's format.
    """
    name = printable(path)
    require_readable(path)
    require_unicode(path)
    if path.is_dir():
        raise InputError(f"{name} is a folder, not a transform file", "Give the file")
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(
            f"{name} is too large for a rigid or affine transform",
            "Give a linear transform saved as .tfm, .h5 or .mat, for example by 3D Slicer",
        )
    raw = path.read_bytes()
    if raw.lstrip().startswith(b"MNI Transform File") or path.suffix.lower() == ".xfm":
        raise InputError(
            f"{name} is a transform of MNI (.xfm), whose axes and direction are other ones",
            "Convert it to ITK's format (for instance c3d_affine_tool, or 3D Slicer) and give that",
        )
    if re.search(rb"CompositeTransform", raw) and len(_CLASS.findall(raw)) == 1:
        raise InputError(
            f"{name} holds a composite transform without its parts",
            "Save it as .tfm or .h5; the format .mat cannot hold one",
        )
    classes = [match[1] for match in _CLASS.finditer(raw)]
    if len(classes) > 1 and not classes[0].startswith(b"Composite"):
        raise InputError(
            f"{name} holds {len(classes)} transforms, and does not say in which order they apply",
            "Save them as one: in 3D Slicer harden one into the other, or write a composite",
        )
