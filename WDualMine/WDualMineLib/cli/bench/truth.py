"""``wdualmine bench truth``: are the reliability maps and the look true, on volumes?"""

from __future__ import annotations

import argparse
from pathlib import Path

from ...errors import InputError, WDualMineError
from ...pipeline.report_file import describe_program, write_report
from ...progress import finish
from ...volumes.whole_files import atomic_path, refuse_existing, writing_errors
from ..console import ConsoleProgress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench truth``."""
    parser.description = (
        "Measure the reliability maps on sound volumes and on volumes with one fault each, which "
        "TorchIO's physics and other code than the training's put there: false alarms, share "
        "found, precision, calibration, stripes, harm, and what the fused volume loses. "
        "docs/truth.md explains every figure."
    )
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        metavar="DATA",
        help="folder with volumes/ and harvard/ (default: packaged samples and simulations alone)",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="default: those that ship")
    parser.add_argument(
        "--quick", action="store_true", help="fewer cases and faults, smaller volumes: minutes"
    )
    parser.add_argument("--seed", type=int, default=0, help="of faults and intervals (default 0)")
    parser.add_argument("--device", default="auto", help="as in fuse (default auto)")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="write a picture each of ten volumes"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write the figures where asked."""
    if options.seed < 0:
        raise InputError(f"--seed {options.seed} makes no sense", "Give a seed of 0 or more")
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
    if options.pictures is not None and options.pictures.is_dir():
        refuse_existing(list(options.pictures.glob("*.png")), force=options.force)
    try:
        from ...lab.truth.bench import FULL, QUICK, measure
        from ...lab.truth.report import as_json, as_text
        from ...network.weights import load_model, weights_hash
    except ModuleNotFoundError as error:
        raise WDualMineError(
            f"{error.name} is not installed", "Install it with: pip install 'wdualmine[truth]'"
        ) from error
    scope = QUICK if options.quick else FULL
    model = load_model(options.weights)
    with ConsoleProgress() as progress:
        summary = finish(
            measure(model, options.data, scope, options.seed, options.device, options.pictures),
            progress,
        )
    print(as_text(summary))
    if options.json is not None:
        report = describe_program(("numpy", "torch", "scipy", "torchio")) | {
            "weights_sha256": weights_hash(options.weights),
            "quick": options.quick,
            "seed": options.seed,
            "data": options.data is not None,
            **as_json(summary),
        }
        path = options.json
        with atomic_path(path, force=options.force) as partial, writing_errors(path):
            write_report(partial, report)
