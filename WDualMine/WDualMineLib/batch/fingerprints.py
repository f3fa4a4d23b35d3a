"""What decides on a result, as hashes: the recipe (everything but the inputs), and the inputs."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..pipeline.sources import fingerprint
from ..version import __version__
from ..volumes.kept_inputs import files_of
from ..volumes.reading import is_dicom
from .study import WITHOUT_FILE

# What a result does not depend on, or what is hashed on its own.
_APART = ("fixed", "moving", "output", "force", "weights", "device")


def recipe_of(options: argparse.Namespace, extra: Mapping[str, Any]) -> str:
    """SHA-256 of version, weights and options.

    The device is left out: results agree across devices as far as `docs/method.md` says, and a
    study need not run again because the next worker has no GPU.

    Args:
        options: those of ``wdualmine fuse``, and no others.
        extra: what else decides on what is written.

    Raises:
        WeightsError: the weights are not there.
    """
    told = {key: str(value) for key, value in vars(options).items() if key not in _APART}
    weights = str(options.weights) if options.weights else None
    # The path of a transform is none of the recipe; its content is an input.
    if told.get("registration") not in WITHOUT_FILE:
        told["registration"] = "file"
    content = {"version": __version__, "weights": _weights_hash(weights), **told, **extra}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=64)
def _weights_hash(path: str | None) -> str:
    # Here and not above: torch takes a second to import, and a refused list does without.
    from ..network.weights import weights_hash

    return weights_hash(path)


def stat_of(path: Path) -> str:
    """What changes when a file, or one of a folder, is replaced: names, sizes and times.

    Raises:
        OSError: it is not there.
    """
    path = _whole(path)
    if not path.is_dir():
        return _digest([_line(file, path.parent) for file in _files(path)])
    lines = []
    for here, folders, files in os.walk(path):
        folders.sort()
        lines += [_line(Path(here, file), path) for file in sorted(files)]
    return _digest(lines)


def content_of(path: Path) -> str:
    """SHA-256 of what is in a file, with those that it names, or in a folder."""
    path = _whole(path)
    if path.is_dir():
        return fingerprint(path)
    files = _files(path)
    if len(files) == 1:
        return fingerprint(path)
    return _digest([f"{file.name} {fingerprint(file)}" for file in files])


def _whole(path: Path) -> Path:
    """One file of a DICOM series stands for those beside it."""
    return path.parent if path.is_file() and not _stands_alone(path) and is_dicom(path) else path


def _files(path: Path) -> list[Path]:
    """The file, with those that its header names and the other half of a pair."""
    return [path] if _stands_alone(path) else sorted(set(files_of(path)))


def _stands_alone(path: Path) -> bool:
    return path.name.endswith((".nii", ".nii.gz"))


def _line(file: Path, root: Path) -> str:
    stat = file.stat()
    return f"{os.path.relpath(file, root)} {stat.st_size} {stat.st_mtime_ns}"


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()
