"""``wdualmine bench speed``: what fusing costs, beside networks of other shapes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...cores import usable_cores
from ...errors import InputError
from ...fusion.settings import DEVICE_NAMES, PRECISION_NAMES, FusionSettings
from ...version import __version__
from ...volumes.whole_files import refuse_existing, write_text

_SMALLEST = 16
# Without those of whole volumes nothing beyond PyTorch is needed: names, and not what has them.
_REGISTRATIONS = ("none", "rigid")
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
        help="time a volume of N^3, or of three sizes K J I, in a cube of 256 mm (default 256)",
    )
    parser.add_argument(
        "--moving-size",
        type=int,
        nargs="+",
        metavar="N",
        help="of the moving volume, which shows the same head (default that of the fixed one)",
    )
    parser.add_argument(
        "--registration",
        choices=_REGISTRATIONS,
        default=_REGISTRATIONS[0],
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
    from ...lab.speed import clock, gpu, report, slices
    from ...lab.speed.cost import network_cost
    from ...lab.speed.machine import best_rates, describe_machine
    from ...network.compiled import readiness
    from ...network.weights import load_model
    from ...progress import finish

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
    with clock.lap() as loading:
        readiness.prepare()
        loops = finish(readiness.waited_for(0.0))
    machine["loops"] = loading["wall"] if loops else None
    print(
        f"Compiled loops: loaded in {loading['wall']:.1f} s"
        if loops
        else f"No compiled loops: {readiness.problem() or 'numba is not installed'}"
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
        measured["gpu"] = lambda: gpu.on_a_gpu(engine, options.repeats)
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
    settings = FusionSettings(device=options.device, precision=options.precision, **_WINDOWS)
    measured: dict[str, Callable[[], Any]] = {}
    if not options.no_volume:
        from ...lab.speed.phantoms import phantom_files
        from ...lab.speed.stages import stages_of_files
        from ..pictures.fusion_overview import write_overview

        shapes = [_shape(sizes) for sizes in (options.size, options.moving_size or options.size)]

        def of_a_volume() -> Any:
            with TemporaryDirectory() as folder:
                paths = phantom_files(Path(folder), *shapes)
                registration = options.registration
                return stages_of_files(paths, settings, model, write_overview, registration)

        measured["volume"] = of_a_volume
    if options.scaling is not None:
        from ...lab.speed.scaling import by_slices

        measured["scaling"] = lambda: by_slices(256, options.scaling, settings, model)
    return measured


def _shape(sizes: list[int]) -> tuple[int, ...]:
    return tuple(sizes * 3 if len(sizes) == 1 else sizes)


def _check(options: argparse.Namespace) -> None:
    for name, sizes in (("size", options.size), ("moving-size", options.moving_size)):
        if sizes is not None and len(sizes) not in (1, 3):
            raise InputError(
                f"--{name} {' '.join(map(str, sizes))} is not one number or three",
                "Give N for a volume of N^3, or slices, rows and columns",
            )
    for name, value, least in (
        ("repeats", options.repeats, 1),
        ("size", min(options.size), _SMALLEST),
        ("moving-size", min(options.moving_size or [_SMALLEST]), _SMALLEST),
        ("threads", options.threads, 1),
        ("scaling", options.scaling, _SMALLEST),
    ):
        if value is not None and value < least:
            raise InputError(f"--{name} {value} is too small", f"Give {least} or more")
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
