"""The training loop: deterministic by seed, resumable, with a log that can be plotted."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from numpy.random import Generator
from torch import Tensor

from ...network.model import DualMineNetwork, NetworkConfig
from .config import TrainingConfig
from .dataset import SlicePair
from .objective import MEASURES, fuse_slices, objective
from .sampling import clean_batch, rng_of_lesson
from .validation import validate

COLUMNS = (
    "step",
    "loss",
    "missing",
    *(column for name in MEASURES for column in (name, f"{name} excess")),
    "seconds",
)
"""Of the log."""


class Trainer:
    """Trains one network in a folder.

    The folder holds ``checkpoint.pt`` (everything needed to go on), ``log.csv`` (one row a step)
    and ``validation.jsonl`` (one line a validation).

    Args:
        config: see :class:`TrainingConfig`.
        training, validation: pairs by modality pair.
        folder: made if absent; a checkpoint in it is resumed.
        device: torch device.
        workers: lessons of a step that are computed at once; does not change the result.
        build: makes the network; another one for ablations.
    """

    def __init__(
        self,
        config: TrainingConfig,
        training: dict[str, list[SlicePair]],
        validation: dict[str, list[SlicePair]],
        folder: Path,
        device: str = "cpu",
        workers: int = 1,
        build: Callable[[NetworkConfig], DualMineNetwork] = DualMineNetwork,
    ) -> None:
        self.config, self.training, self.validation = config, training, validation
        self.folder, self.device = folder, device
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = build(config.network).to(device)
        self.average = build(config.network).to(device).requires_grad_(False)
        self.average.load_state_dict(self.model.state_dict())
        self.average.eval()
        # Both sources are trusted evenly: slices are sound, and what suspects them is taught apart.
        self.learning = [
            p for name, p in self.model.named_parameters() if not name.startswith("evidence.")
        ]
        self.optimiser = torch.optim.AdamW(self.learning, weight_decay=1e-4)
        # Each lesson keeps to one thread: two at once are faster than one on two threads.
        self.pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
        self.step = 0
        if self._checkpoint.is_file():
            self._resume()

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _resume(self) -> None:
        state = torch.load(self._checkpoint, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def save(self) -> None:
        """Write the checkpoint; an interrupted write leaves the previous one."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        partial = self._checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self._checkpoint)

    def _train_step(self) -> dict[str, float]:
        config = self.config
        learning = self.learning

        def learn(number: int) -> tuple[list[Tensor | None], dict[str, float]]:
            loss, log = self._fusion(rng_of_lesson(config.seed, self.step, number))
            gradients = torch.autograd.grad(loss, learning, allow_unused=True)
            return list(gradients), {"loss": loss.item()} | log

        self.model.train()
        gradients, logs = zip(*self.pool.map(learn, range(config.lessons)), strict=True)
        self.optimiser.zero_grad(set_to_none=True)
        for parameter, *parts in zip(learning, *gradients, strict=True):
            # Always summed in the same order, so that the number of workers changes nothing.
            parts = [part for part in parts if part is not None]
            parameter.grad = sum(parts) / config.lessons if parts else None
        for group in self.optimiser.param_groups:
            group["lr"] = config.rate(self.step)
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        self.optimiser.step()
        with torch.no_grad():
            # Early on the average follows closely, or it would remember the initial weights.
            decay = min(config.averaging, (self.step + 1) / (self.step + 10))
            for kept, new in zip(self.average.parameters(), self.model.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)
        self.step += 1
        means = {name: sum(log[name] for log in logs) / len(logs) for name in logs[0]}
        return {"step": self.step, **means}

    def _fusion(self, rng: Generator) -> tuple[Tensor, dict[str, float]]:
        """Loss of fused whole slices."""
        config = self.config
        a, b = (
            x.to(self.device)
            for x in clean_batch(self.training, config.per_group, config.toned, rng)
        )
        maps = self.model(a, b, reliability=torch.full_like(a, 0.5))
        fused = fuse_slices(maps.residual, a, b)
        return objective(fused, a, b, config.objective)

    def run(self) -> Iterator[dict[str, float]]:
        """Train to the last step, yielding each step's log; closing it stops the run cleanly."""
        log_path = self.folder / "log.csv"
        start = time.monotonic()
        try:
            with log_path.open("a", newline="") as stream:
                writer = csv.DictWriter(stream, COLUMNS, restval="")
                if stream.tell() == 0:
                    writer.writeheader()
                while self.step < self.config.steps:
                    row = self._train_step() | {"seconds": round(time.monotonic() - start, 2)}
                    writer.writerow({k: round(v, 5) for k, v in row.items()})
                    stream.flush()
                    last = self.step == self.config.steps
                    if last or self.step % self.config.validate_every == 0:
                        self.save()
                        self._validate()
                    yield row
        finally:
            self.pool.shutdown()
            self.save()

    def _validate(self) -> None:
        table = validate(
            self.average,
            self.validation,
            self.config.validation_stride,
            self.config.objective.floor,
        )
        with (self.folder / "validation.jsonl").open("a") as stream:
            stream.write(json.dumps({"step": self.step} | table) + "\n")
