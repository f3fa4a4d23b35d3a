"""Entry point of ``wdualmine``: finds the command, runs it, turns failures into one line."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from ..errors import WDualMineError
from ..version import __version__

# Command: (module in this folder, one line of help). A module is imported only when its command
# runs, so that `wdualmine --help` does not wait for torch.
COMMANDS = {
    "fuse": ("fuse", "fuse two volumes into one, with reliability and arbitration maps"),
    "fuse-images": ("fuse_images", "fuse folders of 2-D image pairs of equal name"),
    "register": ("register", "align a moving volume to a fixed one and judge the alignment"),
    "evaluate": ("evaluate", "measure fused images against their sources"),
    "bench": ("bench.command", "run a benchmark: speed, quality, registration, reliability"),
    "train": ("train", "train the network on 2-D slice pairs"),
    "dicom": ("dicom", "export a result to DICOM, or send it to a server"),
    "demo": ("demo", "fuse real volumes that come inside packages, and show where the files are"),
}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser; only ``command``'s own options are filled in, to keep start-up short."""
    parser = argparse.ArgumentParser(
        prog="wdualmine", description="Fusion of registered medical volumes. Not for diagnosis."
    )
    parser.add_argument("--version", action="version", version=f"wdualmine {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + "."
        )
        if name == command:
            import_module(f".{module}", __package__).add_arguments(subparser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 done, 2 bad input, 3 registration failed, 130 stopped."""
    # Threads that spin while they wait stall each other for seconds on a busy machine. OpenMP reads
    # this when torch is loaded, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = sys.argv[1:] if argv is None else argv
    command = next((word for word in arguments if not word.startswith("-")), None)
    try:
        options = build_parser(command).parse_args(arguments)
        run = import_module(f".{COMMANDS[options.command][0]}", __package__).run
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("WDualMineLib."):
            raise
        # 3D Slicer's copy leaves out what only developers use.
        print(f"wdualmine {command}: is for developers; pip install wdualmine", file=sys.stderr)
        return 2
    try:
        return run(options) or 0
    except WDualMineError as error:
        print(f"wdualmine {options.command}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"wdualmine {options.command}: stopped; no partial files were left.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
