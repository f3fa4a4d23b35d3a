"""``wdualmine bench quality``: the network beside plain fusions, on cases it has never seen."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...fusion.rounding import informed_rounding, nearest_rounding
from ...fusion.settings import DEFAULT_FLOOR
from ...palettes import ARBITRATION, SUSPICION, over
from ...progress import Progress, Steps, finish
from ...quality.metrics import measure_pair
from ...quality.report import Report
from ...version import __version__
from ...volumes.whole_files import refuse_existing, write_text
from ..console import ConsoleProgress
from ..evaluate import baselines
from ..pictures.slice_figure import draw_slices

if TYPE_CHECKING:
    from ...fusion.engine import SliceEngine
    from ...lab.training.dataset import SlicePair

PICTURES = ["first source", "MRI", "fused", "suspected faults", "arbitration"]

ROUNDINGS = {"WDualMine": informed_rounding, "WDualMine, nearest rounding": nearest_rounding}
"""Rows of the network: as fuse-images rounds by default, and as everybody else does."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench quality``."""
    parser.description = (
        "Fuse the validation pairs, which are whole cases kept from training, as fuse-images does, "
        "and measure them as evaluate does, beside the average, the maximum and the maximum under "
        "the correlation floor."
    )
    parser.add_argument("data", type=Path, help="folder with CT-MRI, PET-MRI and SPECT-MRI")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="default: those that ship")
    parser.add_argument(
        "--correlation-floor",
        type=float,
        default=DEFAULT_FLOOR,
        metavar="TAU",
        help=f"default {DEFAULT_FLOOR}",
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="take each Nth slice (default 1)"
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="FILE", help="PNG of ten pairs, fused, with their maps"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables as JSON")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> None:
    """Measure, print a table for each modality pair, and write them where asked."""
    from ...fusion.engine import SliceEngine
    from ...lab.training.dataset import group_pairs, read_pairs, split_by_case
    from ...network.weights import load_model, weights_hash

    if options.every < 1 or not 0 <= options.correlation_floor < 1:
        raise InputError(
            f"--every {options.every} and --correlation-floor {options.correlation_floor:g} do not "
            "both make sense",
            "Give a stride of 1 or more and a floor from 0 to below 1",
        )
    outputs = [path for path in (options.json, options.pictures) if path is not None]
    refuse_existing(outputs, force=options.force)
    engine = SliceEngine(load_model(options.weights), "cpu")
    _, validation = split_by_case(read_pairs(options.data))
    if options.pictures is not None:
        draw_slices(PICTURES, draw_pairs(engine, validation, options), options.pictures)
    tables = {}
    for group, pairs in group_pairs(validation).items():
        pairs = pairs[:: options.every]
        with ConsoleProgress() as progress:
            report = finish(measure_group(engine, pairs, options.correlation_floor), progress)
        cases = ", ".join(str(case) for case in sorted({pair.case for pair in pairs}))
        print(f"{group}: {len(pairs)} pairs of case {cases}, mean and ± standard deviation")
        print(report.as_text() + "\n")
        tables[group] = {"cases": cases, "pairs": len(pairs), "rows": report.as_json()}
    if options.json is not None:
        figures = {
            "version": __version__,
            "weights_sha256": weights_hash(options.weights),
            "correlation_floor": options.correlation_floor,
            "groups": tables,
        }
        write_text(options.json, json.dumps(figures, indent=2), force=options.force)


def draw_pairs(
    engine: SliceEngine, pairs: list[SlicePair], options: argparse.Namespace
) -> dict[str, list[np.ndarray]]:
    """Pictures, (H, W, 3) uint8, of ten pairs from all over ``pairs``, by the pair's name."""
    from ...fusion.preview import fuse_slice

    rows = {}
    for index in np.linspace(0, len(pairs) - 1, 10).round().astype(int):
        pair = pairs[index]
        fused = fuse_slice(pair.a, pair.b, engine, correlation_floor=options.correlation_floor)
        grey = [np.rint(x * 255).astype(np.uint8) for x in (pair.a, pair.b, fused.fused)]
        rows[f"{pair.group} {pair.name}"] = [
            *(np.repeat(image[..., None], 3, axis=2) for image in grey),
            over(fused.fused, fused.reliability, SUSPICION),
            ARBITRATION[np.rint(fused.arbitration * 255).astype(np.uint8)],
        ]
    return rows


def measure_group(engine: SliceEngine, pairs: list[SlicePair], floor: float) -> Steps[Report]:
    """Every fusion of every pair, rounded to 8 bit; progress before each pair."""
    from ...fusion.preview import fuse_slice

    report = Report()
    for number, pair in enumerate(pairs):
        yield Progress(number / len(pairs), f"{pair.group} {pair.name}")
        a, b = (np.rint(x * 255).astype(np.uint8) for x in (pair.a, pair.b))
        for row, rounding in ROUNDINGS.items():
            stored = partial(rounding, a=pair.a, b=pair.b)
            fused = fuse_slice(
                pair.a, pair.b, engine, correlation_floor=floor, readback=stored
            ).fused
            report.add(row, pair.name, measure_pair(stored(fused), a, b))
        for row, fuse in baselines(floor).items():
            report.add(row, pair.name, measure_pair(fuse(a, b), a, b))
    return report
