"""The sources of a result that was read from a folder, where they still are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from ..pipeline.pair import prepare
from ..pipeline.record import Record, SourceRecord
from ..pipeline.request import Source
from ..pipeline.result import Result
from ..pipeline.sources import read, voxel_fingerprint
from ..volumes.reading import is_dicom
from ..volumes.volume import Volume

NOT_SHOWN = "The sources are not shown: "


def with_sources(
    result: Result, fixed: Source | None = None, moving: Source | None = None
) -> tuple[Result, list[str]]:
    """``result`` with the volumes that it was made of, and why it is without where it is.

    Args:
        fixed, moving: where they are; None looks where they were fused from.

    Returns:
        The result, and sentences; none where both sources were found and are what they were.
    """
    record = result.record
    if result.inputs is not None:
        return result, []
    try:
        first, second = read_sources(record, fixed, moving)
        # As they were windowed, whatever "auto" would choose today.
        settings = replace(
            result.settings,
            fixed_window=record.window_in_words("fixed"),
            moving_window=record.window_in_words("moving"),
        )
        pair = prepare(first, second, settings, result.alignment.transform)
    except InputError as error:
        return result, [f"{NOT_SHOWN}{error.what}."]
    return replace(result, inputs=pair), []


def read_sources(
    record: Record, fixed: Source | None = None, moving: Source | None = None
) -> tuple[Volume, Volume]:
    """The fixed and the moving volume of a result, if they are what they were.

    Args:
        fixed, moving: where they are; None looks where they were fused from.

    Raises:
        InputError: one is not there, or is another volume than the one that was fused.
    """
    if record.told is not None:
        raise InputError("the result does not tell what it was made of", "Fuse again")
    return _read(record.fixed, fixed, "fixed"), _read(record.moving, moving, "moving")


def _read(source: SourceRecord, given: Source | None, role: str) -> Volume:
    where = given if given is not None else source.path
    if where is None:
        raise InputError(f"nothing tells where the {role} volume is", "Give its path")
    if given is None and source.path is not None and not source.path.exists():
        raise InputError(f"the {role} volume is not at {source.path} any more", "Give its path")
    of_dicom = not isinstance(where, Volume) and is_dicom(Path(where))
    volume = read(where, (source.series_uid or None) if of_dicom else None)
    known = source.sha256_of_voxels
    if known and voxel_fingerprint(volume.array) != known:
        raise InputError(
            f"the {role} volume is not what {source.name} was when it was fused",
            "Give the volume that it was made of",
        )
    return volume
