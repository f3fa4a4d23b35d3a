"""``wdualmine bench ablation``: the network trained again without each of its parts."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from ...errors import InputError
from ...version import __version__
from ...volumes.whole_files import write_text
from ..options import add_workers

NO_FLOOR = "whole network, floor off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench ablation``."""
    parser.description = (
        "Train the fusion, and the fusion without each of its parts, for the same number of steps "
        "with the same seed and batches, and measure them on the validation cases. The training "
        "is short: the rows are to be compared with each other and not with the weights that "
        "ship. A run that was stopped goes on when the command is given again. With --steps 0 "
        "nothing is trained: each part is taken out of the weights that ship, which shows what "
        "they lean on and not what the network could do without it."
    )
    parser.add_argument("data", type=Path, help="folder with CT-MRI, PET-MRI and SPECT-MRI")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder of the runs and of ablation.json"
    )
    parser.add_argument("--steps", type=int, default=200, help="of every row (default 200)")
    parser.add_argument("--every", type=int, default=10, metavar="N", help="validate on each Nth")
    parser.add_argument("--seed", type=int, default=0)
    add_workers(parser)


def run(options: argparse.Namespace) -> None:
    """Train, measure, print the tables, and write ``ablation.json``."""
    import torch

    from ...lab.training.ablation import WHOLE, WITHOUT
    from ...lab.training.config import TrainingConfig
    from ...lab.training.dataset import group_pairs, read_pairs, split_by_case
    from ...lab.training.trainer import Trainer
    from ...lab.training.validation import validate
    from ...network.weights import load_model

    if min(options.steps, options.seed) < 0 or options.every < 1:
        raise InputError(
            "--every must be 1 or more, --steps and --seed 0 or more", "Correct the number"
        )
    torch.set_num_threads(1)
    training, validation = (group_pairs(x) for x in split_by_case(read_pairs(options.data)))
    shipped = load_model()
    config = replace(
        TrainingConfig(),
        steps=options.steps,
        seed=options.seed,
        network=shipped.config,
        validate_every=50,
        validation_stride=options.every,
    )
    floor = config.objective.floor
    tables: dict[str, dict] = {}
    for row, build in WITHOUT.items():
        if options.steps:
            folder = options.output / row.replace(" ", "-")
            trainer = Trainer(
                config, training, validation, folder, workers=options.workers, build=build
            )
            for step in trainer.run():
                if step["step"] % 50 == 0:
                    print(f"{row}: step {step['step']} of {config.steps}", flush=True)
            model = trainer.average
        else:
            model = build(config.network).eval()
            # A part that was taken out has no weights, and those of the others are all there.
            model.load_state_dict(shipped.state_dict(), strict=False)
        tables[row] = validate(model, validation, options.every, floor)
        if row == WHOLE:
            tables[NO_FLOOR] = validate(model, validation, options.every, 0.0)
    print(as_text(tables))
    figures = {
        "version": __version__,
        "steps": options.steps,
        "seed": options.seed,
        "every": options.every,
        "rows": tables,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    write_text(options.output / "ablation.json", json.dumps(figures, indent=2), force=True)


def as_text(tables: dict[str, dict[str, dict[str, float]]]) -> str:
    """One table a modality pair, a line a network."""
    lines = []
    for group in next(iter(tables.values())):
        columns = list(next(iter(tables.values()))[group])
        lines.append(f"{group:<30}" + "".join(f"{name:>10}" for name in columns))
        for row, table in tables.items():
            lines.append(f"{row:<30}" + "".join(f"{table[group][name]:>10.4f}" for name in columns))
        lines.append("")
    return "\n".join(lines)
