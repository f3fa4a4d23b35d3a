"""A result from a folder with what changing its look takes: its network is run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..pipeline.request import Request
from ..pipeline.run import fuse_aligned_steps
from ..progress import Progress, Steps
from .fusing import Made
from .study import read_result_and_sources

_SAME_WITHIN = 4 / 255
"""Devices and versions of PyTorch differ by less."""


def again_steps(folder: Path, sources_in: Sequence[Path]) -> Steps[Made]:
    """The result of ``folder`` with its network's output; nothing is written.

    Args:
        sources_in: folders in which its sources may be read.

    Raises:
        InputError: the sources may not or cannot be read, or what comes out is not what is in the
            folder, as with other weights.
    """
    yield Progress(0.0, "Reading the result and its sources")
    result, fixed, moving = read_result_and_sources(folder, sources_in)
    record = result.record
    settings = replace(
        result.settings,
        fixed_window=record.window_in_words("fixed"),
        moving_window=record.window_in_words("moving"),
        device="auto",
        weights=None,  # a report may name any file
    )
    request = Request(fixed, moving, settings, different_patients=record.different_patients)
    made = yield from fuse_aligned_steps(request, result.alignment)
    away = float(np.abs(made.fused.array - result.fused.array).max())
    if away > _SAME_WITHIN:
        raise InputError(
            f"Fused again, the result is another one, by up to {away:.2f}: it was made with other "
            "weights or another version",
            "Serve the folder without --again",
        )
    return (
        replace(made, notes=result.notes, measures=made.measures | result.measures),
        fixed,
        moving,
    )
