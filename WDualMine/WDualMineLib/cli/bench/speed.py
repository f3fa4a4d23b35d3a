"""``wdualmine bench speed``: what fusing costs, beside networks of other shapes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...cores import usable_cores
from ...errors import InputError
from ...fusion.settings import DEVICE_NAMES, PRECISION_NAMES, FusionSettings
from ...pipeline.request import AS_THEY_LIE
from ...version import __version__
from ...volumes.writing import refuse_existing, write_text

_SMALLEST = 16
_WINDOWS = {"fixed_window": (-1000.0, 1000.0), "moving_window": (0.0, 1000.0)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench speed``."""
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="default auto")
    parser.add_argument("--precision", choices=PRECISION_NAMES, default="auto", help="default auto")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="default: those that ship")
    parser.add_argument(
        "--size",
        type=int,
        nargs="+",
        default=[256],
        metavar="N",
        help="time a volume of N^3, or of three sizes K J I (default 256)",
    )
    parser.add_argument(
        "--registration",
        choices=(AS_THEY_LIE, "rigid"),
        default=AS_THEY_LIE,
        help="whether the volumes are aligned first (default none)",
    )
    parser.add_argument("--no-volume", action="store_true", help="time slices only")
    parser.add_argument("--no-sizes", action="store_true", help="time pairs of 256 x 256 only")
    parser.add_argument(
        "--scaling",
        type=int,
        metavar="N",
        help="also fuse 16, 64, ... slices of 256 x 256, up to N (at most 1024)",
    )
    parser.add_argument(
        "--repeats", type=int, default=20, metavar="N", help="runs of every slice (default 20)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads for PyTorch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write the figures where asked."""
    _check(options)
    import torch

    from ...fusion.devices import describe
    from ...fusion.engine import SliceEngine
    from ...lab.speed import report, slices
    from ...lab.speed.cost import network_cost
    from ...lab.speed.machine import best_rates, describe_machine
    from ...network.weights import load_model

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    engine = SliceEngine(load_model(options.weights), options.device, options.precision)
    for note in engine.notes:
        print(note)
    machine = describe_machine(describe(engine.device))
    print(
        f"wdualmine {__version__}, PyTorch {machine['torch']}, {machine['processor']}, "
        f"{machine['threads']} threads; device {machine['device']}"
    )
    if machine["load"] is not None and machine["load"] > 0.5:
        print(f"Other work keeps {machine['load']:.1f} processors busy: times come out longer.")
    measured: dict[str, Callable[[], Any]] = {
        "network": lambda: network_cost(engine.model),
        "best": lambda: best_rates(options.repeats),
        "pair": lambda: slices.beside_peers(engine, options.repeats),
    }
    if not options.no_sizes:
        most = min(usable_cores(), torch.get_num_threads())
        measured["sizes"] = lambda: slices.by_size(engine, max(1, options.repeats // 4), most)
    if engine.device.type != "cpu":
        measured["gpu"] = lambda: slices.agreement_with_the_cpu(engine)
    measured |= _of_volumes(options, engine.model)
    figures: dict[str, Any] = {"version": __version__, "machine": machine}
    for part, measure in measured.items():
        figures[part] = measure()
        # At once: all of it takes minutes.
        for line in report.lines(part, figures):
            print(line, flush=True)
    if options.json is not None:
        write_text(options.json, json.dumps(figures, indent=2), force=options.force)


def _of_volumes(options: argparse.Namespace, model: Any) -> dict[str, Callable[[], Any]]:
    from ...lab.speed.scaling import by_slices
    from ...lab.speed.stages import stages_of_a_volume
    from ..pictures.fusion_overview import write_overview

    settings = FusionSettings(device=options.device, precision=options.precision, **_WINDOWS)
    measured: dict[str, Callable[[], Any]] = {}
    if not options.no_volume:
        shape = tuple(options.size * 3 if len(options.size) == 1 else options.size)
        measured["volume"] = lambda: stages_of_a_volume(
            shape, settings, model, write_overview, options.registration
        )
    if options.scaling is not None:
        measured["scaling"] = lambda: by_slices(256, options.scaling, settings, model)
    return measured


def _check(options: argparse.Namespace) -> None:
    if len(options.size) not in (1, 3):
        raise InputError(
            f"--size {' '.join(map(str, options.size))} is not one number or three",
            "Give N for a volume of N^3, or slices, rows and columns",
        )
    for name, value, least in (
        ("repeats", options.repeats, 1),
        ("size", min(options.size), _SMALLEST),
        ("threads", options.threads, 1),
        ("scaling", options.scaling, _SMALLEST),
    ):
        if value is not None and value < least:
            raise InputError(f"--{name} {value} is too small", f"Give {least} or more")
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
