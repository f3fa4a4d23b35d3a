"""The folder that ``wdualmine fuse`` writes, read back for export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..volumes.reading import geometry_of, read_volume
from ..volumes.transform_files import require_one_transform
from ..volumes.volume import Volume
from .export import ResultVolumes
from .series import MAP_KEYS

FUSED, COLOUR, TRANSFORM, REPORT = "fused.nrrd", "fused_colour.nrrd", "transform.tfm", "report.json"
_REMEDY = "Give the folder that `wdualmine fuse` wrote"


def read_result(folder: str | Path) -> ResultVolumes:
    """Read fused volume, maps, colour, transform and settings; only the fused volume must be there.

    Raises:
        InputError: no such folder or no fused volume in it, or a file that cannot be read.
    """
    folder = Path(folder)
    if not (folder / FUSED).is_file():
        raise InputError(f"{folder} holds no {FUSED}", _REMEDY)
    maps = {
        key: read_volume(folder / f"{key}.nrrd")
        for key in MAP_KEYS
        if (folder / f"{key}.nrrd").is_file()
    }
    report = _read_report(folder / REPORT)
    return ResultVolumes(
        fused=read_volume(folder / FUSED),
        maps=maps,
        colour=_read_colour(folder / COLOUR),
        transform=_read_transform(folder / TRANSFORM),
        settings=_part(report, "settings"),
        by_content=_part(report, "registration").get("kind") in ("rigid", "affine"),
        modalities=tuple(_modality(_part(report, role)) for role in ("fixed", "moving")),
    )


def modality_behind(window: Mapping[str, object]) -> str:
    """What the window of a source tells of its modality: HU are CT's alone; "" for nothing."""
    return "CT" if window.get("units") == "HU" else ""


def _modality(source: dict[str, object]) -> str:
    return str(source.get("modality") or "") or modality_behind(_part(source, "window"))


def _read_colour(path: Path) -> Volume | None:
    """read_volume takes scalar volumes only; this one is RGB of 8 bits."""
    if not path.is_file():
        return None
    try:
        image = sitk.ReadImage(str(path), sitk.sitkVectorUInt8)
        array = np.asarray(sitk.GetArrayFromImage(image))
        return Volume(array, geometry_of(image), path.stem)
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(f"{path} cannot be read as an RGB volume: {reason}", _REMEDY) from error


def _read_transform(path: Path) -> sitk.Transform | None:
    if not path.is_file():
        return None
    require_one_transform(path)
    try:
        return sitk.ReadTransform(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(f"{path} cannot be read as a transform: {reason}", _REMEDY) from error


def _read_report(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read as JSON: {error}", _REMEDY) from error
    return report if isinstance(report, dict) else {}


def _part(report: dict[str, object], name: str) -> dict[str, object]:
    part = report.get(name)
    return part if isinstance(part, dict) else {}
