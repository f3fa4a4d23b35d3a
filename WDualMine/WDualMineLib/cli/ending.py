"""How a command ends: every failure in one line of words and with a documented exit code.

0 done; 1 a defect of the program; 2 bad input, or an output that cannot be written; 3 the
registration failed; 130 stopped by Ctrl-C; 143 by SIGTERM and 129 by SIGHUP.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..errors import WDualMineError
from ..volumes.paths import printable
from .verbosity import is_verbose

DEFECT, REFUSED = 1, 2
# SIGINT too: of a plain KeyboardInterrupt in an import Python makes its own end, whatever is
# caught; of one derived from it it does not.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_OUT_OF_MEMORY = (
    "out of memory", "can't allocate memory", "not enough memory", "failed to allocate",
    "bad_alloc", "bad allocation",
)  # fmt: skip


class Terminated(KeyboardInterrupt):
    """The process was asked to end; cleaned up after like Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise :class:`Terminated`, unless ignored; main thread only.

    A signal that finds the program already cleaning up changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: object) -> None:
        raise Terminated(number)

    before = {}
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError, ValueError):  # one set by other than Python
                signal.signal(number, handler)


def run_to_the_end(command: str, run: Callable[[], int | None], stopped: Callable[[], str]) -> int:
    """The exit code of ``run``, whatever it raises.

    Args:
        command: as the user called it.
        run: does the work.
        stopped: what is true of what is left behind after an interrupt, as half a sentence.
    """
    try:
        return run() or 0
    except WDualMineError as error:
        return _say(command, str(error), error.exit_code)
    except KeyboardInterrupt as stop:
        code = getattr(stop, "exit_code", 130)
        return _say(command, f"stopped; {stopped()}.", code, traced=False)
    except BrokenPipeError:
        return 0  # nobody reads any more
    except ModuleNotFoundError as error:
        if str(error.name).startswith("WDualMineLib."):
            # 3D Slicer's copy leaves out what only developers use.
            words = "is for developers; pip install wdualmine"
        else:
            words = f"{error.name} is not installed. Install it with pip, and try again."
        return _say(command, words, REFUSED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        words = f"{where}{error.strerror or error}. Check the path, the disk and its room."
        return _say(command, words, REFUSED)
    except Exception as error:
        if _is_out_of_memory(error):
            words = (
                "The memory is not enough for this. Close other programs, crop the volumes or "
                "bring them to coarser voxels, or use another machine."
            )
            return _say(command, words, REFUSED)
        words = (
            f"A defect of WDualMine, {_where(error)}: {type(error).__name__}: {error}. Please "
            "report it, with the output of the same command with -v."
        )
        return _say(command, words, DEFECT)


def _say(command: str, words: str, code: int, traced: bool = True) -> int:
    if traced and is_verbose():
        traceback.print_exc(file=sys.stderr)
    print(f"wdualmine {command}: {printable(words)}", file=sys.stderr)
    return code


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "somewhere"
    return f"in {frames[-1].filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{frames[-1].lineno}"


def _is_out_of_memory(error: Exception) -> bool:
    """An allocation failed: Python, NumPy, PyTorch and ITK each say it in their own way."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in text for words in _OUT_OF_MEMORY)
    )
