"""``wdualmine bench``: benchmarks, one file each."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

# Benchmark: (module in this folder, one line of help).
BENCHMARKS = {
    "speed": ("speed", "cost of the network, and time for an image pair and for a volume"),
    "quality": ("quality_table", "the field's measures on unseen cases, beside plain fusions"),
    "ablation": ("ablation_table", "what each part of the network earns, by training without it"),
    "registration": ("registration_error", "target registration error for known transforms"),
    "volume": ("raw_volumes", "flicker, halos and response to the window on two raw volumes"),
    "batch": ("batch", "a batch with 0, 1, 2 and 4 workers: studies a minute, seconds by stage"),
    "truth": ("truth", "are maps and look true on volumes: false alarms, faults found, harm"),
}


class _BenchmarkParser(argparse.ArgumentParser):
    """Takes its options from the benchmark's own module, when it is the one that was asked for."""

    def __init__(self, *args: Any, module: str = "", **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._module = module

    def parse_known_args(self, args=None, namespace=None):
        import_module(f".{self._module}", __package__).add_arguments(self)
        return super().parse_known_args(args, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The benchmarks as sub-commands."""
    subparsers = parser.add_subparsers(
        dest="benchmark", required=True, metavar="BENCHMARK", parser_class=_BenchmarkParser
    )
    for name, (module, summary) in BENCHMARKS.items():
        description = summary[0].upper() + summary[1:] + "."
        # A benchmark's own --threads, with a default of its own, takes the place of the common one.
        subparsers.add_parser(
            name, help=summary, description=description, module=module, conflict_handler="resolve"
        )


def run(options: argparse.Namespace) -> int | None:
    """Run the benchmark asked for."""
    return import_module(f".{BENCHMARKS[options.benchmark][0]}", __package__).run(options)
