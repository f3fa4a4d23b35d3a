"""Pairs proposed for a tree of DICOM files: within a study, by modality.

A proposal, because modalities alone do not tell which of several series is meant: what is not the
only choice is marked, and runs only from a study list that somebody has looked at.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..volumes.reading import is_dicom
from .study import Row

_RANK = ("MR", "CT", "PT", "NM")
_WINDOWS = {"PT": "pet", "NM": "pet"}
_UNFIT = re.compile(r"[^A-Za-z0-9.+-]+")


@dataclass(frozen=True)
class Series:
    """A series of the tree, as one of its headers tells."""

    folder: Path
    uid: str
    study_uid: str
    patient_id: str
    modality: str
    description: str
    files: int


def pairs_of(root: Path, skip: Path, progress: Callable[[str], None]) -> list[Row]:
    """A row for each study with two modalities.

    Fixed is the finest anatomy (MR, else CT), moving the other modality with most to add (PET or
    SPECT, else CT). Where a modality has several series the one with the most slices is proposed,
    and the row says so in ``doubt``.

    Args:
        root: of the tree.
        skip: a folder that is not looked into: that of the results.
        progress: told how far it is.

    Raises:
        InputError: there is no pair at all.
    """
    series = _series(root, skip, progress)
    studies: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for each in series:
        studies[each.patient_id, each.study_uid].append(each)
    rows = []
    for number, ((_, _), there) in enumerate(sorted(studies.items()), start=1):
        there = [each for each in there if each.modality in _RANK]
        modalities = sorted({each.modality for each in there}, key=_RANK.index)
        if len(modalities) < 2:
            continue
        chosen, doubts = [], []
        for modality in (modalities[0], modalities[-1]):
            of_kind = sorted(
                (each for each in there if each.modality == modality),
                key=lambda each: (-each.files, each.uid),
            )
            chosen.append(of_kind[0])
            if len(of_kind) > 1:
                doubts.append(f"{len(of_kind)} series of {modality}")
        if len(modalities) > 2:
            doubts.append(f"{', '.join(modalities)} are there")
        rows.append(_row(root, number, chosen, " and ".join(doubts)))
    if not rows:
        raise InputError(
            f"No study in {root} holds two of {', '.join(_RANK)}; {len(series)} series were found",
            "Give a study list in CSV, with a row for each pair",
        )
    return rows


def _series(root: Path, skip: Path, progress: Callable[[str], None]) -> list[Series]:
    """Of a folder each file's header is read: one folder may hold several series."""
    import pydicom

    from ..dicom.headers import damaged, text

    tags = ["StudyInstanceUID", "SeriesInstanceUID", "PatientID", "Modality", "SeriesDescription"]
    found: dict[tuple[Path, str], list[Series]] = defaultdict(list)
    looked = 0
    for here, folders, files in os.walk(root):
        folder = Path(here)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and folder / f != skip)
        for file in sorted(files):
            path = folder / file
            if file.startswith(".") or not path.is_file() or not is_dicom(path):
                continue
            looked += 1
            if looked % 500 == 0:
                progress(f"{looked} DICOM files looked at")
            with damaged(path):
                header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
                uid = text(header, "SeriesInstanceUID")
                if not uid:
                    continue
                one = Series(
                    folder,
                    uid,
                    text(header, "StudyInstanceUID"),
                    text(header, "PatientID"),
                    text(header, "Modality").upper(),
                    text(header, "SeriesDescription"),
                    1,
                )
            found[folder, uid].append(one)
    return [
        Series(**{**vars(each[0]), "files": len(each)}) for each in found.values()
    ]  # fmt: skip


def _row(root: Path, number: int, chosen: list[Series], doubt: str) -> Row:
    fixed, moving = chosen
    words = {f"{role}-series": each.uid for role, each in (("fixed", fixed), ("moving", moving))}
    for role, each in (("fixed", fixed), ("moving", moving)):
        if each.modality in _WINDOWS:
            words[f"{role}-window"] = _WINDOWS[each.modality]
    common = os.path.commonpath([fixed.folder, moving.folder])
    place = Path(common).relative_to(root).as_posix()
    stem = _UNFIT.sub("-", place).strip("-.") if place != "." else ""
    return Row(
        place=f"study {number} in {place}",
        fixed=fixed.folder.relative_to(root).as_posix(),
        moving=moving.folder.relative_to(root).as_posix(),
        name=f"{number:04d}-{stem}-{fixed.modality}+{moving.modality}".replace("--", "-")[:100],
        words=words,
        doubt=doubt,
    )
