"""Where a result is doubtful: the regions in which a fault of a source is likely, largest first.

Arrays and geometry only, for the panel, reports, batches and the web alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..volumes.resampling import to_image
from ..volumes.volume import Volume
from .record import ROLES

DOUBTFUL_BELOW = 0.25
"""Reliability under which a source is doubted: a fault is three times as likely as none."""

SMALLEST_ML = 0.1
"""Of a region that is told of: what is smaller holds a few voxels, and would crowd the list."""


@dataclass(frozen=True)
class Doubt:
    """One connected region in which one source is doubted.

    Attributes:
        role: "fixed" or "moving", the source in which the fault is suspected.
        volume_ml: of the region.
        reliability: mean of that source there, in [0, 0.25).
        lowest: the least reliability there.
        point: (x, y, z) in LPS mm of the fixed volume: the region's voxel nearest to its centre,
            which lies inside even where the region is bent around it.
        index: (i, j, k) of that voxel.
    """

    role: str
    volume_ml: float
    reliability: float
    lowest: float
    point: tuple[float, float, float]
    index: tuple[int, int, int]


def doubtful_regions(
    reliability_fixed: Volume,
    below: float = DOUBTFUL_BELOW,
    smallest_ml: float = SMALLEST_ML,
    most: int | None = 10,
) -> list[Doubt]:
    """The regions in which either source is doubted, by falling volume.

    Voxels belong together where they share a face, an edge or a corner.

    Args:
        reliability_fixed: in [0, 1]; that of the moving volume is 1 minus it.
        below: reliability under which a voxel is doubtful, in (0, 0.5].
        smallest_ml: regions with less are left out.
        most: how many are returned at the most; None for all.

    Raises:
        ValueError: ``below`` is out of range: at more than 1/2 nothing speaks against either.
    """
    if not 0 < below <= 0.5:
        raise ValueError(f"reliability is doubtful below a number in (0, 0.5], not {below}")
    image = sitk.Cast(to_image(reliability_fixed), sitk.sitkFloat32)
    found = [
        doubt
        for role, of_source in zip(ROLES, (image, 1.0 - image), strict=True)
        for doubt in _regions(role, of_source, below, smallest_ml, most)
    ]
    found.sort(key=lambda doubt: (-doubt.volume_ml, doubt.reliability, doubt.index))
    return found[:most]


def _regions(
    role: str, reliability: sitk.Image, below: float, smallest_ml: float, most: int | None
) -> list[Doubt]:
    # Not sitk.BinaryThreshold, whose upper end belongs to it.
    mask = reliability < below
    if not sitk.GetArrayViewFromImage(mask).any():
        return []
    voxel_ml = float(np.prod(reliability.GetSpacing())) / 1000
    smallest = max(1, int(np.ceil(smallest_ml / voxel_ml - 1e-9)))
    labels = sitk.RelabelComponent(sitk.ConnectedComponent(mask, True), smallest)
    if most is not None:  # they are numbered by size, and the statistics take most of the time
        labels = sitk.Mask(labels, labels <= most)
    statistics = sitk.LabelIntensityStatisticsImageFilter()
    statistics.ComputePerimeterOff()
    statistics.Execute(labels, reliability)
    doubts = []
    for label in statistics.GetLabels():
        index = _inside(labels, label, statistics)
        doubts.append(
            Doubt(
                role,
                statistics.GetNumberOfPixels(label) * voxel_ml,
                statistics.GetMean(label),
                statistics.GetMinimum(label),
                reliability.TransformIndexToPhysicalPoint(index),
                index,
            )
        )
    return doubts


def _inside(
    labels: sitk.Image, label: int, statistics: sitk.LabelIntensityStatisticsImageFilter
) -> tuple[int, int, int]:
    """The voxel of a region that is nearest to its centre of mass, in mm."""
    first, size = np.split(np.array(statistics.GetBoundingBox(label)), 2)
    box = sitk.RegionOfInterest(labels, size.tolist(), first.tolist())
    inside = np.argwhere(sitk.GetArrayViewFromImage(box) == label)[:, ::-1] + first
    centre = labels.TransformPhysicalPointToContinuousIndex(statistics.GetCentroid(label))
    away = (inside - centre) * np.array(labels.GetSpacing())
    i, j, k = inside[np.argmin((away**2).sum(axis=1))].tolist()
    return i, j, k
