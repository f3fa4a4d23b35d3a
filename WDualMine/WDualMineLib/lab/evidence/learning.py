"""The loop that teaches the evidence network, with a checkpoint and a log."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...network.evidence import Evidence
from ...network.surroundings import surroundings_of_crops
from .anatomies import Anatomy
from .batches import DENSE, NATURAL, Prevalence, Stacks, draw_stacks
from .faults import KINDS

_AHEAD = 4
"""Batches that wait while one is learned from."""

_KEPT = 8
"""Batches that come back later."""

_HEAVIEST = 20.0
"""Weight of a voxel of a fault that is very small."""

_NAMING = 0.1
"""Worth of naming the kind of a fault beside finding it."""

CHANNELS = (16, 24, 32, 48)


@dataclass(frozen=True)
class LearningConfig:
    """What decides a run besides the data.

    Attributes:
        steps: optimiser steps.
        dense: of them, the first, with faults in almost every stack, each of which weighs as if it
            filled a share of it: at their natural rarity a network at its start learns only that
            they are rare, and of the large ones.
        share: that a fault seems to fill at least in these steps.
        again: steps to a batch that is drawn; in the others an earlier one comes back, with its
            volumes exchanged, for drawing costs as much as learning.
        stacks: pairs of stacks in a step.
        rate: highest learning rate; it falls to a hundredth by a cosine.
        warm_up: steps over which it rises.
        averaging: decay of the running average of the weights, which is what is kept.
        seed: of the initial weights and of every batch.
        channels: see :class:`~...network.evidence.Evidence`.
    """

    steps: int = 9200
    dense: int = 8400
    share: float = 0.06
    again: int = 2
    stacks: int = 8
    rate: float = 2e-3
    warm_up: int = 200
    averaging: float = 0.998
    seed: int = 0
    channels: tuple[int, ...] = field(default=CHANNELS)

    def rate_at(self, step: int) -> float:
        """Learning rate at ``step``."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(done, 1))) / 2)


def suspicion_loss(score_a: Tensor, score_b: Tensor, stacks: Stacks, share: float = 0.0) -> Tensor:
    """Cross-entropy of *this volume is faulty here* over what is known.

    With a ``share`` of 0 each voxel counts alike, so that faults weigh as much as they are common:
    classes weighed alike would cry wolf. Else a fault that fills less of its stack counts as if it
    filled so much.
    """
    total = score_a.new_zeros(())
    for score, faulty, counts in (
        (score_a, stacks.faulty_a, stacks.counts_a),
        (score_b, stacks.faulty_b, stacks.counts_b),
    ):
        cost = F.binary_cross_entropy_with_logits(score, faulty, reduction="none")
        faults = (faulty * counts).sum((1, 2, 3), keepdim=True)
        whole = counts.sum((1, 2, 3), keepdim=True)
        weight = (share * whole / faults.clamp_min(1)).clamp(1, _HEAVIEST)
        worth = counts * (1 + (weight - 1) * faulty)
        total = total + (cost * worth).sum() / worth.sum().clamp_min(1)
    return total / 2


def naming_loss(names: Tensor, kinds: Tensor, counts: Tensor) -> Tensor:
    """Cross-entropy of *which fault is it*, places of none weighing as much as all others.

    Args:
        names: (N, D, 1 + kinds, h, w), scores.
        kinds: (N, D, h, w), see :class:`.batches.Stacks`.
        counts: the same shape, 0 or 1.
    """
    cost = F.cross_entropy(names.transpose(1, 2), kinds, reduction="none")
    faulty = counts * (kinds > 0)
    sound = counts - faulty
    return sum((cost * x).sum() / x.sum().clamp_min(100) for x in (faulty, sound)) / 2


class Learner:
    """Teaches one network in a folder, which holds ``evidence.pt`` and ``evidence.csv``.

    A run that was stopped goes on with its network; which batches come back is not remembered.

    Args:
        config: see :class:`LearningConfig`.
        anatomies: see :func:`.anatomies.read_anatomies`.
        folder: made if absent; a checkpoint in it is resumed.
        device: torch device.
    """

    def __init__(
        self, config: LearningConfig, anatomies: list[Anatomy], folder: Path, device: str = "cpu"
    ) -> None:
        self.config, self.anatomies, self.folder, self.device = config, anatomies, folder, device
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = Evidence(config.channels).to(device)
        self.average = Evidence(config.channels).to(device).requires_grad_(False).eval()
        self.average.load_state_dict(self.model.state_dict())
        # To say which fault it is teaches features faster than to say only that there is one. What
        # says so is used nowhere else, and is not kept with the weights that ship.
        self.naming = nn.Conv2d(config.channels[0], 1 + len(KINDS), 1).to(device)
        self.model.scores[0][0].register_forward_hook(self._remember)
        learned = [*self.model.parameters(), *self.naming.parameters()]
        self.optimiser = torch.optim.AdamW(learned, weight_decay=1e-4)
        self.step = 0
        if self.checkpoint.is_file():
            state = torch.load(self.checkpoint, map_location=device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.naming.load_state_dict(state["naming"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]

    @property
    def checkpoint(self) -> Path:
        """The file that a run goes on from."""
        return self.folder / "evidence.pt"

    def save(self) -> None:
        """Write the checkpoint; an interrupted write leaves the previous one."""
        partial = self.checkpoint.with_suffix(".part")
        torch.save(
            {
                "channels": self.config.channels,
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "naming": self.naming.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
            },
            partial,
        )
        partial.replace(self.checkpoint)

    def run(
        self, until: int | None = None, save_every: int = 100
    ) -> Generator[dict[str, float], None, None]:
        """Learn up to step ``until``, yielding each step's log; closing it stops cleanly."""
        last = min(self.config.steps, until or self.config.steps)
        log = self.folder / "evidence.csv"
        started = time.monotonic()
        try:
            with log.open("a", newline="") as stream:
                writer = csv.DictWriter(
                    stream, ("step", "loss", "naming", "recall", "alarms", "seconds")
                )
                if stream.tell() == 0:
                    writer.writeheader()
                for stacks in self._batches(last):
                    row = self._learn(stacks) | {"seconds": round(time.monotonic() - started, 1)}
                    writer.writerow(row)
                    stream.flush()
                    if self.step % save_every == 0:
                        self.save()
                    yield row
        finally:
            self.save()

    def _batches(self, last: int) -> Iterator[Stacks]:
        """Drawn ahead in another process; every batch comes back a few steps later, exchanged."""
        config = self.config
        with ProcessPoolExecutor(1, initializer=_inherit, initargs=(self.anatomies,)) as pool:
            ahead: list[Future[Stacks]] = []
            kept: list[Stacks] = []
            for number in range(self.step, last):
                if number % config.again == 0 or not kept:
                    while len(ahead) < _AHEAD:
                        drawn = number + config.again * len(ahead)
                        prevalence = DENSE if drawn < config.dense else NATURAL
                        arguments = (config.stacks, prevalence, config.seed, drawn)
                        ahead.append(pool.submit(_draw, *arguments))
                    kept.append(ahead.pop(0).result())
                    yield kept[-1]
                else:
                    yield kept[number % len(kept)].exchanged()
                if len(kept) > _KEPT:
                    kept.pop(0)

    def _remember(self, module: nn.Module, inputs: object, features: Tensor) -> None:
        self._features = features

    def _scores(self, stacks: Stacks) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of both volumes: the scores, and those of each kind of fault."""
        with torch.no_grad():
            seen = self.model.impression(stacks.a), self.model.impression(stacks.b)
            known = surroundings_of_crops(*seen, stacks.distance)
        # Half precision in the convolutions: a quarter less time, and nothing lost.
        with torch.autocast(torch.device(self.device).type, torch.bfloat16):
            of_a, of_b = self.model.score(*seen, known)
            names = self.naming(self._features)
        n, d = stacks.a.shape[:2]
        names_a, names_b = names.float().unflatten(0, (2 * n, d)).chunk(2)
        return of_a.float(), of_b.float(), names_a, names_b

    def _learn(self, stacks: Stacks) -> dict[str, float]:
        stacks = Stacks(
            *(x.to(self.device) if isinstance(x, Tensor) else x for x in vars(stacks).values())
        )
        *scores, names_a, names_b = self._scores(stacks)
        share = self.config.share if self.step < self.config.dense else 0.0
        suspicion = suspicion_loss(*scores, stacks, share)
        named = naming_loss(names_a, stacks.kind_a, stacks.counts_a)
        named = named + naming_loss(names_b, stacks.kind_b, stacks.counts_b)
        loss = suspicion + _NAMING * named
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate_at(self.step)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            decay = min(self.config.averaging, (self.step + 1) / (self.step + 10))
            for kept, new in zip(self.average.parameters(), self.model.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)
            flagged = [(s > 0).float() for s in scores]
            faulty = [stacks.faulty_a * stacks.counts_a, stacks.faulty_b * stacks.counts_b]
            sound = [
                stacks.counts_a * (1 - stacks.faulty_a), stacks.counts_b * (1 - stacks.faulty_b)
            ]  # fmt: skip
            found = sum((x * y).sum() for x, y in zip(flagged, faulty, strict=True))
            wrong = sum((x * y).sum() for x, y in zip(flagged, sound, strict=True))
            recall = found / sum(x.sum() for x in faulty).clamp_min(1)
            alarms = wrong / sum(x.sum() for x in sound).clamp_min(1)
        self.step += 1
        return {
            "step": self.step,
            "loss": round(suspicion.item(), 5),
            "naming": round(named.item() / 2, 5),
            "recall": round(recall.item(), 4),
            "alarms": round(alarms.item(), 5),
        }


_anatomies: list[Anatomy] = []


def _inherit(anatomies: list[Anatomy]) -> None:
    torch.set_num_threads(1)
    _anatomies[:] = anatomies


def _draw(count: int, prevalence: Prevalence, seed: int, number: int) -> Stacks:
    return draw_stacks(_anatomies, count, prevalence, seed, number)
