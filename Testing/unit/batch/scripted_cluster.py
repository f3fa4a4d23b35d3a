"""A client of Dask whose cluster goes as a script says."""

from __future__ import annotations

import threading
from collections import defaultdict

from WDualMineLib.batch.study import DONE, FAILED, UNFIT, Outcome
from WDualMineLib.batch.task import STARTED


class Future:
    def __init__(self) -> None:
        self.status, self._outcome = "pending", None

    def add_done_callback(self, _call) -> None:
        pass

    def finish(self) -> None:
        self.status, self._outcome = "finished", Outcome(DONE)

    def result(self):
        return self._outcome

    def cancel(self) -> None:
        self.status = "cancelled"


class Cluster:
    """A client whose tasks go as ``script`` says: of each study, what happens at each attempt.

    It behaves as badly as a real one: a nanny brings a worker back under another address, and on a
    busy machine the client's own list of workers is now and then that of its periodic update,
    which leaves them out.
    """

    id, status = "client", "running"

    def __init__(self, script: dict[str, list[str]], workers: int = 1) -> None:
        self.script = {name: list(steps) for name, steps in script.items()}
        self.workers = {f"w{n}": {"nthreads": 1, "nanny": f"n{n}"} for n in range(workers)}
        self.handlers, self.busy, self.most = {}, defaultdict(int), 0
        self.restarted: list[str] = []
        self.born, self.asked = workers, 0

    def subscribe_topic(self, topic, handler) -> None:
        self.handlers[topic] = handler

    def unsubscribe_topic(self, topic) -> None:
        self.handlers.pop(topic)

    def scheduler_info(self, n_workers):
        self.asked += 1
        return {"workers": {} if self.asked % 2 == 0 else dict(self.workers)}

    class _Identity:
        def __init__(self, cluster) -> None:
            self.cluster = cluster

        def identity(self, n_workers):
            return {"workers": dict(self.cluster.workers)}

    @property
    def scheduler(self):
        return self._Identity(self)

    def sync(self, function, **options):
        return function(**options)

    def cancel(self, futures, force) -> None:
        for future in futures:
            future.cancel()

    def restart_workers(self, workers, timeout, raise_for_error) -> None:
        self.restarted += workers

    def submit(self, _function, study, key, workers, **_options):
        (address,) = workers
        future = Future()
        step = self.script[study.name].pop(0) if self.script[study.name] else "done"
        self.tell(STARTED, study=study.name, worker=address)
        if step == "done":
            future.finish()
        elif step == "unpicklable":
            future.status = "error"
        elif step == "unfit":
            future.status, future._outcome = "finished", Outcome(FAILED, UNFIT, "other version")
        elif step == "hang":
            pass
        elif step == "slow":
            threading.Timer(0.2, future.finish).start()
        else:
            self.lose(address, step)
        return future

    def lose(self, address: str, how: str) -> None:
        info = self.workers.pop(address)
        if how == "memory":
            self.tell("worker-restart-memory", worker=address, rss=1, pid=1)
        self.tell("all", action="remove-worker", worker=address, expected=how == "leaves")
        if how == "node":
            info = {**info, "nanny": f"another{self.born}"}
        self.workers[f"w{self.born}"] = info
        self.born += 1

    def tell(self, topic, **message) -> None:
        self.handlers[topic]((0.0, message))
