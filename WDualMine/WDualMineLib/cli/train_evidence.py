"""``wdualmine train-evidence``: teach the network what a faulty volume looks like."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from pathlib import Path

from ..errors import InputError
from .console import report
from .train_options import kept_of_run, require_sense

_CONFIGURED = ("steps", "dense", "again", "seed", "stacks", "rate")
"""Options that are fields of the configuration; those that are not given keep its defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.description = (
        "Teach the evidence part of the network on volumes with and without faults, calibrate it, "
        "and join it with the fusion part of a weights file. A run that was stopped goes on when "
        "the command is given again with --resume."
    )
    parser.add_argument("data", type=Path, help="folder with harvard and volumes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--extra", type=Path, nargs="*", default=[], metavar="FILE", help="further single volumes"
    )
    parser.add_argument("--steps", type=int, help="optimiser steps in all")
    parser.add_argument("--dense", type=int, help="of them, with faults in almost every stack")
    parser.add_argument("--again", type=int, help="steps to a batch that is drawn (default 6)")
    parser.add_argument("--until", type=int, metavar="STEP", help="stop after this one")
    parser.add_argument("--seed", type=int, help="of the initial weights and every batch")
    parser.add_argument(
        "--alarms",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="of the tissue that may be flagged in nine of ten of the training's sound volumes: it "
        "sets the scale of the maps (default .01)",
    )
    parser.add_argument(
        "--fusion",
        type=Path,
        metavar="FILE",
        help="weights whose fusion part is kept (default: those that ship)",
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="weights whose evidence a new run begins with (default: at random)",
    )
    parser.add_argument(
        "--blend",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="of what was learned in the weights that are written; the rest is of --start, which "
        "keeps what was known before (default 1)",
    )
    parser.add_argument("--stacks", type=int, help="pairs of stacks in a step")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        help="processes that draw batches: a GPU waits for as many as there are (default 1)",
    )


def run(options: argparse.Namespace) -> None:
    """Teach, print progress, and write ``weights.pt`` into the run's folder."""
    import torch

    from ..lab.evidence.anatomies import read_anatomies
    from ..lab.evidence.calibration import blend, fold, quiet_shift, scores_of_sound
    from ..lab.evidence.learning import Learner, LearningConfig
    from ..network.weights import load_model, save_weights

    require_sense(options, dense=0, again=1, workers=1, stacks=1)
    if not 0 < options.alarms < 1:
        raise InputError(
            f"--alarms {options.alarms:g} is no share of the tissue",
            "Give a number between 0 and 1, such as .01",
        )
    if options.rate is not None and not 0 < options.rate < 1:
        raise InputError(
            f"--rate {options.rate:g} is no learning rate", "Give a number above 0, such as .001"
        )
    if not 0 < options.blend <= 1 or (options.blend < 1 and options.start is None):
        raise InputError(
            f"--blend {options.blend:g} is not possible",
            "Give a share up to 1; below 1 with the weights that the run began with as --start",
        )
    if (options.output / "evidence.pt").exists() and not options.resume:
        raise InputError(
            f"{options.output} already holds a run", "Add --resume, or name another folder"
        )
    wanted = {name: getattr(options, name) for name in _CONFIGURED}
    config = LearningConfig(**{k: v for k, v in wanted.items() if v is not None})
    fusion = load_model(options.fusion)
    start = None if options.start is None else load_model(options.start).evidence
    torch.set_num_threads(1)
    anatomies = read_anatomies(options.data, tuple(options.extra))
    learner = Learner(config, anatomies, options.output, options.device, options.workers, start)
    print(f"{len(anatomies)} volumes, step {learner.step} of {config.steps}")
    shown = time.monotonic()
    # Closed at once by whatever ends the loop, so that the checkpoint is written.
    with closing(learner.run(options.until)) as rows:
        for row in rows:
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                report("  ".join(f"{name} {value:g}" for name, value in row.items()))
    if learner.step < config.steps:
        print(f"Stopped at step {learner.step}; --resume goes on")
        return
    evidence = learner.average.cpu()
    if start is not None:
        blend(evidence, start, options.blend)
    shift = quiet_shift(scores_of_sound(evidence, anatomies), options.alarms)
    print(f"With {options.alarms:g} flagged at most in nine of ten: log-odds = score {shift:+.3f}")
    fold(evidence, shift)
    fusion.evidence.load_state_dict(evidence.state_dict())
    save_weights(fusion, options.output / "weights.pt")
    print(f"Wrote {options.output / 'weights.pt'}")


def stopped(options: argparse.Namespace) -> str:
    """What an interrupt leaves, as half a sentence."""
    return kept_of_run(options.output / "evidence.pt")
