"""``wdualmine bench registration``: the error left after known misalignments, and the verdicts."""

from __future__ import annotations

import argparse
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..registration.benchmark.impostors import IMPOSTORS
from ..registration.benchmark.peers import NEEDS, PEERS
from ..registration.benchmark.poses import HARD, USUAL, Range, targets_of
from ..registration.benchmark.roc import describe, verdicts
from ..registration.benchmark.trials import (
    OURS,
    Trial,
    posed,
    run_pair,
    run_trial,
    summarise,
    warm_up,
)
from ..samples.download import SampleUnavailable
from ..version import __version__
from ..volumes.volume import Volume
from ..volumes.writing import atomic_path, refuse_existing
from .bench_registration_pairs import Pair, pairs

_DEFAULT_CASES = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench registration``."""
    parser.add_argument(
        "--cases",
        type=int,
        default=_DEFAULT_CASES,
        metavar="N",
        help=f"poses a pair of up to 20 mm and 15 degrees an axis (default {_DEFAULT_CASES})",
    )
    parser.add_argument(
        "--hard",
        type=int,
        metavar="N",
        help="poses a pair of up to 60 mm and 45 degrees an axis (default: as --cases)",
    )
    parser.add_argument(
        "--with",
        dest="peers",
        default="",
        metavar="NAMES",
        help=f"also measure, of {','.join(PEERS)}: comma-separated (elastix and ants must be "
        "installed)",
    )
    parser.add_argument(
        "--pairs", metavar="WORDS", help="only pairs whose name holds one of these, comma-separated"
    )
    parser.add_argument(
        "--no-impostors", action="store_true", help="leave out what must not be called good"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the poses (default 0)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="default 2")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> None:
    """Measure, print as it goes, and write the figures where asked."""
    methods = _check(options)
    chosen = _chosen(options.pairs)
    hard = options.cases if options.hard is None else options.hard
    print(
        f"wdualmine {__version__}, {options.threads} threads, load {_load()}: seconds compare only "
        "within one run.\nMedian / 95th percentile of the error in mm over the corners of the "
        "body's box and a 12 mm grid inside it.\noffset: of the mean result; spread: about it; "
        "failure: median above 5 mm; silent: failed but not flagged;\ndoubts: right but flagged; "
        "s: wall clock (summed over threads)."
    )
    warm_up(methods, options.threads)
    figures: dict[str, Any] = {"version": __version__, "options": vars(options), "pairs": {}}
    right: list[Trial] = []
    wrong: dict[str, list[Trial]] = {}
    loaded: dict[str, tuple[Volume, Volume]] = {}
    for pair in chosen:
        volumes = _load_pair(pair)
        if volumes is None:
            continue
        loaded[pair.name] = volumes
        print(f"\n{pair.name} ({pair.truth})", flush=True)
        rows = figures["pairs"].setdefault(pair.name, {"truth": pair.truth})
        for limits, cases in ((USUAL, options.cases), (HARD, hard)):
            if cases:
                ours = _measure(volumes, methods, limits, cases, options, rows)
                right += [trial for trial in ours if not trial.failed]
        if not options.no_impostors:
            _try_impostors(volumes, options, wrong)
    if not options.no_impostors:
        _swap(loaded, options, wrong)
        figures["verdict"] = _report_verdicts(right, wrong)
    if options.json is not None:
        with atomic_path(options.json, force=options.force) as partial:
            partial.write_text(json.dumps(figures, indent=1, default=str) + "\n", encoding="utf-8")


def _check(options: argparse.Namespace) -> list[str]:
    """The methods to run; raises :class:`InputError` for options that make no sense."""
    peers = [name for name in options.peers.split(",") if name]
    for name in peers:
        if name not in PEERS:
            raise InputError(f"{name!r} is not a known method", f"Choose of {', '.join(PEERS)}")
        if name in NEEDS and find_spec(NEEDS[name]) is None:
            raise InputError(f"{name} is not installed", "pip install itk-elastix antspyx")
    if min(options.cases, options.hard or 0) < 0 or options.threads < 1 or options.seed < 0:
        raise InputError("Counts must not be negative", "Give 0 cases or more, 1 thread or more")
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
    return [OURS, *peers]


def _chosen(words: str | None) -> list[Pair]:
    everything = pairs()
    if words is None:
        return everything
    found = [p for p in everything if any(w.lower() in p.name.lower() for w in words.split(","))]
    if not found:
        names = ", ".join(p.name for p in everything)
        raise InputError(f"No pair's name holds {words!r}", f"Choose of: {names}")
    return found


def _load_pair(pair: Pair) -> tuple[Volume, Volume] | None:
    """Both volumes; None, with a line that says why, where they cannot be had."""
    if pair.missing:
        print(f"\n{pair.name}: SKIPPED, {pair.missing[0]} is not here")
        return None
    try:
        return pair.load()
    except SampleUnavailable as error:
        print(f"\n{pair.name}: SKIPPED, {error}")
        return None


def _measure(
    volumes: tuple[Volume, Volume],
    methods: list[str],
    limits: Range,
    cases: int,
    options: argparse.Namespace,
    rows: dict[str, Any],
) -> list[Trial]:
    """Run, print and keep one set of poses; hands back our own trials."""
    trials: dict[str, list[Trial]] = {method: [] for method in methods}
    for _, method, trial in run_pair(
        *volumes, methods, limits, cases, options.seed, options.threads
    ):
        trials[method].append(trial)
    points = targets_of(volumes[0])
    for method, found in trials.items():
        row = summarise(found, points)
        rows.setdefault(limits.name, {})[method] = row | {"trials": [_plain(t) for t in found]}
        silent = row["silent"] if method == OURS else "-"
        doubts = row["doubts"] if method == OURS else "-"
        print(
            f"  {limits.name:6}{method:10}{row['median_mm']:6.2f} /{row['p95_mm']:6.2f}"
            f"   offset {row['offset_mm']:5.2f} spread {row['spread_mm']:5.2f}"
            f"   failures {row['failures']}/{row['cases']} silent {silent} doubts {doubts}"
            f"   {row['seconds']:5.1f} s ({row['processor_seconds']:.1f})",
            flush=True,
        )
    return trials[OURS]


def _plain(trial: Trial) -> dict[str, Any]:
    return {
        "median_mm": float(np.median(trial.errors)),
        "largest_mm": float(np.max(trial.errors)),
        "seconds": trial.seconds,
        "processor_seconds": trial.processor_seconds,
        "verdict": trial.verdict,
        "reasons": trial.reasons,
        "figures": trial.figures,
    }


def _try_impostors(
    volumes: tuple[Volume, Volume], options: argparse.Namespace, wrong: dict[str, list[Trial]]
) -> None:
    """One registration to each kind of impostor made of the pair's moving volume."""
    fixed, moving = volumes
    for number, (kind, make) in enumerate(IMPOSTORS.items()):
        seed = [options.seed, 1000 + number]
        impostor = make(moving, np.random.default_rng(seed))
        wrong.setdefault(kind, []).append(_impostor_trial(fixed, impostor, seed, options))


def _swap(
    loaded: dict[str, tuple[Volume, Volume]],
    options: argparse.Namespace,
    wrong: dict[str, list[Trial]],
) -> None:
    """Heads against limbs, and the template's head against the simulated one."""
    heads = [v for name, v in loaded.items() if not name.startswith("CT-PET")]
    limbs = [v for name, v in loaded.items() if name.startswith("CT-PET")]
    crosses = [("another body part", a[0], b[1]) for a in heads for b in limbs]
    crosses += [("another body part", b[0], a[1]) for a in heads for b in limbs]
    templates = [v for name, v in loaded.items() if "template" in name]
    simulated = [v for name, v in loaded.items() if "simulated" in name]
    crosses += [("another person", a[0], b[1]) for a in templates[:1] for b in simulated]
    crosses += [("another person", b[0], a[1]) for a in templates[1:] for b in simulated[:1]]
    for number, (kind, fixed, moving) in enumerate(crosses):
        trial = _impostor_trial(fixed, moving, [options.seed, 2000 + number], options)
        wrong.setdefault(kind, []).append(trial)


def _impostor_trial(
    fixed: Volume, impostor: Volume, seed: list[int], options: argparse.Namespace
) -> Trial:
    truth, displaced = posed(impostor, USUAL, seed)
    return run_trial(OURS, fixed, displaced, truth, targets_of(fixed), options.threads)


def _report_verdicts(right: list[Trial], wrong: dict[str, list[Trial]]) -> dict[str, Any]:
    print("\nVerdicts                 good  doubtful  failed")
    counts = {"right alignment": verdicts(right)} | {k: verdicts(t) for k, t in wrong.items()}
    for kind, row in counts.items():
        print(f"  {kind:20}{row['good']:8}{row['doubtful']:10}{row['failed']:8}")
    measured = [t for kind, found in wrong.items() if kind != "mirrored" for t in found]
    measured = [trial for trial in measured if trial.figures]
    if not right or not measured:
        return {"counts": counts}
    rows = describe(right, measured)
    print("\nFigure                  area under   above the limit, right / wrong")
    print("                        its curve    doubtful          failed")
    for name, row in rows.items():
        limits = "".join(_limit(row.get(key)) for key in ("doubtful", "failed"))
        print(f"  {name:22}{row['auc']:8.3f}     {limits}")
    return {"counts": counts, "figures": rows}


def _limit(row: dict[str, float] | None) -> str:
    if row is None:
        return f"{'-':18}"
    return f"{row['limit']:g}: {row['right_above']:.0%} / {row['wrong_above']:.0%}".ljust(18)


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
