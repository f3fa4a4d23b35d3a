"""A result without whose it is: names, paths, hashes and notes of the sources are gone.

What goes into files afterwards (headers, report, pictures) is made of what is left. The DICOM
context stays in memory, for the export, which applies the profile of the standard by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..dicom.context import Patient, Study
from ..errors import OutputError
from ..volumes.volume import Volume
from . import parts
from .record import ROLES, Record, SourceRecord
from .result import Result

# Shorter words than this are in every text: initials, sexes, numbers of series.
_SHORTEST = 3
_NEUTRAL_WEIGHTS = Path("weights.pt")


def anonymous(result: Result, sources: Iterable[Volume]) -> Result:
    """``result`` with the roles in place of names, and nothing else of its sources.

    Args:
        result: fused just now.
        sources: the fixed and the moving volume as they were read; none for a result that was read
            from a folder, whose record tells what has to go.
    """
    record = result.record
    words = identifying_words(sources) | _words_of(record)
    settings = result.settings
    if settings.weights is not None:
        settings = replace(settings, weights=_NEUTRAL_WEIGHTS)
    record = replace(
        record,
        fixed=_nameless(record.fixed, "fixed"),
        moving=_nameless(record.moving, "moving"),
        settings=settings,
        anonymised=True,
    )
    volumes = {
        name: replace(volume, name=parts.BY_NAME[name].title_for(*ROLES))
        for name, volume in result.volumes.items()
    }
    fused = volumes[parts.FUSED.name]
    volumes[parts.FUSED.name] = replace(fused, attributes=record.attributes())
    notes = _scrubbed(result.notes, result, words)
    pair = None
    if result.inputs is not None:
        pair = replace(result.inputs, fixed_name="fixed", moving_name="moving", notes=tuple(notes))
    return replace(
        result,
        volumes=volumes,
        settings=settings,
        notes=notes,
        record=record,
        alignment=replace(
            result.alignment,
            source="",
            reasons=tuple(_scrubbed(result.alignment.reasons, result, words)),
        ),
        inputs=pair,
    )


def identifying_words(sources: Iterable[Volume]) -> set[str]:
    """What tells whose ``sources`` are, in lower case: of their headers, files and folders."""
    found: set[str] = set()
    for volume in sources:
        found |= _pieces(volume.name)
        if volume.path is not None:
            path = Path(volume.path).absolute()
            found |= _pieces(path.name) | _pieces(path.parent.name)
            inside = path.rglob("*") if path.is_dir() else [path]
            found |= {part.lower() for file in inside for part in (file.name, file.stem)}
        if volume.context is not None:
            context = volume.context
            found |= _of(context.patient) | _of(context.study)
            found |= _pieces(context.series_description) | {context.series_uid}
            found |= {context.frame_of_reference_uid}
            found |= {instance.sop_instance_uid for instance in context.instances}
    return {word.strip().lower() for word in found if len(word.strip()) >= _SHORTEST}


def _words_of(record: Record) -> set[str]:
    """What a record tells of whose its sources are, in lower case."""
    found: set[str] = set()
    for source in (record.fixed, record.moving):
        found |= _pieces(source.name) | {source.series_uid}
        if source.path is not None:
            found |= _pieces(source.path.name) | _pieces(source.path.parent.name)
        if source.patient is not None:
            found |= _of(source.patient)
    return {word.strip().lower() for word in found if len(word.strip()) >= _SHORTEST}


def require_nameless_folder(folder: Path, sources: Iterable[Volume]) -> None:
    """Refuse an output folder whose own name tells whose the result is.

    Raises:
        OutputError: its name holds name, ID, birth date or accession number of a patient.
    """
    told = set()
    for volume in sources:
        if volume.context is not None:
            patient, study = volume.context.patient, volume.context.study
            told |= _pieces(patient.name) | {patient.patient_id, patient.birth_date}
            told |= {study.accession_number, study.study_id}
    words = {word.lower() for word in told if len(word.strip()) >= _SHORTEST}
    names = [folder.name, *(p.name for p in folder.absolute().parents if not p.exists())]
    for name in names:
        if any(word in name.lower() for word in words):
            raise OutputError(
                f"The name of the folder {name} tells whose the anonymised result is",
                "Give a folder with another name",
            )


def _nameless(source: SourceRecord, role: str) -> SourceRecord:
    return replace(
        source, name=role, path=None, sha256_of_voxels="", sha256="", patient=None, series_uid=""
    )


def _scrubbed(notes: Iterable[str], result: Result, words: set[str]) -> list[str]:
    """Notes with the roles in place of names; what still tells something is left out."""
    kept, left = [], 0
    for note in notes:
        for name, role in (
            (result.record.fixed.name, "fixed"),
            (result.record.moving.name, "moving"),
        ):
            if name:
                note = note.replace(name, f"the {role} volume")
        if any(word in note.lower() for word in words):
            left += 1
        else:
            kept.append(note)
    if left:
        kept.append(f"{left} notes that name files or the patient were left out")
    return kept


def _of(part: Patient | Study) -> set[str]:
    values = [value for value in vars(part).values() if isinstance(value, str)]
    if isinstance(part, Patient):
        values += part.trial.values()
        # Sex, age, weight and size are no words of a name; sentences hold such numbers by chance.
        values = [v for v in values if v not in (part.sex, part.age, part.size, part.weight)]
    return {piece for value in values for piece in _pieces(value)}


def _pieces(text: str) -> set[str]:
    """The whole, and its words: a name may be taken apart by who writes it."""
    return {text, *re.split(r"[\W_]+", text)} if text else set()
