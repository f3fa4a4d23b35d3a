"""Images that are many slices side by side: recognised, and refused.

Siemens keeps the slices of one time point as tiles of one large image (ImageType ``MOSAIC``),
United Imaging likewise. Position and size in the header are those of the large image, and the
order of the tiles is in private elements only, so that a reader that takes the header at its word
makes one giant plane of them.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from ..errors import InputError
from .headers import Header, text

# Private creator, group and element of the number of tiles.
_NUMBER_OF_TILES = (
    ("SIEMENS MR HEADER", 0x0019, 0x0A),
    ("Image Private Header", 0x0065, 0x50),
)


def refuse_mosaic(header: Header) -> None:
    """Raise InputError if the image is a mosaic."""
    image_type = text(header.dataset, "ImageType").upper().split("\\")
    if not {"MOSAIC", "VFRAME"} & set(image_type) and _tiles(header.dataset) < 2:
        return
    raise InputError(
        f"{header.path.name} is a mosaic: it holds many slices side by side in one image",
        "Convert the series to NIfTI (for instance by dcm2niix) and give that, or export it from "
        "the scanner as enhanced MR or as single slices",
    )


def _tiles(dataset: Dataset) -> int:
    for creator, group, element in _NUMBER_OF_TILES:
        try:
            value = dataset.private_block(group, creator)[element].value
        except KeyError:
            continue
        raw = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
        if raw.strip(" \0").isdigit():
            return int(raw.strip(" \0"))
    return 0
