"""``wdualmine bench batch``: what a study of a batch costs, and how many a minute are done here."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...batch.places import Places
from ...batch.whole_results import MARKER
from ...cores import usable_cores
from ...errors import InputError, WDualMineError
from ...fusion.settings import FusionSettings
from ...version import __version__
from ...volumes.whole_files import refuse_existing, write_text
from ...volumes.writing import write_volume

_SMALLEST = 16
_MOST_TIMED = 5
"""Studies whose stages are timed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench batch``."""
    parser.description = (
        "Measure a batch of small studies with one process and with some numbers of workers, one "
        "after the other: studies a minute once all workers have begun, processor seconds a study "
        "and by stage, bytes. The studies are cut out of the packaged MR template and a simulated "
        "PET, on the processor alone."
    )
    parser.add_argument(
        "--studies", type=int, default=24, metavar="N", help="of each run (default 24)"
    )
    parser.add_argument(
        "--size", type=int, default=48, metavar="N", help="voxels along each axis (default 48)"
    )
    parser.add_argument(
        "--workers",
        type=int,
        nargs="+",
        default=[0, 1, 2, 4],
        metavar="N",
        help="worker processes, a run each; 0: one process without Dask (default 0 1 2 4)",
    )
    parser.add_argument(
        "--simulated", action="store_true", help="a phantom, where no package can be fetched"
    )
    parser.add_argument(
        "--whole", action="store_true", help="also time the stages of the whole volumes"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="default: those that ship")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write the figures where asked."""
    _check(options)
    from ...lab.batch_cost import report, studies
    from ...lab.speed.machine import describe_machine

    try:
        import distributed
    except ModuleNotFoundError as error:
        raise WDualMineError(
            f"{error.name} is not installed", "Install it with: pip install 'wdualmine[batch]'"
        ) from error
    machine = describe_machine("cpu") | {"cores": usable_cores(), "dask": distributed.__version__}
    figures: dict[str, Any] = {"version": __version__, "machine": machine}
    print(
        f"wdualmine {__version__}, PyTorch {machine['torch']}, distributed {machine['dask']}, "
        f"{machine['processor']}, {machine['cores']} cores"
    )
    if machine["load"] is not None and machine["load"] > 0.5:
        print(f"Other work keeps {machine['load']:.1f} processors busy: times come out longer.")
    pair = studies.simulated_pair() if options.simulated else studies.packaged_pair()
    with TemporaryDirectory(prefix="wdualmine-") as home:
        list_ = studies.write_studies(Path(home, "in"), pair, options.studies, options.size)
        figures["stages"] = []
        for found in _stages(options, list_, pair):
            figures["stages"].append(found)
            # At once: all of it takes minutes.
            print(*report.stage_lines(found), sep="\n", flush=True)
        figures["runs"] = []
        print(report.THROUGHPUT_HEADING, flush=True)
        for number, workers in enumerate(options.workers):
            row = _throughput(options, list_, workers, Path(home, f"out-{number}"))
            figures["runs"].append(row)
            print(report.throughput_line(row), flush=True)
        print(report.bytes_line(row))
    if options.json is not None:
        write_text(options.json, json.dumps(figures, indent=2), force=options.force)


def _stages(options: argparse.Namespace, list_: Path, pair: Any) -> Iterator[dict[str, Any]]:
    from ...lab.batch_cost.stages import stages_of_studies
    from ...network.weights import load_model
    from ..pictures.fusion_overview import write_overview

    windows = {key.replace("-", "_"): value for key, value in pair.words.items()}
    settings = FusionSettings(device="cpu", weights=options.weights, **windows)
    model = load_model(options.weights)
    fixed = sorted(list_.parent.glob("*_fixed.nii.gz"))[:_MOST_TIMED]
    pairs = [(path, path.with_name(path.name.replace("fixed", "moving"))) for path in fixed]
    yield stages_of_studies(pairs, settings, model, write_overview)
    if options.whole:
        with TemporaryDirectory() as folder:
            whole = (
                write_volume(pair.fixed, Path(folder, "fixed.nii.gz")),
                write_volume(pair.moving, Path(folder, "moving.nii.gz")),
            )
            yield stages_of_studies([whole], settings, model, write_overview)


def _throughput(
    options: argparse.Namespace, list_: Path, workers: int, out: Path
) -> dict[str, Any]:
    from ...lab.batch_cost.throughput import watch

    command = [sys.executable, "-m", "WDualMineLib", "batch", str(list_), "-o", str(out)]
    command += ["--workers", str(workers), "--device", "cpu"]
    for name in ("weights", "threads"):
        if getattr(options, name) is not None:
            command += [f"--{name}", str(getattr(options, name))]
    studies = Places(out).studies

    def finished() -> int:
        # Hidden ones are being written.
        return sum(not path.parent.name.startswith(".") for path in studies.glob(f"*/{MARKER}"))

    found = watch(command, _environment(), finished, options.studies, max(1, workers))
    kept = _bytes_below(studies)
    a_study = kept // options.studies
    rate = found["a_minute"]
    return {
        "workers": workers,
        "studies": options.studies,
        **found,
        "bytes_a_second": None if rate is None else a_study * rate / 60,
        "study_bytes": a_study,
        "report_bytes": _bytes_below(out) - kept,
    }


def _environment() -> dict[str, str]:
    """That of this process, in which the package at hand is found."""
    home = str(Path(__file__).resolve().parents[3])
    before = os.environ.get("PYTHONPATH")
    return os.environ | {"PYTHONPATH": os.pathsep.join([home, before] if before else [home])}


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _check(options: argparse.Namespace) -> None:
    least = max(2, 1 + max(options.workers))
    for name, value, smallest in (
        ("workers", min(options.workers), 0),
        ("size", options.size, _SMALLEST),
        ("studies", options.studies, least),
    ):
        if value < smallest:
            raise InputError(f"--{name} {value} is too small", f"Give {smallest} or more")
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
