"""Giving studies to workers, one each at a time, and deciding what a lost worker means.

A study is pinned to a worker that is free, so that no worker has two and what each does is known.
What ends a study early is told apart:

- *preempted*: the worker said that it leaves, or it went with its nanny and never came back. That
  is nothing of the study's doing: it is given out again, however often.
- *out of memory*: the nanny ended the worker for it. Tried once more, for the memory may have been
  taken by others, then reported.
- *unfit worker*: one that came later and cannot do any study. It gets no more of them.
- *ended its worker*: the worker died under a nanny that lives. Given out again, and reported when
  it happened three times.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import study as kinds
from .cluster import GPU, workers_of
from .scheduler_loss import SchedulerLost, asking, lost
from .study import FAILED, Outcome, Study
from .task import STARTED, Job, out_of_time, run_job

if TYPE_CHECKING:
    from distributed import Client, Future

MOST_MEMORY_DEATHS = 2
MOST_DEATHS = 3

_TICK_S = 0.2
_LOOK_S = 1.0
# A worker under a nanny is back in about two seconds; after this its nanny is taken for gone.
_NANNY_BACK_S = 8.0
# A study looks at its own time at every step. Where it hangs, its worker is ended after this.
_GRACE_S, _GRACE_SHARE = 10.0, 0.5
# How long a cluster without any worker is waited for.
_NO_WORKERS_S = 300.0


@dataclass
class _Attempt:
    """A study on a worker."""

    study: Study
    future: Future
    worker: str
    nanny: str
    begun: float | None = None
    lost_at: float | None = None
    expected: bool = False
    memory: bool = False


@dataclass
class _History:
    """What a study has been through."""

    attempts: int = 0
    deaths: int = 0
    unfit: int = 0
    memory_deaths: int = 0


@dataclass
class Dispatcher:
    """Runs studies on a cluster.

    Attributes:
        client: of the cluster.
        job_of: a study and the threads of its worker to a job.
        threads: that a study may use; None for all that its worker was given.
        gpu: whether only workers with a GPU are used.
        running: name of a study to the worker that has it, for who wants to show it.
    """

    client: Client
    job_of: Callable[[Study, int], Job]
    threads: int | None = None
    gpu: bool = False
    running: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._attempts: dict[str, _Attempt] = {}
        self._history: dict[str, _History] = {}
        self._workers: dict[str, dict[str, Any]] = {}
        self._unfit: set[str] = set()
        self._looked_at = self._last_worker_at = time.monotonic()

    def run(self, studies: Sequence[Study]) -> Iterator[tuple[Study, Outcome] | None]:
        """Yields each study as it ends, and None now and then; may be closed to stop.

        Raises:
            SchedulerLost: the scheduler does not answer any more, or has had no workers for long.
        """
        waiting = deque(studies)
        topics = ("all", STARTED, "worker-restart-memory")
        try:
            for topic in topics:
                self._subscribe(topic)
            self._look()
            while waiting or self._attempts:
                self._give_out(waiting)
                for study, outcome in self._take():
                    if outcome is None:
                        waiting.appendleft(study)
                    else:
                        yield study, outcome
                yield None
        finally:
            self._stop(topics)

    def _subscribe(self, topic: str) -> None:
        with asking(self.client):
            self.client.subscribe_topic(topic, lambda event: self._events.put((topic, event)))

    def _give_out(self, waiting: deque[Study]) -> None:
        if not waiting:
            return
        busy = {attempt.worker for attempt in self._attempts.values()}
        for address, info in self._workers.items():
            if not waiting:
                return
            if (
                address in busy
                or address in self._unfit
                or (self.gpu and not info.get("resources", {}).get(GPU))
            ):
                continue
            self._submit(waiting.popleft(), address, info)

    def _submit(self, study: Study, address: str, info: dict[str, Any]) -> None:
        history = self._history.setdefault(study.name, _History())
        history.attempts += 1
        key = f"wdualmine-{self.client.id}-{study.name}-{history.attempts}"
        job = self.job_of(study, self.threads or int(info["nthreads"]))
        with asking(self.client):
            future = self.client.submit(
                run_job,
                job,
                key=key,
                workers=[address],
                allow_other_workers=False,
                pure=False,
                resources={GPU: 1} if self.gpu else None,
            )
        self._attempts[study.name] = _Attempt(study, future, address, info.get("nanny") or "")
        self.running[study.name] = address
        future.add_done_callback(lambda _: self._events.put(("ended", study.name)))

    def _take(self) -> Iterator[tuple[Study, Outcome | None]]:
        """What has ended: its outcome, or None for what is given out again."""
        with suppress(queue.Empty):
            self._note(*self._events.get(timeout=_TICK_S))
            while True:
                self._note(*self._events.get_nowait())
        if time.monotonic() - self._looked_at > _LOOK_S:
            self._look()
        for attempt in list(self._attempts.values()):
            verdict = self._verdict(attempt)
            if verdict is not None:
                del self._attempts[attempt.study.name]
                self.running.pop(attempt.study.name, None)
                yield attempt.study, None if verdict == "again" else verdict  # type: ignore[misc]

    def _note(self, topic: str, event: Any) -> None:
        if topic == "ended":
            return  # it is looked at in the next moment
        message = event[1] if isinstance(event, tuple) else event
        worker = message.get("worker")
        on_it = [each for each in self._attempts.values() if each.worker == worker]
        for attempt in on_it:
            if topic == STARTED and message.get("study") == attempt.study.name:
                attempt.begun = time.monotonic()
            elif topic == "worker-restart-memory":
                attempt.memory = True
            elif message.get("action") == "remove-worker":
                attempt.lost_at = attempt.lost_at or time.monotonic()
                attempt.expected = bool(message.get("expected"))
        if message.get("action") in ("remove-worker", "add-worker"):
            self._looked_at = float("-inf")

    def _look(self) -> None:
        """Which workers there are now."""
        if self.client.status != "running":
            raise lost(self.client)
        self._workers = workers_of(self.client)
        self._looked_at = now = time.monotonic()
        if self._workers.keys() - self._unfit:
            self._last_worker_at = now
        elif now - self._last_worker_at > _NO_WORKERS_S:
            raise SchedulerLost(
                f"The cluster has had no workers for {_NO_WORKERS_S / 60:.0f} minutes",
                "Start some and run the same command again: what is done stays done",
            )
        for attempt in self._attempts.values():
            if attempt.worker not in self._workers and attempt.lost_at is None:
                attempt.lost_at = now

    def _verdict(self, attempt: _Attempt) -> Outcome | str | None:
        """The outcome of an attempt, "again", or None while it runs or is not clear."""
        if attempt.future.status == "finished":
            try:
                with asking(self.client):
                    outcome = attempt.future.result()
            except SchedulerLost:
                self._look()  # says so again, unless it was but the worker that has the result
                return "again"
            if outcome.kind == kinds.UNFIT:
                return self._of_unfit_worker(attempt, outcome.words)
            return self._told(attempt, outcome)
        if attempt.lost_at is not None:
            return self._of_lost_worker(attempt)
        if attempt.future.status == "error":
            with asking(self.client):
                reason = repr(attempt.future.exception())
            return self._of_unfit_worker(attempt, reason)
        if attempt.future.status in ("cancelled", "lost"):
            if self.client.status != "running":
                raise lost(self.client)
            return "again"
        return self._of_time(attempt)

    def _of_unfit_worker(self, attempt: _Attempt, reason: str) -> Outcome | str:
        history = self._history[attempt.study.name]
        self._unfit.add(attempt.worker)
        history.unfit += 1
        if history.unfit < MOST_DEATHS:
            return "again"
        words = f"{history.unfit} workers could not run it. The last said: {reason}"
        return self._failed(attempt, kinds.UNFIT, words)

    def _of_time(self, attempt: _Attempt) -> Outcome | None:
        limit = attempt.study.timeout
        if limit is None or attempt.begun is None:
            return None
        if time.monotonic() - attempt.begun < limit + max(_GRACE_S, _GRACE_SHARE * limit):
            return None
        # It hangs where it does not look at the clock.
        with suppress(Exception), asking(self.client):  # a worker without a nanny, for one
            self.client.restart_workers([attempt.worker], timeout=30, raise_for_error=False)
        self._give_up(attempt)
        return self._failed(attempt, kinds.OUT_OF_TIME, out_of_time(limit))

    def _of_lost_worker(self, attempt: _Attempt) -> Outcome | str | None:
        history = self._history[attempt.study.name]
        if attempt.memory:
            history.memory_deaths += 1
            self._give_up(attempt)
            if history.memory_deaths < MOST_MEMORY_DEATHS:
                return "again"
            return self._failed(
                attempt,
                kinds.OUT_OF_MEMORY,
                f"It took more memory than a worker may, {history.memory_deaths} times, and its "
                "worker was ended. Give more by --memory or fewer --workers, or crop its volumes.",
            )
        if attempt.expected:
            self._give_up(attempt)
            return "again"
        returned = attempt.nanny and any(
            info.get("nanny") == attempt.nanny for info in self._workers.values()
        )
        waited = time.monotonic() - (attempt.lost_at or 0.0)
        if attempt.nanny and not returned and waited < _NANNY_BACK_S:
            return None
        self._give_up(attempt)
        if attempt.nanny and not returned:
            return "again"  # the machine went, and not because of one of its processes
        history.deaths += 1
        if history.deaths < MOST_DEATHS:
            return "again"
        return self._failed(
            attempt,
            kinds.LOST,
            f"The worker that fused it ended without a word {history.deaths} times. Run it alone "
            "by `wdualmine fuse -v`, and look at what the workers print.",
        )

    def _give_up(self, attempt: _Attempt) -> None:
        with asking(self.client):
            attempt.future.cancel()

    def _told(self, attempt: _Attempt, outcome: Outcome) -> Outcome:
        return replace(outcome, attempts=self._history[attempt.study.name].attempts)

    def _failed(self, attempt: _Attempt, kind: str, words: str) -> Outcome:
        begun = attempt.begun or time.monotonic()
        seconds = round(time.monotonic() - begun, 3)
        outcome = Outcome(FAILED, kind, words, worker=attempt.worker, seconds=seconds)
        return self._told(attempt, outcome)

    def _stop(self, topics: Sequence[str]) -> None:
        # It ends in any case, and who is stopped has heard why.
        with suppress(Exception), asking(self.client):
            for topic in topics:
                self.client.unsubscribe_topic(topic)
            futures = [attempt.future for attempt in self._attempts.values()]
            if futures and self.client.status == "running":
                self.client.cancel(futures, force=True)
        self.running.clear()
