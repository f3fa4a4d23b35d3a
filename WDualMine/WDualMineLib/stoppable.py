"""Programs run beside this one: told line by line, and stopped as soon as it is wanted."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

_POLL_S = 0.1
# Programs that install clean up after an interrupt; one that does not end by it is killed.
_LAST_WORDS_S = 5.0


def run_program(
    command: Sequence[str],
    check: Callable[[], None],
    tell: Callable[[str], None] = lambda _: None,
    timeout: float | None = None,
) -> tuple[int, list[str]]:
    """Run ``command`` to its end, without a window of its own.

    Args:
        command: program and arguments.
        check: is called all the while; what it raises stops the program and is passed on.
        tell: is called with each line that it writes to either stream, as it comes.
        timeout: seconds that it may take; None for any.

    Returns:
        Its exit status, and its lines.

    Raises:
        OSError: it cannot be started.
        TimeoutError: it took too long; it is stopped.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    lines: list[str] = []
    come: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, come), daemon=True)
    reader.start()
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            check()
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError
            try:
                line = come.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if line is None:
                return process.wait(), lines
            lines.append(line)
            tell(line)
    finally:
        _stop(process)
        reader.join(_LAST_WORDS_S)


def _read(process: subprocess.Popen[str], come: queue.SimpleQueue[str | None]) -> None:
    if process.stdout is not None:
        with process.stdout as stream:
            for line in stream:
                come.put(line.rstrip())
    come.put(None)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    if os.name == "posix":
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
    else:
        process.terminate()
    process.wait()
