"""A fusion result to a folder of DICOM objects that a PACS takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset

from ..errors import Caution, InputError, OutputError
from ..progress import Progress, Steps, finish
from ..volumes.geometry import Geometry
from ..volumes.staging import check_destination, staged_folder
from ..volumes.volume import Volume
from ..volumes.whole_files import writing_errors
from .anonymise import Anonymiser
from .context import Patient, SeriesContext
from .derivation import Derivation
from .files import write_file
from .fused_images import colour_images, gray_images, kind_for
from .identity import require_one_patient
from .modules import Target, target_for
from .parametric_maps import parametric_map
from .patient import given, require_writable
from .series import (
    COLOUR,
    FOLDERS,
    FUSED,
    REGISTRATION,
    SeriesKind,
    SeriesLabel,
    image_name,
    object_names,
)
from .spatial_registration import spatial_registration
from .uids import Uids

_SAME_GRID_MM = 1e-3


@dataclass(frozen=True)
class ResultVolumes:
    """What is exported.

    Attributes:
        fused: float 0..1 on the grid of the fixed volume.
        maps: each by the series that it goes into: float, on the same grid.
        colour: RGB of 8 bits on the same grid, or None.
        transform: maps points of the fixed volume to the moving one (LPS mm); None where nothing
            aligned them.
        settings: of the fusion, by name; paths and devices among them are not written.
        modalities: of fixed and moving, for volumes without DICOM; "" where unknown.
        by_content: whether ``transform`` was found by registering the images, and not given.
    """

    fused: Volume
    maps: Mapping[SeriesKind, Volume] = field(default_factory=dict)
    colour: Volume | None = None
    transform: sitk.Transform | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    modalities: tuple[str, str] = ("", "")
    by_content: bool = False


@dataclass(frozen=True)
class ExportOptions:
    """How to export.

    Attributes:
        patient: for results of files without DICOM; what is empty becomes a visible placeholder.
        kind: "CT" or "MR" for the gray images; None takes the fixed series' kind.
        parts: names of the series that are written, as far as the result has them; None for all.
        labels: of some series, by name, in place of :meth:`~.series.SeriesKind.default_label`.
        allow_different_patients: export although the inputs name different patients; only
            without identity, for the objects would go out as one patient's.
        anonymise: apply the standard's basic confidentiality profile (PS3.15 E) to all objects.
        force: replace existing files.
    """

    patient: Patient | None = None
    kind: str | None = None
    parts: Collection[str] | None = None
    labels: Mapping[str, SeriesLabel] = field(default_factory=dict)
    allow_different_patients: bool = False
    anonymise: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        if self.kind not in (None, "CT", "MR"):
            raise InputError(f"There is no kind {self.kind!r} of fused images", "Use CT or MR")
        if self.allow_different_patients and not self.anonymise:
            raise InputError(
                "A result of two patients cannot go out under one of them",
                "Export it anonymised, or fuse two series of one patient",
            )
        if self.patient is not None:
            require_writable(self.patient)


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        files: in the order of the series.
        instances: SOP instance UID of each file.
        patient: name and ID in all of them, for messages.
        notes: sentences for the user.
    """

    folder: Path
    files: list[Path]
    instances: list[str]
    patient: str
    notes: list[str]


def export_result(
    result: ResultVolumes,
    folder: str | PathLike[str],
    fixed: SeriesContext | None = None,
    moving: SeriesContext | None = None,
    options: ExportOptions | None = None,
    progress=None,
) -> Exported:
    """Write ``result`` as DICOM objects; see :func:`export_steps`."""
    return finish(export_steps(result, folder, fixed, moving, options), progress)


def export_steps(
    result: ResultVolumes,
    folder: str | PathLike[str],
    fixed: SeriesContext | None = None,
    moving: SeriesContext | None = None,
    options: ExportOptions | None = None,
) -> Steps[Exported]:
    """Write ``result`` as DICOM objects, all or none.

    ``folder`` gets ``fused/`` (CT or MR images), ``fused_colour/`` (RGB secondary captures),
    ``maps/`` (parametric maps) and ``registration/``, as far as the result has them.

    Args:
        result: volumes on the grid of the fixed series.
        folder: made if it is not there.
        fixed, moving: contexts of the source series, None for volumes without DICOM.
        options: defaults as in :class:`ExportOptions`.

    Raises:
        DifferentPatients: the two series name different patients.
        InputError: the result does not lie on the fixed series, or its values are no fusion result.
        OutputError: the folder cannot be written, or holds such files already
            (:func:`require_room`).
    """
    options = options or ExportOptions()
    notes = _check(result, fixed, moving, options)
    derivation = Derivation(
        fixed,
        moving,
        result.transform,
        result.settings,
        result.modalities,
        by_content=result.by_content,
    )
    target = target_for(fixed, options.patient, Uids())
    anonymiser = Anonymiser() if options.anonymise else None
    folder = Path(folder)
    names: list[Path] = []
    instances: list[str] = []
    patient = ""
    parts = _parts(result, fixed, moving, options)
    expected = object_names(result.fused.geometry.size[2], parts)
    require_room(folder, expected, force=options.force)
    with staged_folder(folder, force=options.force) as staging:
        for name, dataset in _objects(result, parts, derivation, target, options, notes):
            if anonymiser is not None:
                anonymiser.apply(dataset)
            with writing_errors(folder / name):
                (staging / name).parent.mkdir(exist_ok=True)
                write_file(dataset, staging / name)
            names.append(name)
            instances.append(str(dataset.SOPInstanceUID))
            patient = f"{dataset.PatientName} ({dataset.PatientID})".strip()
            yield Progress(len(names) / len(expected), f"Writing {name.as_posix()}")
    return Exported(folder, [folder / name for name in names], instances, patient, notes)


def require_room(folder: Path, names: Sequence[Path], *, force: bool) -> None:
    """Refuse a folder whose files must not be replaced, or would stay among the new ones.

    Slices that an earlier, longer result left would pass for slices of this one.

    Raises:
        OutputError: see :func:`~..volumes.staging.check_destination`, or such files.
    """
    check_destination(folder, [name.as_posix() for name in names], force=force)
    there = (path.relative_to(folder) for series in FOLDERS for path in folder.glob(f"{series}/*"))
    left = sorted(set(there) - set(names))
    if left:
        raise OutputError(
            f"{folder / left[0]}, of another result, would stay among the new DICOM objects",
            f"Move or remove the DICOM objects in {folder}, or choose another place",
        )


def _parts(
    result: ResultVolumes,
    fixed: SeriesContext | None,
    moving: SeriesContext | None,
    options: ExportOptions,
) -> list[SeriesKind]:
    """Which series are there and wanted, in the order of their numbers."""
    there = [FUSED, *result.maps]
    if result.colour is not None:
        there.append(COLOUR)
    if fixed is not None and moving is not None and result.transform is not None:
        there.append(REGISTRATION)
    wanted = [kind for kind in there if options.parts is None or kind.name in options.parts]
    if not wanted:
        raise InputError("The result has none of the parts to be exported", "Choose others")
    return sorted(wanted, key=lambda kind: kind.number)


def _objects(
    result: ResultVolumes,
    kinds: Sequence[SeriesKind],
    derivation: Derivation,
    target: Target,
    options: ExportOptions,
    notes: list[str],
) -> Iterator[tuple[Path, Dataset]]:
    """File names and data sets, series after series."""
    for kind in kinds:
        label = options.labels.get(kind.name) or kind.default_label(*derivation.modalities)
        if kind == FUSED:
            modality = options.kind or kind_for(derivation)
            images = gray_images(result.fused, target, derivation, modality, label)
            yield from ((image_name(kind, k), image) for k, image in enumerate(images))
        elif kind == COLOUR:
            images = colour_images(result.colour, target, derivation, label)
            yield from ((image_name(kind, k), image) for k, image in enumerate(images))
        elif kind in result.maps:
            volume = result.maps[kind]
            (name,) = kind.files(1)
            yield name, parametric_map(volume, kind, target, derivation, label)
        elif result.transform is not None and not result.transform.IsLinear():
            notes.append("The registration was left out: a deformation fits in no matrix")
        else:
            fixed, moving = derivation.fixed, derivation.moving
            dataset = spatial_registration(target, fixed, moving, derivation, label)
            (name,) = kind.files(1)
            yield name, dataset


def _check(
    result: ResultVolumes,
    fixed: SeriesContext | None,
    moving: SeriesContext | None,
    options: ExportOptions,
) -> list[str]:
    """Refuse what must not be written; return what the user must be told."""
    notes: list[str] = []
    if fixed is not None:
        _require_grid(result.fused, fixed.geometry, "the fixed series")
        if not fixed.frame_of_reference_uid:
            notes.append(
                "The fixed series carries no frame of reference; a new one was made, and viewers "
                "will not link the result to that series by themselves"
            )
        if len(fixed.study.study_id) > 16 or len(fixed.study.accession_number) > 16:
            notes.append("The study ID or accession number exceeds 16 characters and was cut")
        ignored = given(options.patient)
        if ignored:
            notes.append(
                f"The patient is the one that the fixed series names; {' and '.join(ignored)} as "
                "given in the options were ignored"
            )
    else:
        notes.append(
            "There is no fixed DICOM series: patient and study are what was given, else marked "
            "PLACEHOLDER, and the frame of reference is new"
        )
    if fixed is not None and moving is not None and result.transform is None:
        notes.append(Caution(_unregistered(fixed, moving)))
    others = [*result.maps.values(), *([result.colour] if result.colour is not None else [])]
    for volume in others:
        _require_grid(volume, result.fused.geometry, "the fused volume")
    allowed = options.allow_different_patients
    return [*notes, *require_one_patient(fixed, moving, allowed=allowed)]


def _unregistered(fixed: SeriesContext, moving: SeriesContext) -> str:
    frames = {fixed.frame_of_reference_uid, moving.frame_of_reference_uid}
    if len(frames) == 1 and "" not in frames:
        return (
            "Both series share one frame of reference, and nothing was registered: there is no "
            "registration object"
        )
    return (
        "Nothing registered the two series, which have no frame of reference in common: there is "
        "no registration object, and the moving one was taken to lie where its header says"
    )


def _require_grid(volume: Volume, expected: Geometry, of_what: str) -> None:
    same = volume.geometry.size == expected.size and np.allclose(
        volume.geometry.corners(), expected.corners(), rtol=0, atol=_SAME_GRID_MM
    )
    if not same:
        raise InputError(
            f"{volume.name} does not lie on the grid of {of_what}",
            "Give the series and the result that belong together",
        )
