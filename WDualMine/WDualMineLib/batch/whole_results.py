"""Whether a folder holds a whole result, and of which recipe and inputs.

A study is written beside its place, forced to the disk, described in ``study.json``, and renamed
into place: what stands there is whole. It is looked at all the same, for files get lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..pipeline.sources import fingerprint
from ..volumes.partials import claimed, partial_beside, sweep
from ..volumes.whole_files import writing_errors
from .fingerprints import content_of, stat_of

MARKER = "study.json"
_BEFORE = ".before-"


def read_marker(folder: Path) -> dict[str, Any] | None:
    """What ``study.json`` of a folder says; None where there is none that can be read."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) else None


def is_whole(folder: Path, marker: Mapping[str, Any], *, verify: bool = False) -> bool:
    """Whether every output that the marker lists is there, with the size that it had.

    Args:
        verify: whether the content is read and compared, too.
    """
    outputs = marker.get("outputs")
    if not outputs or not isinstance(outputs, list):
        return False
    try:
        return all(_is_output(folder / each["file"], each, verify) for each in outputs)
    except (OSError, KeyError, TypeError):
        return False


def _is_output(path: Path, told: Mapping[str, Any], verify: bool) -> bool:
    if path.stat().st_size != told["bytes"]:
        return False
    return not verify or fingerprint(path) == told["sha256"]


def is_of(marker: Mapping[str, Any], recipe: str, inputs: Mapping[str, Path]) -> bool:
    """Whether a marker tells of this recipe and these inputs as they are now.

    Contents are read only where names, sizes or times differ from what they were.
    """
    told = marker.get("inputs")
    if marker.get("recipe") != recipe or not isinstance(told, dict) or told.keys() != inputs.keys():
        return False
    try:
        return all(is_same_input(told[role], path) for role, path in inputs.items())
    except (OSError, KeyError, TypeError, InputError):
        return False


def is_same_input(told: Mapping[str, str], path: Path) -> bool:
    """Whether ``path`` holds what :func:`describe_inputs` told of it."""
    return told["stat"] == stat_of(path) or told["sha256"] == content_of(path)


def describe_inputs(inputs: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Path, names with sizes and times, and content of each input."""
    return {
        role: {"path": str(path), "stat": stat_of(path), "sha256": content_of(path)}
        for role, path in inputs.items()
    }


@contextmanager
def result_folder(folder: Path) -> Iterator[Path]:
    """A folder of the same name, on the same disk, that takes the place of ``folder`` at the end.

    On any exception it is removed and ``folder`` is as it was. The one that was there before is
    removed once the new one stands. Should the power fail between the two,
    :func:`put_back` brings the old one back.
    """
    working = partial_beside(folder)
    with writing_errors(folder):
        working.mkdir(parents=True)
    try:
        with claimed(working):
            new = working / folder.name
            yield new
            with writing_errors(folder):
                _to_disk(new)
                old = folder.with_name(f"{_BEFORE}{folder.name}")
                if folder.exists():
                    folder.rename(old)
                try:
                    new.rename(folder)
                except OSError:
                    if old.exists():
                        old.rename(folder)
                    raise
                _sync(folder.parent)
                shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def put_back(home: Path) -> None:
    """Tidy up after runs that were killed: unfinished folders, and results half replaced."""
    sweep(home)
    for old in home.glob(f"{_BEFORE}*"):
        place = old.with_name(old.name.removeprefix(_BEFORE))
        with suppress(OSError):
            if place.exists():
                shutil.rmtree(old)
            else:
                old.rename(place)


def write_marker(folder: Path, about: Mapping[str, Any], outside: Mapping[str, Path]) -> None:
    """Write ``study.json`` into ``folder``, of all the files that are in it.

    Args:
        about: what else it tells.
        outside: files of the study that lie elsewhere; relative path from ``folder`` as it will
            stand, to where it lies now.
    """
    files = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    outputs = [
        {"file": name, "bytes": path.stat().st_size, "sha256": fingerprint(path)}
        for name, path in (files | dict(outside)).items()
    ]
    inputs = about["inputs"]
    whole = "\n".join([about["recipe"], *(inputs[role]["sha256"] for role in sorted(inputs))])
    content = {
        **about,
        "fingerprint": hashlib.sha256(whole.encode()).hexdigest(),
        "outputs": outputs,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / MARKER).write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _to_disk(folder: Path) -> None:
    """After this, a power failure leaves whole files or, before the renaming, none."""
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    with suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
