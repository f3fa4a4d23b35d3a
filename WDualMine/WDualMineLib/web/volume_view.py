"""A study seen from a side: a surface or a maximum, and the suspected faults through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..palettes import SUSPICION
from ..scene.views.projection import Sight, SmallVolume, maximum, minimum, struck, surface
from .volume_request import VolumeRequest

_AT_REST, _MOVING = (288, 200), (120, 90)
"""Pixels across the shorter side and samples along a ray, at the most: they bound the time."""

_LONGEST = 2.0
"""Times the shorter side, that the longer one may be."""

_NOTHING = 0.5


@dataclass(frozen=True)
class Seen:
    """What there is to be seen, apart from any scene.

    Attributes:
        base: the volume.
        window: lowest and highest value shown.
        colours: (N, 3) uint8, over the window.
        doubts: the lowest and the highest reliability of the fixed volume; None shows no faults.
    """

    base: SmallVolume
    window: tuple[float, float]
    colours: np.ndarray
    doubts: tuple[SmallVolume, SmallVolume] | None


def seen_from(request: VolumeRequest, seen: Seen) -> np.ndarray:
    """(height, width, 3) uint8, smaller than what was asked for where that would take long."""
    sight = _sight(request, *(_MOVING if request.moving else _AT_REST))
    low, high = seen.window
    if request.style == "surface":
        grey = surface(seen.base, sight, low + request.level * (high - low))
        picture = np.repeat(255 * grey[..., None], 3, axis=2)
    else:
        share = np.clip((maximum(seen.base, sight) - low) / (high - low), 0, 1)
        last = len(seen.colours) - 1
        picture = seen.colours[np.rint(share * last).astype(int)].astype(np.float32)
    if seen.doubts is not None:
        tint = _faults(request, seen.doubts, sight.size)
        share = tint[..., 3:] / np.float32(255)
        picture = picture * (1 - share) + tint[..., :3] * share
    return np.rint(picture).astype(np.uint8)


def point_in(request: VolumeRequest, seen: Seen) -> tuple[float, float, float] | None:
    """What is seen in the middle of a picture: a point in RAS mm; None where nothing is."""
    low, high = seen.window
    level = low + request.level * (high - low) if request.style == "surface" else None
    return struck(seen.base, _sight(request, *_AT_REST), level)


def _sight(request: VolumeRequest, shorter: int, samples: int) -> Sight:
    width, height = request.size
    factor = min(1.0, shorter / min(request.size), _LONGEST * shorter / max(request.size))
    size = max(16, round(width * factor)), max(16, round(height * factor))
    return Sight(request.azimuth, request.elevation, request.centre, request.field, size, samples)


def _faults(
    request: VolumeRequest, doubts: tuple[SmallVolume, SmallVolume], size: tuple[int, int]
) -> np.ndarray:
    """(height, width, 4) float32: on each ray the likeliest fault, in the colours of the map."""
    sight = _sight(request, *_MOVING)  # what is smooth needs no more
    lowest = minimum(doubts[0], sight, _NOTHING)
    highest = maximum(doubts[1], sight, _NOTHING)
    likeliest = np.where(_NOTHING - lowest > highest - _NOTHING, lowest, highest)
    tint = SUSPICION[np.rint(255 * np.clip(likeliest, 0, 1)).astype(int)]
    return np.asarray(Image.fromarray(tint).resize(size, Image.Resampling.BILINEAR), np.float32)
