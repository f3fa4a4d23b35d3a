"""Processor seconds of a study by stage, on one thread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import SimpleITK as sitk
import torch
from torch import nn

from ...fusion.settings import FusionSettings
from ...pipeline.result import Result
from ..speed.stages import stages_of_files


def stages_of_studies(
    pairs: Sequence[tuple[Path, Path]],
    settings: FusionSettings,
    model: nn.Module,
    draw: Callable[[Path, Result], None],
) -> dict[str, Any]:
    """The median over studies of one size; the first, which loads libraries, is done once more.

    Returns:
        As :func:`~..speed.stages.stages_of_files`, with ``runs``, and ``input_bytes`` of the files.
    """
    with _one_thread():
        stages_of_files(pairs[0], settings, model, draw)
        found = [stages_of_files(pair, settings, model, draw) for pair in pairs]
    return {
        "shape": found[0]["shape"],
        "runs": len(found),
        "stages": {s: _median([f["stages"][s] for f in found]) for s in found[0]["stages"]},
        "total": _median([f["total"] for f in found]),
        "input_bytes": _middle([sum(path.stat().st_size for path in pair) for pair in pairs]),
        "output_bytes": _middle([f["output_bytes"] for f in found]),
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    process = sitk.ProcessObject
    before = torch.get_num_threads(), process.GetGlobalDefaultNumberOfThreads()
    torch.set_num_threads(1)
    process.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        process.SetGlobalDefaultNumberOfThreads(before[1])


def _median(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {clock: statistics.median(row[clock] for row in rows) for clock in rows[0]}


def _middle(sizes: Sequence[int]) -> int:
    return int(statistics.median(sizes))
