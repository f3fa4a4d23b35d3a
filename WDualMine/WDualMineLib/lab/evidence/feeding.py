"""Batches drawn ahead by other processes, each of which comes back in other positions."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor

import numpy as np
import torch

from .anatomies import Anatomy
from .batches import Prevalence, Stacks, draw_stacks

_AHEAD = 3
"""Batches drawn ahead by each process."""

_KEPT = 48
"""Batches that may come back."""


class Feed:
    """The batches of a run, the same ones for the same seed however many processes draw them.

    Drawing a batch costs more than learning from it: each is used several times.

    Args:
        anatomies: see :func:`.anatomies.read_anatomies`.
        count: pairs of stacks, see :func:`.batches.draw_stacks`.
        seed: of all batches.
        again: steps to a batch that is drawn; in the others an earlier one comes back.
        workers: processes that draw.
        device: torch device on which batches are kept and handed out.
    """

    def __init__(
        self,
        anatomies: list[Anatomy],
        count: int,
        seed: int,
        again: int,
        workers: int = 1,
        device: str = "cpu",
    ) -> None:
        self._anatomies, self._count, self._seed = anatomies, count, seed
        self._again, self._workers, self._device = again, workers, device

    def batches(
        self, first: int, last: int, dense: int, kinds: tuple[Prevalence, Prevalence]
    ) -> Generator[Stacks, None, None]:
        """Yield the :class:`Stacks` of steps ``first`` to ``last`` - 1.

        Args:
            first, last: steps.
            dense: step from which on faults are as common as in the second of ``kinds``, or up to
                ``again`` steps before: whole turns of a batch that is drawn are alike.
            kinds: how common faults are before that step and from it on.
        """

        def is_dense(step: int) -> bool:
            return step - step % self._again + self._again <= dense

        drawn = iter(range(first - first % self._again, last, self._again))
        kept: deque[tuple[Stacks, bool]] = deque(maxlen=_KEPT)
        ahead: deque[Future[Stacks]] = deque()
        with ProcessPoolExecutor(
            self._workers, initializer=_inherit, initargs=(self._anatomies,)
        ) as pool:
            try:
                for step in range(first, last):
                    if step % self._again == 0 or not kept:
                        while len(ahead) < _AHEAD * self._workers:
                            if (number := next(drawn, None)) is None:
                                break
                            kind = kinds[0] if is_dense(number) else kinds[1]
                            ahead.append(pool.submit(_draw, self._count, kind, self._seed, number))
                        stacks = ahead.popleft().result().moved_to(self._device)
                        kept.append((stacks, is_dense(step)))
                        yield stacks
                    else:
                        # Of those as common as now: what is rare is learned from what is rare.
                        fitting = [stacks for stacks, was in kept if was == is_dense(step)]
                        rng = np.random.default_rng([self._seed, 1, step])
                        yield fitting[rng.integers(len(fitting))].turned(int(rng.integers(16)))
            finally:
                for waiting in ahead:
                    waiting.cancel()


_anatomies: list[Anatomy] = []


def _inherit(anatomies: list[Anatomy]) -> None:
    torch.set_num_threads(1)
    _anatomies[:] = anatomies


def _draw(count: int, prevalence: Prevalence, seed: int, number: int) -> Stacks:
    return draw_stacks(_anatomies, count, prevalence, seed, number)
