"""2-D image files of equal name, read as the literature measures them: 8-bit luminance."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..volumes.memory import require_memory
from ..volumes.paths import printable, require_readable, require_unicode

SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff")

# DEFLATE of one value repeated: no PNG unpacks to more than this many times its size.
_MOST_RATIO = 1100
_SMALL = 1 << 26
_LUMA = np.array([0.299, 0.587, 0.114])
_NEEDS = f"Give 8-bit grey or RGB images ({', '.join(SUFFIXES)})"


def list_images(folder: str | Path) -> dict[str, Path]:
    """Image files of ``folder`` by name, sorted; sub-folders and hidden files are passed over.

    Raises:
        InputError: the folder is missing or holds no image.
    """
    folder = Path(folder)
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError as error:
        raise InputError(f"The folder {folder} does not exist", "Check its name") from error
    except NotADirectoryError as error:
        raise InputError(f"{folder} is not a folder", "Give the folder of the images") from error
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}", "Check the disk") from error
    images = {
        path.name: path
        for path in entries
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    }
    if not images:
        raise InputError(f"{folder} holds no images", _NEEDS)
    return images


def read_luminance(path: str | Path) -> np.ndarray:
    """(H, W) uint8: the grey levels of a file, or for RGB its :func:`rounded_luminance`.

    Raises:
        InputError: missing, unreadable, not 2-D, or not of 8 bit.
    """
    image = read_image(path)
    return image if image.ndim == 2 else rounded_luminance(image)


def rounded_luminance(rgb: np.ndarray) -> np.ndarray:
    """(H, W) uint8 of (H, W, 3) uint8: the Y of YCbCr, to the nearest level.

    Y is ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601, full range).
    """
    return np.rint(rgb @ _LUMA).astype(np.uint8)


def read_image(path: str | Path) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8: a grey or RGB file; an alpha channel is ignored.

    Raises:
        InputError: missing, unreadable, not 2-D, or not of 8 bit.
    """
    path = Path(path)
    require_readable(path)
    require_unicode(path)
    try:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        pixels = prod(reader.GetSize()) * reader.GetNumberOfComponents()
        if pixels > max(_SMALL, _MOST_RATIO * path.stat().st_size):
            raise InputError(
                f"{printable(path)} is damaged: it claims more pixels than it can hold", _NEEDS
            )
        require_memory(path.name, pixels, 1)
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"{printable(path)} cannot be read as an image", _NEEDS) from error
    kind = image.GetPixelIDTypeAsString()
    if image.GetDimension() != 2 or "8-bit unsigned" not in kind:
        raise InputError(f"{path} is a {image.GetDimension()}-D image of {kind}", _NEEDS)
    array = sitk.GetArrayFromImage(image)
    if array.ndim == 2:
        return array
    # BMP keeps grey as a palette, of which ITK makes RGB.
    grey_palette = path.suffix.lower() == ".bmp" and not np.ptp(array[..., :3], axis=2).any()
    if array.shape[2] < 3 or grey_palette:
        return np.ascontiguousarray(array[..., 0])
    return np.ascontiguousarray(array[..., :3])
