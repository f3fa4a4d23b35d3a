"""A fused volume in three planes, small enough for a row of a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...casereport.patient_planes import centre_of_mass, planes_through
from ...pipeline.folder import Extra
from ...pipeline.result import Result
from ...progress import Progress
from ...volumes.whole_files import writing_errors

THUMBNAIL = "thumbnail.jpg"
_HEIGHT, _GAP, _QUALITY = 96, 2, 80
# As in the overview: darker than this is air.
_BODY = 0.1
# A fault is three times as likely as none; docs/scale.md says so of the column `flagged`.
_FLAGGED = 0.25
_RED = np.array([230, 60, 40], dtype=np.float32)


def thumbnail(result: Result) -> Extra:
    """``thumbnail.jpg``, to be written with a result."""

    def write(folder: Path, _progress: Callable[[Progress], None]) -> dict[str, Any]:
        picture = draw_thumbnail(result)
        with writing_errors(folder / THUMBNAIL):
            picture.save(folder / THUMBNAIL, quality=_QUALITY)
        return {}

    return Extra(THUMBNAIL, write)


def draw_thumbnail(result: Result) -> Image.Image:
    """Axial, coronal and sagittal side by side, 96 pixels high, what is flagged in red."""
    fused = result.fused
    planes = planes_through(fused.geometry, centre_of_mass(fused.geometry, fused.array > _BODY))
    doubted = np.minimum(result.reliability_fixed.array, result.reliability_moving.array)
    maps = fused.with_array(doubted)
    tallest = max(plane.extent_mm[1] for plane in planes)
    pictures = []
    for plane in planes:
        grey = np.nan_to_num(plane.cut(fused)) * 255
        colours = np.repeat(grey[..., None], 3, axis=-1)
        flagged = np.nan_to_num(plane.cut(maps), nan=1.0) < _FLAGGED
        colours[flagged] = 0.4 * colours[flagged] + 0.6 * _RED
        width, height = (max(1, round(side * _HEIGHT / tallest)) for side in plane.extent_mm)
        picture = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
        pictures.append(picture.resize((width, height), Image.Resampling.BILINEAR))
    width = sum(picture.width + _GAP for picture in pictures) - _GAP
    page = Image.new("RGB", (width, _HEIGHT))
    left = 0
    for picture in pictures:
        page.paste(picture, (left, (_HEIGHT - picture.height) // 2))
        left += picture.width + _GAP
    return page
