"""A result as a folder: written all or nothing, and read back."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import InputError, OutputError
from ..fusion.settings import FusionSettings
from ..progress import Progress, part_of
from ..volumes.reading import geometry_of, read_volume
from ..volumes.staging import check_destination, interrupts_held, staged_folder
from ..volumes.transform_files import require_one_transform
from ..volumes.transform_reading import read_itk_transform
from ..volumes.volume import Volume
from ..volumes.whole_files import writing_errors
from ..volumes.writing import write_volume
from . import parts
from .alignment import Alignment
from .record import Record
from .report_file import describe_result, write_report
from .result import Result

TRANSFORM, REPORT = "transform.tfm", "report.json"
_REMEDY = "Give the folder that `wdualmine fuse` wrote"
# Share of the progress bar for the volumes; what else is written takes the rest.
_VOLUMES = 0.4


@dataclass(frozen=True)
class Extra:
    """Something that is written together with a result, all or none.

    Attributes:
        name: what ``report.json`` lists among the outputs.
        write: writes it into a folder, telling progress; what it returns goes into the report,
            but for "notes", which join those of the result.
        stage: under which its seconds are told.
        key: under which the report tells of it; "" where there is nothing to be told.
    """

    name: str
    write: Callable[[Path, Callable[[Progress], None]], dict[str, Any]]
    stage: str = "writing"
    key: str = ""


def file_names(settings: FusionSettings, *, with_transform: bool) -> list[str]:
    """The files that :func:`save` writes, known before anything is fused."""
    there = parts.asked_for(settings)
    return [*(part.file for part in there), *([TRANSFORM] if with_transform else []), REPORT]


def require_room(folder: Path, names: Sequence[str], *, force: bool = False) -> None:
    """Refuse a folder that cannot take ``names``, or whose other files would pass for new ones.

    Nothing of the user's is removed unasked: ``force`` replaces files, and an optional part of an
    earlier result has no successor.

    Raises:
        OutputError: see :func:`~..volumes.staging.check_destination`, or such a file.
    """
    check_destination(folder, names, force=force)
    optional = [*(part.file for part in parts.PARTS if part.optional), TRANSFORM]
    require_no_remains(folder, [name for name in optional if name not in names])


def require_no_remains(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder that holds one of ``names``, which nothing new would replace.

    Raises:
        OutputError: one is there.
    """
    for path in (folder / name for name in names):
        if path.exists():
            raise OutputError(
                f"{path}, of another result, would stay beside the new one",
                f"Move or remove it, or choose another folder than {folder}",
            )


def save(result: Result, folder: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write volumes, transform and ``report.json`` into ``folder``, all or none.

    Args:
        folder: made if it is not there.
        force: whether files that exist are replaced.

    Returns:
        ``folder``.

    Raises:
        OutputError: the folder cannot be written, or holds files that may not be replaced.
    """
    write_folder(result, Path(folder), force=force)
    return Path(folder)


def write_folder(
    result: Result,
    folder: Path,
    *,
    force: bool = False,
    extras: Sequence[Extra] = (),
    seconds: dict[str, float] | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """:func:`save` with what a command adds.

    Args:
        extras: what else goes into the folder.
        seconds: of the stages before, for the report.
        progress: called after every step.

    Returns:
        What ``report.json`` holds.

    Raises:
        OutputError: see :func:`save`.
    """
    volumes = {part.file: result.volumes[part.name] for part in parts.PARTS
               if part.name in result.volumes}  # fmt: skip
    transform = result.alignment.transform
    names = [*volumes, *([TRANSFORM] if transform is not None else [])]
    require_room(folder, [*names, REPORT], force=force)
    report = describe_result(result)
    report["notes"] = list(report["notes"])
    told: dict[str, float] = dict(seconds or {})
    with staged_folder(folder, force=force) as staging:
        started = time.perf_counter()
        progress(Progress(0, "Writing the volumes"))
        _write_volumes(staging, volumes)
        if transform is not None:
            with writing_errors(folder / TRANSFORM):
                sitk.WriteTransform(transform, str(staging / TRANSFORM))
        told["writing"] = time.perf_counter() - started
        step = (1 - _VOLUMES) / max(len(extras), 1)
        for number, extra in enumerate(extras):
            started = time.perf_counter()
            start = _VOLUMES + number * step
            about = extra.write(staging, part_of(progress, start, start + step))
            told[extra.stage] = told.get(extra.stage, 0.0) + time.perf_counter() - started
            report["notes"] += about.pop("notes", [])
            if extra.key:
                report[extra.key] = about
        outputs = [*names, *(extra.name for extra in extras), REPORT]
        report |= {
            "seconds": {stage: round(took, 3) for stage, took in told.items()},
            "outputs": outputs,
        }
        with writing_errors(folder):
            write_report(staging / REPORT, report)
    return report


def load(folder: str | os.PathLike[str]) -> Result:
    """What :func:`save` or ``wdualmine fuse`` wrote; only the fused volume must be there.

    The look of such a result cannot be changed: neither its sources nor what the network found are
    in the folder.

    Raises:
        InputError: no such folder or no fused volume in it, or a file that cannot be read.
    """
    folder = Path(folder)
    if not (folder / parts.FUSED.file).is_file():
        raise InputError(f"{folder} holds no {parts.FUSED.file}", _REMEDY)
    there = [part for part in parts.PARTS if (folder / part.file).is_file()]
    volumes = {
        part.name: (_read_colour if part == parts.COLOUR else read_volume)(folder / part.file)
        for part in there
    }
    report = _read_report(folder / REPORT)
    record = _record_of(folder, volumes[parts.FUSED.name], report)
    transform = _read_transform(folder / TRANSFORM)
    return Result(
        volumes,
        record.settings,
        list(report.get("notes", [])),
        dict(report.get("measures", {})),
        record,
        Alignment.of_report(report.get("registration", {}), transform),
    )


def _write_volumes(folder: Path, volumes: dict[str, Volume]) -> None:
    # Compressing takes most of the time, and leaves Python free for the others meanwhile.
    with ThreadPoolExecutor(len(volumes)) as pool:
        # An interrupt between the start of a thread and its entry in the pool would leave a writer
        # behind that nobody waits for.
        with interrupts_held():
            jobs = [pool.submit(write_volume, volume, folder / n) for n, volume in volumes.items()]
        for job in jobs:
            job.result()


def _record_of(folder: Path, fused: Volume, report: dict[str, Any]) -> Record:
    """From the report, which tells most; else from the header of the fused volume."""
    settings = report.get("settings")
    try:
        if settings and "fixed" in report:
            return Record.of_report(report)
        if "fixed_window" in fused.attributes:
            return Record.of_strings({key: str(value) for key, value in fused.attributes.items()})
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise InputError(
            f"{folder} does not tell how its result was made ({error!r})", _REMEDY
        ) from error
    return Record.of_little(settings if isinstance(settings, dict) else {})


def _read_colour(path: Path) -> Volume:
    """read_volume takes scalar volumes only; this one is RGB of 8 bits."""
    try:
        image = sitk.ReadImage(str(path), sitk.sitkVectorUInt8)
        array = np.asarray(sitk.GetArrayFromImage(image))
        return Volume(array, geometry_of(image), path.stem, path=path)
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(f"{path} cannot be read as an RGB volume: {reason}", _REMEDY) from error


def _read_transform(path: Path) -> sitk.Transform | None:
    if not path.is_file():
        return None
    require_one_transform(path)
    return read_itk_transform(path)


def _read_report(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read as JSON: {error}", _REMEDY) from error
    return report if isinstance(report, dict) else {}
