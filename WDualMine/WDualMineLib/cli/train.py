"""``wdualmine train``: train the network on registered 2-D slice pairs."""

from __future__ import annotations

import argparse
import json
import pickle
import time
from contextlib import closing
from pathlib import Path

from ..errors import InputError
from .console import report
from .options import add_workers
from .train_options import checked, kept_of_run, require_sense


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("data", type=Path, help="folder with CT-MRI, PET-MRI and SPECT-MRI")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--config", type=Path, help="JSON with values that differ from the defaults"
    )
    parser.add_argument("--steps", type=int, help="optimiser steps in all")
    parser.add_argument(
        "--until", type=int, metavar="STEP", help="stop after this one; --resume goes on from there"
    )
    parser.add_argument("--seed", type=int, help="of the initial weights and every batch")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    add_workers(parser)


def run(options: argparse.Namespace) -> None:
    """Train, print progress, and write ``weights.pt`` and ``curves.png`` into the run's folder."""
    import torch

    from ..lab.training.config import config_to_dict
    from ..lab.training.curves import draw_curves
    from ..lab.training.dataset import group_pairs, read_pairs, split_by_case
    from ..lab.training.trainer import Trainer
    from ..network.weights import load_model, save_weights

    require_sense(options, workers=1)
    overrides = _read_overrides(options.config)
    overrides |= {
        name: value for name in ("steps", "seed") if (value := getattr(options, name)) is not None
    }
    if (options.output / "checkpoint.pt").exists() and not options.resume:
        raise InputError(
            f"{options.output} already holds a run", "Add --resume, or name another folder"
        )
    config = checked(overrides)
    if options.until is not None and options.until > config.steps:
        raise InputError(
            f"--until {options.until} is beyond the {config.steps} steps of the run",
            "Give an earlier step, or more --steps",
        )
    # What is left outside of the lessons is too little to share.
    torch.set_num_threads(1)
    training, validation = split_by_case(read_pairs(options.data))
    try:
        trainer = Trainer(
            config,
            group_pairs(training),
            group_pairs(validation),
            options.output,
            options.device,
            options.workers,
        )
    except (RuntimeError, KeyError, EOFError, ValueError, pickle.UnpicklingError) as error:
        if not options.resume:
            raise
        raise InputError(
            f"{options.output / 'checkpoint.pt'} is damaged, or of a run with other options",
            "Give the options of that run, or begin another one in a new folder",
        ) from error
    (options.output / "config.json").write_text(json.dumps(config_to_dict(config), indent=2) + "\n")
    print(
        f"{len(training)} training pairs, {len(validation)} validation pairs, "
        f"step {trainer.step} of {config.steps}"
    )
    shown = time.monotonic()
    # Closed at once by whatever ends the loop, so that the checkpoint is written.
    with closing(trainer.run()) as rows:
        for row in rows:
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                report("  ".join(f"{name} {value:g}" for name, value in row.items()))
            if trainer.step == options.until:
                break
    shipped = load_model()
    if shipped.config.evidence == config.network.evidence:
        # What suspects faults is taught apart (train-evidence), and is not random in what is saved.
        trainer.average.evidence.load_state_dict(shipped.evidence.state_dict())
    save_weights(trainer.average, options.output / "weights.pt")
    draw_curves(options.output, options.output / "curves.png")
    print(f"Wrote {options.output / 'weights.pt'} and curves.png beside it")


def stopped(options: argparse.Namespace) -> str:
    """What an interrupt leaves, as half a sentence."""
    return kept_of_run(options.output / "checkpoint.pt")


def _read_overrides(path: Path | None) -> dict:
    if path is None:
        return {}
    try:
        overrides = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error})", "Correct the file") from error
    if not isinstance(overrides, dict):
        raise InputError(f"{path} does not hold an object", 'Write {"name": value, ...}')
    return overrides
