"""A folder of DICOM files to a volume with its context, exactly, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..volumes.volume import Volume
from . import kinds, upright
from .context import SeriesContext
from .frames import Frame, frames_of
from .gathering import gather
from .headers import Header, Source, damaged, number, scan, text
from .pixels import is_colour, stored_values
from .stacking import stack


class SeveralSeries(InputError):
    """Several series that could be read, of which the caller must choose one."""


@dataclass(frozen=True)
class DicomSeries:
    """A series read.

    Attributes:
        volume: float32 (K, J, I) in real units (HU, BQML, ...), on an upright, even grid whose K
            is the slice normal. ``attributes`` hold "units" and, for PET, "suv_factor"; it
            carries the notes and the context.
        context: what the series says beside its voxels.
        notes: what the user must be told (tilt resampled, copies left out, ...), sentences.
        resampled: whether voxels were interpolated, so that they are not the stored ones.
    """

    volume: Volume
    context: SeriesContext
    notes: list[str] = field(default_factory=list)
    resampled: bool = False


@dataclass(frozen=True)
class SeriesSummary:
    """A series found: ``refusal`` is "" if it is of a kind that can be read, else the reason."""

    uid: str
    modality: str
    description: str
    files: int
    refusal: str

    def __str__(self) -> str:
        what = " ".join(part for part in (self.modality, self.description) if part)
        return f"{what or 'series'} ({self.files} files) {self.uid}"


def list_series(source: Source) -> list[SeriesSummary]:
    """What a folder holds, the readable series first.

    Raises:
        InputError: see :func:`read_series`.
    """
    found = [_summary(uid, headers) for uid, headers in scan(source).series.items()]
    return sorted(found, key=lambda summary: bool(summary.refusal))


def read_series(folder_or_files: Source, series_uid: str | None = None) -> DicomSeries:
    """Read one series of CT, MR, PET, NM or enhanced CT, MR or PET images.

    Args:
        folder_or_files: a folder (subfolders included), one file of the series (its slices in the
            same folder come along), or a list of exactly the files.
        series_uid: which series, where there are several.

    A gantry tilt is resampled onto an upright grid with its shear, uneven slices onto an even one,
    exact copies are left out; each is said in ``notes``.

    Raises:
        SeveralSeries: several series and no ``series_uid``.
        InputError: nothing readable; no such series; colour; no geometry; damaged or truncated
            files; slices missing or out of line; orientations, sizes, patients or frames of
            reference mixed; several images at one position.
    """
    found = scan(folder_or_files)
    uid, others = _choose(found.series, series_uid)
    headers = found.series[uid]
    summary = _summary(uid, headers)
    name = summary.description or _folder_name(headers[0].path)
    frames = [frame for header in headers for frame in frames_of(header)]
    pixels = _Pixels()
    ordered = stack(name, frames, pixels.same)
    geometry = upright.geometry_of(ordered)
    context = gather(name, headers, ordered.frames, geometry)
    array = upright.resample(ordered, np.stack([pixels.real(f) for f in ordered.frames]))
    notes = [*ordered.notes, *_left_out(found.left_out, others), *_incomplete(name, headers)]
    if context.lossy:
        notes.append(f"{name}: the images went through lossy compression before")
    attributes: dict[str, object] = {"units": context.units}
    if context.suv is not None:
        if context.suv.factor is None:
            notes.append(f"{name}: no SUV can be computed: {context.suv.reason}")
        else:
            attributes["suv_factor"] = context.suv.factor
    volume = Volume(
        array, geometry, name, context.modality, attributes, tuple(notes), context=context
    )
    return DicomSeries(volume, context, notes, ordered.tilted or not ordered.even)


class _Pixels:
    """Real values of frames; a multi-frame file is decoded once."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._values = np.empty(0)

    def real(self, frame: Frame) -> np.ndarray:
        """(rows, columns) float32: stored value times slope plus intercept."""
        if self._path != frame.path:
            self._values, self._path = stored_values(frame.path), frame.path
        stored = self._values[frame.index]
        if stored.shape != frame.shape:
            raise InputError(
                f"{frame.path.name} changed while it was read", "Wait until it is copied"
            )
        # In double precision first: slopes such as 4.7e-5 would round twice in single.
        real = stored.astype(np.float64) * frame.slope + frame.intercept
        return real.astype(np.float32)

    def same(self, a: Frame, b: Frame) -> bool:
        return a.shape == b.shape and np.array_equal(self.real(a), self.real(b))


def _choose(series: dict[str, list[Header]], wanted: str | None) -> tuple[str, list[str]]:
    """The series to read, and what else is there, in words."""
    summaries = [_summary(uid, headers) for uid, headers in series.items()]
    if wanted is not None and wanted not in series:
        raise InputError(
            f"There is no series {wanted} here, but {'; '.join(map(str, summaries))}",
            "Give one of these series UIDs",
        )
    usable = [s for s in summaries if not s.refusal and wanted in (None, s.uid)]
    refused = [s for s in summaries if s.refusal and wanted in (None, s.uid)]
    if not usable:
        why = "; ".join(f"{s.description or s.uid} holds {s.refusal}" for s in refused)
        raise InputError(
            f"No series here is a volume: {why}", "Choose a CT, MR, PET or NM series of slices"
        )
    if len(usable) > 1:
        listed = "; ".join(str(summary) for summary in usable)
        raise SeveralSeries(
            f"There are {len(usable)} series here: {listed}",
            "Choose one by its series UID, or give the folder of one of them",
        )
    return usable[0].uid, [f"{s.description or s.uid} ({s.refusal})" for s in refused]


def _summary(uid: str, headers: list[Header]) -> SeriesSummary:
    with damaged(headers[0].path):
        first = headers[0].dataset
        return SeriesSummary(
            uid=uid,
            modality=text(first, "Modality").upper(),
            description=text(first, "SeriesDescription"),
            files=len(headers),
            refusal=_refusal(headers),
        )


def _refusal(headers: list[Header]) -> str:
    for header in headers:
        with damaged(header.path):
            kind = text(header.dataset, "SOPClassUID")
            if kind not in kinds.VOLUMES:
                words = kinds.in_words(kind, header.dataset.SOPClassUID.name)
                return f"colour {words}" if is_colour(header.dataset) else words
            if is_colour(header.dataset):
                return "images in colour, which have no single value to fuse"
    return ""


def _left_out(files: list[str], series: list[str]) -> list[str]:
    notes = []
    if files:
        listed = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
        notes.append(f"{len(files)} files that are not DICOM images were left out: {listed}")
    if series:
        notes.append(f"Left out beside the series: {'; '.join(series)}")
    return notes


def _incomplete(name: str, headers: list[Header]) -> list[str]:
    """PET counts its slices (0054,0081), so that missing ends can be seen; CT and MR do not."""
    with damaged(headers[0].path):
        if text(headers[0].dataset, "Modality") != "PT":
            return []
        said = number(headers[0].dataset, "NumberOfSlices")
    here = len({text(header.dataset, "SOPInstanceUID") for header in headers})
    if said and said > here:
        return [f"{name}: the header says {said:.0f} slices, of which {here} are here"]
    return []


def _folder_name(path: Path) -> str:
    return path.resolve().parent.name or path.stem
