"""One pair of 8-bit images to the content of one image file, under the correlation floor."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..fusion.colour import chroma, hold_luminance, to_rgb
from ..fusion.correlation import FloorReport, quantise
from ..fusion.engine import SliceEngine
from ..fusion.preview import fuse_slice
from ..fusion.rounding import LEVELS, Rounding, informed_rounding
from ..fusion.settings import FusionSettings
from ..quality.images import rounded_luminance

# JPEG has no lossless form; this is the least that it changes.
_SAVE_OPTIONS = {".jpg": {"quality": 100, "subsampling": 0}}
_SAVE_OPTIONS[".jpeg"] = _SAVE_OPTIONS[".jpg"]


class FusedImage(NamedTuple):
    """Contents of the fused file and of the maps of A, of B and of arbitration; and the floor."""

    content: bytes
    maps: tuple[bytes, bytes, bytes]
    floor: FloorReport


def fuse_images(
    a: np.ndarray,
    b: np.ndarray,
    suffix: str,
    engine: SliceEngine,
    settings: FusionSettings,
    rounding: Rounding = informed_rounding,
) -> FusedImage:
    """Fuse a pair into the content of a file with ``suffix``.

    The correlation floor is applied to what a reader of the file gets: rounded to 8 bit, after the
    chroma was put back, and after JPEG's losses where that is the format. It is measured against
    the sources' luminance rounded to 8 bit, as evaluators read it.

    Args:
        a, b: uint8, (H, W) or (H, W, 3).
        suffix: lower case, with the dot.
        settings: strength and correlation floor.
        rounding: of the fused luminance to 8 bit.
    """
    grey_a, grey_b = (_luminance(image) / np.float32(255) for image in (a, b))
    colours = _mixed_chroma(a, b) if a.ndim == 3 or b.ndim == 3 else None

    def pixels(y: np.ndarray) -> np.ndarray:
        levels = rounding(y, grey_a, grey_b)
        if colours is None:
            return levels
        return hold_luminance(to_rgb(levels / np.float32(LEVELS), colours), levels)

    def read_back(y: np.ndarray) -> np.ndarray:
        image = pixels(y)
        if suffix in _SAVE_OPTIONS:
            image = np.asarray(Image.open(io.BytesIO(_encode(image, suffix))))
        return _luminance(image)

    fused = fuse_slice(
        grey_a,
        grey_b,
        engine,
        strength=settings.strength,
        correlation_floor=settings.correlation_floor,
        readback=read_back,
    )
    of_a, of_b, arbitration = (
        _encode(quantise(values, 255), suffix)
        for values in (fused.reliability, 1 - fused.reliability, fused.arbitration)
    )
    return FusedImage(
        _encode(pixels(fused.fused), suffix),
        (of_a, of_b, arbitration),
        fused.floor,
    )


def _luminance(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 2 else rounded_luminance(image)


def _mixed_chroma(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(H, W, 2): the chroma of the coloured image; where both have some, each by its saturation."""
    ab = [chroma(np.atleast_3d(image) / 255 * np.ones(3)) for image in (a, b)]
    weights = [np.linalg.norm(c, axis=-1, keepdims=True) for c in ab]
    total = np.maximum(weights[0] + weights[1], 1e-6)
    return (weights[0] * ab[0] + weights[1] * ab[1]) / total


def _encode(image: np.ndarray, suffix: str) -> bytes:
    stream = io.BytesIO()
    kind = Image.registered_extensions()[suffix]
    Image.fromarray(image).save(stream, kind, **_SAVE_OPTIONS.get(suffix, {}))
    return stream.getvalue()
