"""What a result was made of, and which source instances each of its slices came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ..version import __version__
from ..volumes.geometry import Geometry
from ..volumes.modality import in_words
from . import codes
from .context import Instance, SeriesContext

NOT_FOR_DIAGNOSIS = "Not for primary diagnosis."

# Settings that say how the picture came about; paths and devices are nobody's business.
_TOLD_SETTINGS = (
    "fixed_window",
    "moving_window",
    "axis",
    "strength",
    "correlation_floor",
    "colour",
)
_SAME_PLACE = 1e-3  # mm


@dataclass(frozen=True)
class Derivation:
    """Where a result comes from.

    Attributes:
        fixed, moving: the source series; None for a volume without DICOM.
        transform: maps points of the fixed series to points of the moving one; None where nothing
            aligned them.
        settings: of the fusion, by name.
        by_content: whether the transform was found by registering the images.
        known: modalities of fixed and moving, as far as known for volumes without DICOM; else "".
    """

    fixed: SeriesContext | None = None
    moving: SeriesContext | None = None
    transform: sitk.Transform | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    known: tuple[str, str] = ("", "")
    by_content: bool = False

    @property
    def codes(self) -> tuple[str, str]:
        """Modalities of fixed and moving, "" where unknown."""
        series = (self.fixed, self.moving)
        fixed, moving = (s.modality if s else k for s, k in zip(series, self.known, strict=True))
        return fixed, moving

    @property
    def modalities(self) -> tuple[str, str]:
        """Of fixed and moving, in the words of descriptions; "image" where unknown."""
        fixed, moving = map(in_words, self.codes)
        return fixed, moving

    @property
    def sources(self) -> list[SeriesContext]:
        return [series for series in (self.fixed, self.moving) if series is not None]

    def description(self) -> str:
        """How the result was made, one paragraph of at most 1024 characters (VR ST).

        It names no series or patient: a description of the moving series may hold a name.
        """
        fixed, moving = self.modalities
        told = [f"{key}={self.settings[key]}" for key in _TOLD_SETTINGS if key in self.settings]
        return (
            f"W-DUALMINE {__version__}: fusion of a fixed {fixed} and a moving {moving} volume, "
            "the moving one resampled to the grid of the fixed one. "
            + (f"Settings: {', '.join(told)}. " if told else "")
            + NOT_FOR_DIAGNOSIS
        )[:1024]


def describe(dataset: Dataset, derivation: Derivation) -> None:
    """Set DerivationDescription and DerivationCodeSequence (PS3.3 C.7.6.1)."""
    dataset.DerivationDescription = derivation.description()
    dataset.DerivationCodeSequence = codes.sequence(codes.SPATIAL_RESAMPLING, codes.FUSION)


def instances_behind(
    derivation: Derivation, geometry: Geometry, k: int
) -> list[tuple[Instance, SeriesContext, str]]:
    """The source instances that slice ``k`` of ``geometry`` was computed from.

    Returns:
        (instance, its series, SpatialLocationsPreserved) of the fixed slices in or next to the
        plane, then of the moving slices that the plane crosses when mapped by the transform.
    """
    found: list[tuple[Instance, SeriesContext, str]] = []
    if derivation.fixed is not None:
        corner = _corners(geometry, k)[0]
        for instance in _beside(derivation.fixed, corner):
            same = np.linalg.norm(np.subtract(instance.position, corner)) < _SAME_PLACE
            found.append((instance, derivation.fixed, "YES" if same else "NO"))
    if derivation.moving is not None:
        found += [
            (instance, derivation.moving, "NO")
            for instance in _crossed(derivation.moving, _corners(geometry, k), derivation.transform)
        ]
    return found


def source_images(
    references: list[tuple[Instance, SeriesContext, str]],
) -> Sequence:
    """SourceImageSequence: each object once, its frames together."""
    by_object: dict[str, tuple[Instance, str, list[int]]] = {}
    for instance, _, preserved in references:
        entry = by_object.setdefault(instance.sop_instance_uid, (instance, preserved, []))
        if instance.frame_number is not None:
            entry[2].append(instance.frame_number)
    items = []
    for instance, preserved, frames in by_object.values():
        item = reference(instance)
        if frames:
            item.ReferencedFrameNumber = sorted(frames)
        item.PurposeOfReferenceCodeSequence = codes.sequence(codes.SOURCE_IMAGE)
        item.SpatialLocationsPreserved = preserved
        items.append(item)
    return Sequence(items)


def reference(instance: Instance) -> Dataset:
    """SOP class and instance of a source."""
    item = Dataset()
    item.ReferencedSOPClassUID = instance.sop_class_uid
    item.ReferencedSOPInstanceUID = instance.sop_instance_uid
    return item


def list_series(
    dataset: Dataset, references: list[tuple[Instance, SeriesContext]], study_uid: str
) -> None:
    """Set the Common Instance Reference module (PS3.3 C.12.2) for what ``dataset`` refers to."""
    by_series: dict[str, tuple[SeriesContext, dict[str, Instance]]] = {}
    for instance, series in references:
        entry = by_series.setdefault(series.series_uid, (series, {}))
        entry[1][instance.sop_instance_uid] = instance
    here, elsewhere = [], []
    for series, instances in by_series.values():
        listed = Dataset()
        listed.SeriesInstanceUID = series.series_uid
        listed.ReferencedInstanceSequence = Sequence(map(reference, instances.values()))
        if series.study.uid == study_uid:
            here.append(listed)
        else:
            other = Dataset()
            other.StudyInstanceUID = series.study.uid
            other.ReferencedSeriesSequence = Sequence([listed])
            elsewhere.append(other)
    if here:
        dataset.ReferencedSeriesSequence = Sequence(here)
    if elsewhere:
        dataset.StudiesContainingOtherReferencedInstancesSequence = Sequence(elsewhere)


def _corners(geometry: Geometry, k: int) -> np.ndarray:
    """(4, 3) LPS mm of the corner voxels of slice ``k``, the first pixel first."""
    i, j, _ = (n - 1 for n in geometry.size)
    indices = np.array([[0, 0, k, 1], [i, 0, k, 1], [0, j, k, 1], [i, j, k, 1]], dtype=float)
    return (indices @ geometry.ijk_to_lps.T)[:, :3]


def _depths(series: SeriesContext) -> tuple[np.ndarray, np.ndarray]:
    """The slice normal, and the mm along it of each instance."""
    normal = series.geometry.direction_matrix[:, 2]
    return normal, np.array([instance.position for instance in series.instances]) @ normal


def _beside(series: SeriesContext, point: np.ndarray) -> list[Instance]:
    """The slice through ``point``, or the two on its sides."""
    normal, depths = _depths(series)
    distance = np.abs(depths - point @ normal)
    nearest = int(distance.argmin())
    if distance[nearest] < _SAME_PLACE or len(depths) == 1:
        return [series.instances[nearest]]
    above = int(np.clip(np.searchsorted(depths, point @ normal), 1, len(depths) - 1))
    return list(series.instances[above - 1 : above + 1])


def _crossed(
    series: SeriesContext, corners: np.ndarray, transform: sitk.Transform | None
) -> list[Instance]:
    """The slices of which linear interpolation on the mapped plane takes values."""
    if transform is not None and not transform.IsLinear():
        return list(series.instances)
    mapped = corners
    if transform is not None:
        mapped = np.array([transform.TransformPoint(tuple(map(float, c))) for c in corners])
    normal, depths = _depths(series)
    span = mapped @ normal
    reach = float(np.diff(depths).max()) if len(depths) > 1 else series.geometry.spacing[2] / 2
    inside = (depths > span.min() - reach) & (depths < span.max() + reach)
    return [instance for instance, taken in zip(series.instances, inside, strict=True) if taken]
