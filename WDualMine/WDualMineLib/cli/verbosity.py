"""How much a command says on standard error: nothing but errors and warnings, or more."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

_state = {"quiet": False, "verbose": False}


def is_quiet() -> bool:
    """Whether progress and notes are to be left out."""
    return _state["quiet"]


def is_verbose() -> bool:
    """Whether to show where an error was raised."""
    return _state["verbose"]


def add_to_all(parser: argparse.ArgumentParser) -> None:
    """``-q``, ``-v`` and ``--threads`` for every command below ``parser``, also nested ones."""
    for leaf in _leaves(parser):
        group = leaf.add_argument_group("common")
        loudness = group.add_mutually_exclusive_group()
        loudness.add_argument(
            "-q", "--quiet", action="store_true", help="no progress and no notes, warnings only"
        )
        loudness.add_argument(
            "-v", "--verbose", action="store_true", help="show where an error was raised"
        )
        if "--threads" not in leaf._option_string_actions:
            group.add_argument(
                "--threads",
                type=positive,
                metavar="N",
                help="processor threads at most (default: all that may be used)",
            )


def positive(text: str) -> int:
    """A whole number above 0, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def apply(options: argparse.Namespace) -> None:
    """Keep loudness for the run, and tell the libraries how many threads they may use."""
    _state["quiet"] = getattr(options, "quiet", False)
    _state["verbose"] = getattr(options, "verbose", False)
    threads = getattr(options, "threads", None)
    if threads is None or threads < 1:
        # Where it is refused, and said so, the command itself does it.
        return
    # Libraries that are loaded later look here, those that are there already must be told.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ[name] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    if "SimpleITK" in sys.modules:
        sys.modules["SimpleITK"].ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not nested:
        yield parser
    for action in nested:
        for child in action.choices.values():
            yield from _leaves(child)
