"""A folder of DICOM files to a volume with its context, exactly, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
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
from .modules import MANUFACTURER
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
    exact copies are left out, and pixel padding gets the lowest value measured; each is said in
    ``notes``.

    Raises:
        SeveralSeries: several series and no ``series_uid``.
        InputError: nothing readable; no such series; colour; no geometry; damaged or truncated
            files; slices missing or out of line; orientations, sizes, patients or frames of
            reference mixed; several images at one position.
    """
    found = scan(folder_or_files)
    uid, others = _choose(found.series, series_uid)
    headers, strangers = _apart(found.series[uid])
    summary = _summary(uid, headers)
    name = summary.description or _folder_name(headers[0].path)
    frames = [frame for header in headers for frame in frames_of(header)]
    pixels = _Pixels()
    ordered = stack(name, frames, pixels.same)
    geometry = upright.geometry_of(ordered)
    context = gather(name, headers, ordered.frames, geometry)
    slices, padded = _filled(name, [pixels.real(frame) for frame in ordered.frames])
    array = upright.resample(ordered, slices)
    notes = [*ordered.notes, *strangers, *_left_out(found.left_out, others)]
    notes += _incomplete(name, headers)
    notes += [*padded, *_about_values(name, context, headers[0], ordered.frames[0])]
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
        self._padding: np.ndarray | None = None

    def real(self, frame: Frame) -> tuple[np.ndarray, np.ndarray | None]:
        """(rows, columns) float32: stored value times slope plus intercept, or through the mapping;
        and where it is none because it is padding or not mapped, None for nowhere."""
        if self._path != frame.path:
            self._values, self._padding = stored_values(frame.path)
            self._path = frame.path
        stored = self._values[frame.index]
        if stored.shape != frame.shape:
            raise InputError(
                f"{frame.path.name} changed while it was read", "Wait until it is copied"
            )
        # In double precision first: slopes such as 4.7e-5 would round twice in single.
        outside = None if self._padding is None else self._padding[frame.index]
        if frame.mapping is None:
            real = stored.astype(np.float64) * frame.slope + frame.intercept
            return real.astype(np.float32), outside
        real = frame.mapping.real(stored)
        unmapped = np.isnan(real) & ~np.isnan(stored)
        return real.astype(np.float32), unmapped if outside is None else outside | unmapped

    def same(self, a: Frame, b: Frame) -> bool:
        return a.shape == b.shape and np.array_equal(self.real(a)[0], self.real(b)[0], True)


def _filled(
    name: str, slices: list[tuple[np.ndarray, np.ndarray | None]]
) -> tuple[np.ndarray, list[str]]:
    """(n, rows, columns) of all slices, with the lowest value that was measured in place of what
    was not, and a note of that."""
    array = np.stack([real for real, _ in slices])
    if all(outside is None or not outside.any() for _, outside in slices):
        return array, []
    outside = np.stack([np.zeros(r.shape, bool) if o is None else o for r, o in slices])
    measured = array[~outside]
    measured = measured[np.isfinite(measured)]
    if not measured.size:
        raise InputError(
            f"{name} holds nothing but padding (PixelPaddingValue)", "Choose another series"
        )
    lowest = measured.min()
    array[outside] = lowest
    return array, [
        f"{name}: {100 * outside.mean():.2g} % of the voxels are outside of what was measured "
        f"(pixel padding); they count as {lowest:g}, the lowest value"
    ]


def _about_values(name: str, context: SeriesContext, header: Header, frame: Frame) -> Iterator[str]:
    """What must be known of the values before they are believed."""
    if context.lossy:
        yield f"{name}: the images went through lossy compression before"
    if text(header.dataset, "PhotometricInterpretation") == "MONOCHROME1":
        yield (
            f"{name} is to be displayed inverted (MONOCHROME1), high values dark; the values were "
            "taken as they are stored, whatever viewers do"
        )
    if frame.mapping is not None and frame.mapping.others:
        yield (
            f"{name} maps its values to {frame.mapping.units or 'no unit'} and to "
            f"{', '.join(frame.mapping.others)}; the first was taken"
        )


def _choose(series: dict[str, list[Header]], wanted: str | None) -> tuple[str, list[str]]:
    """The series to read, and what else is there, in words."""
    summaries = [_summary(uid, headers) for uid, headers in series.items()]
    if wanted is not None and wanted not in series:
        raise InputError(
            f"There is no series {wanted} here, but {'; '.join(map(str, summaries))}",
            "Give one of these series UIDs",
        )
    usable = [s for s in summaries if not s.refusal and wanted in (None, s.uid)]
    # Results that were written into the folder of a source are not meant, where anything else is.
    ours = [s for s in usable if _is_ours(series[s.uid][0])]
    if wanted is None and 0 < len(ours) < len(usable):
        usable = [s for s in usable if s not in ours]
    else:
        ours = []
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
    left = [f"{s.description or s.uid} ({s.refusal})" for s in refused]
    left += [f"{s.description or s.uid} (a result of {MANUFACTURER})" for s in ours]
    return usable[0].uid, left


def _is_ours(header: Header) -> bool:
    with damaged(header.path):
        return text(header.dataset, "Manufacturer") == MANUFACTURER


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
    """Why none of the files is a slice of a volume, "" if one is."""
    reasons = [_no_slice(header) for header in headers]
    return reasons[0] if all(reasons) else ""


def _no_slice(header: Header) -> str:
    """What a file holds instead of slices of a volume, in words; "" for slices."""
    with damaged(header.path):
        kind = text(header.dataset, "SOPClassUID")
        if kind not in kinds.VOLUMES:
            words = kinds.in_words(kind, header.dataset.SOPClassUID.name)
            return f"colour {words}" if is_colour(header.dataset) else words
        if is_colour(header.dataset):
            return "images in colour, which have no single value to fuse"
    return ""


def _apart(headers: list[Header]) -> tuple[list[Header], list[str]]:
    """The slices, and a note of what lies among them under the same series: screen captures, dose
    reports, presentation states.

    Raises:
        InputError: one has a place among the slices, so that a slice would be missing without it.
    """
    reasons = {header.path: _no_slice(header) for header in headers}
    for header in headers:
        words = reasons[header.path]
        with damaged(header.path):
            placed = text(header.dataset, "ImagePositionPatient") != ""
        if words and placed and not all(reasons.values()):
            raise InputError(
                f"{header.path.name} lies among the slices of its series and holds {words}",
                "Fetch it again, or remove it if the series does without",
            )
    kept = [header for header in headers if not reasons[header.path]]
    left = [f"{path.name} ({words})" for path, words in reasons.items() if words]
    if not kept or not left:
        return headers, []
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return kept, [f"Left out of the series, since they are no slices: {', '.join(left[:3])}{more}"]


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
