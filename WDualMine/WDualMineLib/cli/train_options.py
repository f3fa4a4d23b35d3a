"""Options of ``wdualmine train``, checked before any data are read."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:  # torch loads only when it is used
    from ..lab.training.config import TrainingConfig


def require_sense(options: argparse.Namespace, **least_of: int) -> None:
    """Refuse numbers that no run has, before any data are read.

    Args:
        options: with ``steps``, ``until``, ``seed``, ``device`` and ``output``.
        least_of: further whole numbers by name, and the least that each may be.

    Raises:
        InputError: a number out of range, no such device, or a file for a folder.
    """
    import torch

    for name, least in {"steps": 1, "until": 1, "seed": 0, **least_of}.items():
        value = getattr(options, name)
        if value is not None and not least <= value < 2**31:
            raise InputError(
                f"--{name} {value} is not possible", f"Give a whole number from {least}"
            )
    try:
        torch.empty(0, device=options.device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"There is no device {options.device!r} here", "Use cpu, or cuda where there is one"
        ) from error
    if options.output.exists() and not options.output.is_dir():
        raise InputError(f"{options.output} is a file", "Name a folder")


def kept_of_run(checkpoint: Path) -> str:
    """What an interrupt of a run leaves, as half a sentence."""
    if checkpoint.is_file():
        return f"the run so far is in {checkpoint.parent}, and --resume goes on with it"
    return "nothing of the run was kept"


def checked(overrides: dict) -> TrainingConfig:
    """The configuration, each value of the kind that its default has."""
    from ..lab.training.config import TrainingConfig, config_from

    _require_kinds(overrides, asdict(TrainingConfig()))
    try:
        config = config_from(overrides)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The training options cannot be used: {error}", "Correct the file of --config"
        ) from error
    for name in ("steps", "lessons", "per_group", "validate_every"):
        if getattr(config, name) < 1:
            raise InputError(
                f"The training option {name} is {getattr(config, name)}", "Give one above 0"
            )
    return config


def _require_kinds(given: dict, usual: dict, inside: str = "") -> None:
    for name, value in given.items():
        default = usual.get(name)
        if isinstance(default, dict) and isinstance(value, dict):
            _require_kinds(value, default, f"{inside}{name}.")
            continue
        numbers = isinstance(default, (int, float)) and not isinstance(default, bool)
        fits = isinstance(value, type(default)) or default is None
        if numbers:
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
            fits = fits and math.isfinite(value)
            fits = fits and (isinstance(default, float) or isinstance(value, int))
        elif isinstance(default, tuple):
            fits = isinstance(value, (list, tuple))
        if name in usual and not fits:
            raise InputError(
                f"The training option {inside}{name} is {value!r}, where its default is "
                f"{default!r}",
                "Give a value of that kind",
            )
