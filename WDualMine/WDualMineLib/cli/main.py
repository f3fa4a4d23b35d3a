"""Entry point of ``wdualmine``: finds the command, runs it, turns failures into one line."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from types import ModuleType

from ..version import __version__
from . import verbosity
from .completion import complete
from .ending import REFUSED, run_to_the_end, signals_as_interrupts
from .examples import HelpWithExamples, examples_of
from .streams import SafeStream, safe_streams

# Command: (module in this folder, one line of help). A module is imported only when its command
# runs, so that `wdualmine --help` does not wait for torch.
COMMANDS = {
    "fuse": ("fuse", "fuse two volumes into one, with reliability and arbitration maps"),
    "batch": ("batch", "fuse many studies on Dask workers, resumable, with a report"),
    "fuse-images": ("fuse_images", "fuse folders of 2-D image pairs of equal name"),
    "register": ("register", "align a moving volume to a fixed one and judge the alignment"),
    "report": ("report", "a result on one page, for the record: pictures, verdict, doubts"),
    "evaluate": ("evaluate", "measure fused images against their sources"),
    "bench": ("bench.command", "run a benchmark: speed, quality, registration, reliability"),
    "train": ("train", "train the network on 2-D slice pairs"),
    "train-evidence": ("train_evidence", "teach the network what faulty volumes look like"),
    "dicom": ("dicom", "export a result to DICOM, or send it to a server"),
    "serve": ("serve", "look at a result, a batch or two volumes in a browser"),
    "demo": ("demo", "fuse real volumes that come inside packages, and show where the files are"),
}
# Whose results are what they print.
_PRINTED = {"evaluate", "bench"}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser; only ``command``'s own options are filled in, to keep start-up short."""
    parser = argparse.ArgumentParser(
        prog="wdualmine", description="Fusion of registered medical volumes. Not for diagnosis."
    )
    parser.add_argument("--version", action="version", version=f"wdualmine {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=examples_of(name),
            formatter_class=HelpWithExamples,
        )
        if name == command:
            import_module(f".{module}", __package__).add_arguments(subparser)
        verbosity.add_to_all(subparser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: see :mod:`.ending`."""
    # Threads that spin while they wait stall each other for seconds on a busy machine. OpenMP reads
    # this when torch is loaded, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    complete(build_parser, COMMANDS)
    arguments = sys.argv[1:] if argv is None else argv
    command = next((word for word in arguments if not word.startswith("-")), None)
    with signals_as_interrupts(), safe_streams() as output:
        started: dict[str, argparse.Namespace] = {}

        def run() -> int | None:
            # Reading the options loads the command's module, which may take seconds.
            started["options"] = options = build_parser(command).parse_args(arguments)
            verbosity.apply(options)
            return _module(options.command).run(options)

        def stopped() -> str:
            if "options" not in started:
                return "nothing was begun"
            module = _module(started["options"].command)
            return getattr(module, "stopped", _nothing_left)(started["options"])

        code = run_to_the_end(command or "", run, stopped)
        output.flush()
        return _after_printing(command or "", code, output)


def _module(command: str) -> ModuleType:
    return import_module(f".{COMMANDS[command][0]}", __package__)


def _nothing_left(_options: argparse.Namespace) -> str:
    return "no partial files were left"


def _after_printing(command: str, code: int, output: SafeStream) -> int:
    """Say that what was printed did not arrive; a failure only where that was the result."""
    if output.failure is None or isinstance(output.failure, BrokenPipeError) or code:
        return code
    reason = getattr(output.failure, "strerror", None) or str(output.failure)
    print(
        f"wdualmine {command}: what it had to say could not be written ({reason}). "
        + ("Print it elsewhere." if command in _PRINTED else "All files were written."),
        file=sys.stderr,
    )
    return REFUSED if command in _PRINTED else 0


if __name__ == "__main__":
    sys.exit(main())
