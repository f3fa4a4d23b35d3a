"""Any number of small studies, no two alike, cut out of one pair of volumes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...samples.catalogue import GREY_MATTER, MR_T1, WHITE_MATTER
from ...samples.download import fetch, load
from ...samples.simulated_pet import simulate_fdg_pet
from ...volumes.geometry import Geometry
from ...volumes.resampling import resample_to
from ...volumes.volume import Volume
from ...volumes.writing import write_volume
from ..speed.phantoms import phantom_volumes

LIST = "list.csv"
EXTENT_MM = 144.0
"""Edge of the cube that is cut out; a head fits in."""

_SHIFT_MM = 4.0
# Of the brightest value: noise as strong as in a scan, without which files compress too well.
_NOISE = 0.0025
_PHANTOM_MM = 176


@dataclass(frozen=True)
class Pair:
    """What studies are cut out of.

    Attributes:
        fixed, moving: scalar volumes of at least :data:`EXTENT_MM` along each axis.
        words: options of ``wdualmine fuse`` that they need, by their long names.
    """

    fixed: Volume
    moving: Volume
    words: Mapping[str, str] = field(default_factory=dict)


def packaged_pair() -> Pair:
    """The packaged MR template at 1 mm, and a PET simulated from its tissue maps.

    Raises:
        SampleUnavailable: they cannot be fetched.
    """
    paths = fetch((MR_T1, GREY_MATTER, WHITE_MATTER))
    mr, grey, white = (load(sample, path) for sample, path in paths.items())
    return Pair(mr, simulate_fdg_pet(grey, white), {"moving-window": "pet"})


def simulated_pair() -> Pair:
    """A phantom at 1 mm, for machines that cannot fetch packages."""
    fixed, moving = phantom_volumes((_PHANTOM_MM,) * 3, field_mm=_PHANTOM_MM)
    return Pair(fixed, moving, {"fixed-window": "-1000,1000", "moving-window": "0,1000"})


def cut_out(pair: Pair, side: int, number: int) -> tuple[Volume, Volume]:
    """A cube of ``side`` voxels along each axis out of the middle, float32.

    Args:
        number: of the study; each has a place and a noise of its own.
    """
    rng = np.random.default_rng(number)
    middle = pair.fixed.geometry
    centre = (middle.ijk_to_lps @ np.array([*(np.array(middle.size) - 1) / 2, 1.0]))[:3]
    step = EXTENT_MM / side
    corner = centre - step * (side - 1) / 2 + rng.uniform(-_SHIFT_MM, _SHIFT_MM, 3)
    grid = Geometry(
        (side,) * 3, (step,) * 3, tuple(corner.tolist()), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
    )
    fixed, moving = (_noisy(resample_to(v, grid), rng) for v in (pair.fixed, pair.moving))
    return fixed, moving


def write_studies(folder: Path, pair: Pair, count: int, side: int) -> Path:
    """Write ``count`` cuts as NIfTI into ``folder``, and the study list of them.

    Returns:
        The list, for ``wdualmine batch``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LIST
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["name", "fixed", "moving", *pair.words])
        for number in range(count):
            names = [f"{number:04d}_{role}.nii.gz" for role in ("fixed", "moving")]
            for name, volume in zip(names, cut_out(pair, side, number), strict=True):
                write_volume(volume, folder / name)
            table.writerow([f"study-{number:04d}", *names, *pair.words.values()])
    return path


def _noisy(volume: Volume, rng: np.random.Generator) -> Volume:
    values = volume.array.astype(np.float32)
    noise = rng.normal(0, _NOISE * float(values.max()), values.shape)
    return volume.with_array((values + noise).astype(np.float32))
