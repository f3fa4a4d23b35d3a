"""The loop that teaches the evidence network, with a checkpoint and a log."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import InputError
from ...network.evidence import Evidence
from ...network.surroundings import surroundings_of_crops
from .anatomies import Anatomy
from .batches import DENSE, NATURAL, Stacks
from .faults import KINDS
from .feeding import Feed
from .recording import Recorded

_HEAVIEST = 20.0
"""Weight of a voxel of a fault that is very small."""

_NAMING = 0.1
"""Worth of naming the kind of a fault beside finding it."""

_LOGGED = 20
"""Steps from one line of the log to the next: to read a figure is to wait for the device."""

CHANNELS = (16, 24, 40, 64)


_FIGURES = ("loss", "naming", "recall", "alarms")


@dataclass(frozen=True)
class LearningConfig:
    """What decides a run besides the data.

    Attributes:
        steps: optimiser steps.
        dense: of them, the first, with faults in almost every stack, each of which weighs as if it
            filled a share of it: at their natural rarity a network at its start learns only that
            they are rare, and of the large ones.
        share: that a fault seems to fill at least in these steps.
        again: steps to a batch that is drawn; in the others an earlier one comes back in another
            position, for drawing costs more than learning.
        stacks: pairs of stacks in a step.
        rate: highest learning rate; it falls to a hundredth by a cosine.
        warm_up: steps over which it rises.
        averaging: decay of the running average of the weights, which is what is kept.
        seed: of the initial weights and of every batch.
        channels: see :class:`~...network.evidence.Evidence`.
    """

    steps: int = 25000
    dense: int = 21500
    share: float = 0.06
    again: int = 6
    stacks: int = 24
    rate: float = 2.5e-3
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


def suspicion_loss(
    score_a: Tensor, score_b: Tensor, stacks: Stacks, share: float | Tensor = 0.0
) -> Tensor:
    """Cross-entropy of *this volume is faulty here* over what is known.

    With a ``share`` of 0 each voxel counts alike, so that faults weigh as much as they are common:
    classes weighed alike would cry wolf. Else a fault that fills less of its stack counts as if it
    filled so much.
    """
    total = score_a.new_zeros(())
    for score, faulty, counts in (
        (score_a, stacks.faulty_a.float(), stacks.counts_a.float()),
        (score_b, stacks.faulty_b.float(), stacks.counts_b.float()),
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
        counts: the same shape, bool.
    """
    cost = F.cross_entropy(names.transpose(1, 2), kinds.long(), reduction="none")
    faulty, sound = counts & (kinds > 0), counts & (kinds == 0)
    return sum((cost * x).sum() / x.sum().clamp_min(100) for x in (faulty, sound)) / 2


def _fitting(start: Evidence, channels: tuple[int, ...]) -> dict[str, Tensor]:
    """The weights of ``start``; refused where they do not fit a network of these channels."""
    found = tuple(conv.within.weight.shape[0] for conv in start.blocks)
    if found != channels:
        raise InputError(
            f"The weights to start from have {found} channels and not {channels}",
            "Start from weights of this version, or leave --start out",
        )
    return start.state_dict()


class Learner:
    """Teaches one network in a folder, which holds ``evidence.pt`` and ``evidence.csv``.

    A run that was stopped goes on with its network; which batches come back is not remembered.

    Args:
        config: see :class:`LearningConfig`.
        anatomies: see :func:`.anatomies.read_anatomies`.
        folder: made if absent; a checkpoint in it is resumed.
        device: torch device.
        workers: processes that draw.
        start: what a new run begins with, of the same channels; by default at random.

    Raises:
        InputError: ``start`` has other channels.
    """

    def __init__(
        self,
        config: LearningConfig,
        anatomies: list[Anatomy],
        folder: Path,
        device: str = "cpu",
        workers: int = 1,
        start: Evidence | None = None,
    ) -> None:
        self.config, self.folder, self.device = config, folder, device
        self.feed = Feed(anatomies, config.stacks, config.seed, config.again, workers, device)
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = Evidence(config.channels).to(device)
        if start is not None:
            self.model.load_state_dict(_fitting(start, config.channels))
        self.average = Evidence(config.channels).to(device).requires_grad_(False).eval()
        self.average.load_state_dict(self.model.state_dict())
        # To say which fault it is teaches features faster than to say only that there is one. What
        # says so is used nowhere else, and is not kept with the weights that ship.
        self.naming = nn.Conv2d(config.channels[0], 1 + len(KINDS), 1).to(device)
        self.model.scores[0][0].register_forward_hook(self._remember)
        learned = [*self.model.parameters(), *self.naming.parameters()]
        for parameter in learned:
            parameter.grad = torch.zeros_like(parameter)
        on_cpu = device == "cpu"
        rate = config.rate if on_cpu else torch.tensor(config.rate, device=device)
        self.optimiser = torch.optim.AdamW(learned, rate, weight_decay=1e-4, capturable=not on_cpu)
        self.step = 0
        # What changes from step to step of what is recorded.
        self._share, self._decay = (torch.zeros((), device=device) for _ in range(2))
        self._take = self._learn if on_cpu else Recorded(self._learn)
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
        self, until: int | None = None, save_every: int = 500
    ) -> Generator[dict[str, float], None, None]:
        """Learn up to step ``until``, yielding lines of the log; closing it stops cleanly."""
        last = min(self.config.steps, until or self.config.steps)
        started = time.monotonic()
        log = self.folder / "evidence.csv"
        batches = self.feed.batches(self.step, last, self.config.dense, (DENSE, NATURAL))
        try:
            with log.open("a", newline="") as stream:
                writer = csv.DictWriter(stream, ("step", *_FIGURES, "seconds"))
                if stream.tell() == 0:
                    writer.writeheader()
                for stacks in batches:
                    figures = self.learn(stacks)
                    if self.step % save_every == 0:
                        self.save()
                    if self.step % _LOGGED == 0 or self.step == last:
                        values = [round(x, 5) for x in figures.tolist()]
                        row = {"step": self.step, **dict(zip(_FIGURES, values, strict=True))}
                        row["seconds"] = round(time.monotonic() - started, 1)
                        writer.writerow(row)
                        stream.flush()
                        yield row
        finally:
            batches.close()
            self.save()

    def learn(self, stacks: Stacks) -> Tensor:
        """One step.

        Returns:
            The figures of the log, (4,), which the next step overwrites.
        """
        self._rate(self.config.rate_at(self.step))
        self._share.fill_(self.config.share if self.step < self.config.dense else 0.0)
        self._decay.fill_(1 - min(self.config.averaging, (self.step + 1) / (self.step + 10)))
        self.step += 1
        return self._take(stacks)

    def _rate(self, rate: float) -> None:
        for group in self.optimiser.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def _remember(self, module: nn.Module, inputs: object, features: Tensor) -> None:
        self._features = features

    def _scores(self, stacks: Stacks) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of both volumes: the scores, and those of each kind of fault."""
        seen = [self.model.impression(x.float()) for x in (stacks.a, stacks.b)]
        known = surroundings_of_crops(*seen, stacks.distance)
        # Half precision in the convolutions of a GPU: a quarter less time, and nothing lost; a
        # processor takes a sixth more. What it keeps of the weights would be recorded, and would
        # never change again.
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=kind != "cpu", cache_enabled=False):
            of_a, of_b = self.model.score(*seen, known)
            names = self.naming(self._features)
        n, d = stacks.a.shape[:2]
        names_a, names_b = names.float().unflatten(0, (2 * n, d)).chunk(2)
        return of_a.float(), of_b.float(), names_a, names_b

    def _learn(self, stacks: Stacks) -> Tensor:
        *scores, names_a, names_b = self._scores(stacks)
        suspicion = suspicion_loss(*scores, stacks, self._share)
        named = naming_loss(names_a, stacks.kind_a, stacks.counts_a)
        named = named + naming_loss(names_b, stacks.kind_b, stacks.counts_b)
        loss = suspicion + _NAMING * named
        # Gradients keep their place in memory, as a recorded step needs it.
        self.optimiser.zero_grad(set_to_none=False)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            for kept, new in zip(self.average.parameters(), self.model.parameters(), strict=True):
                kept.lerp_(new, self._decay)
            flagged = [s > 0 for s in scores]
            faulty = [
                stacks.faulty_a & stacks.counts_a, stacks.faulty_b & stacks.counts_b
            ]  # fmt: skip
            sound = [
                stacks.counts_a & ~stacks.faulty_a, stacks.counts_b & ~stacks.faulty_b
            ]  # fmt: skip
            recall, alarms = (
                sum((x & y).sum() for x, y in zip(flagged, where, strict=True))
                / sum(x.sum() for x in where).clamp_min(1)
                for where in (faulty, sound)
            )
            return torch.stack([suspicion.detach(), named.detach() / 2, recall, alarms])
