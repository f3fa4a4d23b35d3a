"""What decides a training run besides the data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace

from ...errors import InputError
from ...network.model import NetworkConfig
from .objective import ObjectiveConfig


@dataclass(frozen=True)
class TrainingConfig:
    """All that decides the outcome besides the data.

    Attributes:
        steps: optimiser steps.
        seed: of the initial weights and of every batch.
        lessons: batches that make a step; as many processors can work at once.
        learning_rate: at the end of a warm-up; it falls to a hundredth by a cosine.
        warm_up: steps over which it rises.
        per_group: whole slices of every modality pair in a lesson.
        toned: probability that an image gets another gamma and window.
        averaging: decay of the running average of the weights, which is what is kept.
        validate_every, validation_stride: how often, and on which share of the slices.
    """

    steps: int = 2400
    seed: int = 0
    lessons: int = 2
    learning_rate: float = 3e-3
    warm_up: int = 30
    per_group: int = 1
    toned: float = 0.3
    averaging: float = 0.995
    validate_every: int = 100
    validation_stride: int = 10
    network: NetworkConfig = field(default_factory=NetworkConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)

    def rate(self, step: int) -> float:
        """Learning rate at ``step``."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def config_from(overrides: dict) -> TrainingConfig:
    """The default configuration with some values replaced.

    Args:
        overrides: values by name; ``network`` and ``objective`` hold dictionaries of their own.

    Raises:
        InputError: a name is unknown.
    """
    return _replaced(TrainingConfig(), overrides)


def _replaced(part, overrides: dict):
    unknown = overrides.keys() - {f.name for f in fields(part)}
    if unknown:
        raise InputError(
            f"There is no training option {', '.join(sorted(unknown))}",
            f"Use one of {', '.join(f.name for f in fields(part))}",
        )
    values = {}
    for name, value in overrides.items():
        if isinstance(value, dict):
            value = _replaced(getattr(part, name), value)
        values[name] = tuple(value) if isinstance(value, list) else value
    return replace(part, **values)


def config_to_dict(config: TrainingConfig) -> dict:
    """The configuration as values that JSON holds; :func:`config_from` reads it."""
    return asdict(config)
