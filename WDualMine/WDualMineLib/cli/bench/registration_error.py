"""``wdualmine bench registration``: the error left after known misalignments, and the verdicts."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...lab.registration_trials.displacements import HARD, USUAL, Range, targets_of
from ...lab.registration_trials.impostors import IMPOSTORS
from ...lab.registration_trials.peers import NEEDS, PEERS
from ...lab.registration_trials.trials import (
    OURS,
    Trial,
    posed,
    run_pair,
    run_trial,
    summarise,
    warm_up,
)
from ...samples.download import SampleUnavailable
from ...version import __version__
from ...volumes.volume import Volume
from ...volumes.whole_files import atomic_path, refuse_existing, write_text, writing_errors
from .registration_pairs import Pair, own_pair, pairs, strangers
from .registration_roc import Wrong, as_text, count_verdicts, describe, draw

_DEFAULT_CASES = 6
_IMPOSTOR_SEED, _STRANGER_SEED = 1000, 2000
_LEGEND = """\
Median / 95th percentile of the error in mm over the corners of the body's box and a 12 mm grid
inside it. offset: of the mean result; spread: about it; failure: median above 5 mm; silent: failed
but not flagged; doubts: right but flagged; s: wall clock (summed over threads)."""


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
        "--own",
        type=Path,
        nargs=2,
        action="append",
        default=[],
        metavar=("FIXED", "MOVING"),
        help="also a pair of your own, aligned as it lies; may be given again",
    )
    parser.add_argument(
        "--no-impostors", action="store_true", help="leave out what must not be called good"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the poses (default 0)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="default 2")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PNG", help="draw the verdict's ROC curves"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write all figures as JSON, anew after each pair",
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(options: argparse.Namespace) -> None:
    """Measure, print as it goes, and write the figures where asked."""
    methods = _check(options)
    chosen = [*_chosen(options.pairs), *map(own_pair, options.own)]
    print(
        f"wdualmine {__version__}, {options.threads} threads, load {_load()}: seconds compare only "
        f"within one run.\n{_LEGEND}"
    )
    warm_up(methods, options.threads)
    bench = _Bench(options, methods)
    for pair in chosen:
        bench.measure_pair(pair)
        bench.save()
    if not bench.loaded:
        raise InputError(
            f"None of the {len(chosen)} pairs is here, and nothing was measured",
            "Set WDUALMINE_SHARED to the folder that holds data/volumes, or give pairs of your own "
            "with --own",
        )
    if not options.no_impostors:
        bench.measure_strangers()
    bench.report_verdicts()
    bench.save()


class _Bench:
    """What has been measured so far."""

    def __init__(self, options: argparse.Namespace, methods: list[str]) -> None:
        self.options, self.methods = options, methods
        self.right: list[Trial] = []
        self.wrong: Wrong = {}
        self.loaded: dict[str, tuple[Volume, Volume]] = {}
        self.figures: dict[str, Any] = {
            "version": __version__,
            "options": vars(options),
            "pairs": {},
            "impostors": [],
        }

    def measure_pair(self, pair: Pair) -> None:
        """Both sets of poses, then the impostors; a line that says why where it can't be had."""
        volumes = _load_pair(pair)
        if volumes is None:
            return
        self.loaded[pair.name] = volumes
        print(f"\n{pair.name} ({pair.truth})", flush=True)
        rows = self.figures["pairs"].setdefault(pair.name, {"truth": pair.truth})
        hard = self.options.cases if self.options.hard is None else self.options.hard
        for limits, cases in ((USUAL, self.options.cases), (HARD, hard)):
            if cases:
                rows[limits.name] = self._measure_poses(volumes, limits, cases)
        if self.options.no_impostors:
            return
        fixed, moving = volumes
        for number, (kind, make) in enumerate(IMPOSTORS.items()):
            seed = [self.options.seed, _IMPOSTOR_SEED + number, len(self.loaded)]
            impostor = make(moving, np.random.default_rng(seed))
            self._try_impostor(kind, pair.name, fixed, impostor, seed)

    def _measure_poses(
        self, volumes: tuple[Volume, Volume], limits: Range, cases: int
    ) -> dict[str, Any]:
        """Every method on the same poses, printed; its row and trials."""
        options = self.options
        trials: dict[str, list[Trial]] = {method: [] for method in self.methods}
        for _, method, trial in run_pair(
            *volumes, self.methods, limits, cases, options.seed, options.threads
        ):
            trials[method].append(trial)
        self.right += [trial for trial in trials[OURS] if not trial.failed]
        points = targets_of(volumes[0])
        rows = {}
        for method, found in trials.items():
            row = summarise(found, points)
            rows[method] = row | {"trials": [_plain(trial) for trial in found]}
            print(f"  {limits.name:6}{method:10}{_in_words(row, method == OURS)}", flush=True)
        return rows

    def measure_strangers(self) -> None:
        """Other people's volumes, and other parts of the body, against those of the pairs."""
        for number, (kind, name, fixed, moving) in enumerate(_crosses(self.loaded)):
            seed = [self.options.seed, _STRANGER_SEED + number]
            self._try_impostor(kind, name, fixed, moving, seed)

    def _try_impostor(
        self, kind: str, name: str, fixed: Volume, impostor: Volume, seed: list[int]
    ) -> None:
        truth, displaced = posed(impostor, USUAL, seed)
        points, threads = targets_of(fixed), self.options.threads
        trial = run_trial(OURS, fixed, displaced, truth, points, threads)
        self.wrong.setdefault(kind, []).append(trial)
        self.figures["impostors"].append({"kind": kind, "pair": name} | _plain(trial))

    def report_verdicts(self) -> None:
        """The verdicts on right alignments and on each kind of impostor; each rule's curve."""
        counts = {"right alignment": self.right} | self.wrong
        print(f"\n{'Verdicts':25}good  doubtful  failed")
        for kind, trials in counts.items():
            row = count_verdicts(trials)
            print(f"  {kind:20}{row['good']:8}{row['doubtful']:10}{row['failed']:8}")
        rows = describe(self.right, self.wrong)
        self.figures["verdict"] = {
            "counts": {kind: count_verdicts(trials) for kind, trials in counts.items()},
            "figures": rows,
        }
        if rows:
            print(f"\n{as_text(rows)}")
        if rows and self.options.output is not None:
            path, picture = self.options.output, draw(rows)
            with atomic_path(path, force=self.options.force) as partial, writing_errors(path):
                picture.savefig(partial, format="png")

    def save(self) -> None:
        """The figures so far; what an earlier call wrote is replaced."""
        if self.options.json is not None:
            text = json.dumps(self.figures, indent=1, default=str)
            write_text(self.options.json, text, force=True)


def _check(options: argparse.Namespace) -> list[str]:
    """The methods to run; raises :class:`InputError` for options that make no sense."""
    peers = [name for name in options.peers.split(",") if name]
    for name in peers:
        if name not in PEERS:
            raise InputError(f"{name!r} is not a known method", f"Choose of {', '.join(PEERS)}")
        if name in NEEDS and find_spec(NEEDS[name]) is None:
            raise InputError(f"{name} is not installed", "pip install 'wdualmine[bench]'")
    if min(options.cases, options.hard or 0) < 0 or options.threads < 1 or options.seed < 0:
        raise InputError("Counts must not be negative", "Give 0 cases or more, 1 thread or more")
    refuse_existing([p for p in (options.json, options.output) if p], force=options.force)
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


def _crosses(
    loaded: dict[str, tuple[Volume, Volume]],
) -> Iterator[tuple[str, str, Volume, Volume]]:
    """(kind, name, fixed, moving) of what belongs to different people or parts of the body."""
    heads = {name: pair for name, pair in loaded.items() if not name.startswith("CT-PET")}
    limbs = {name: pair for name, pair in loaded.items() if name.startswith("CT-PET")}
    for head, a in heads.items():
        for limb, b in limbs.items():
            yield "another body part", f"{head} / {limb}", a[0], b[1]
            yield "another body part", f"{limb} / {head}", b[0], a[1]
    for first, a in limbs.items():
        for second, b in limbs.items():
            if first != second:
                yield "another body part", f"{first} / {second}", a[0], b[1]
    for stranger in strangers():
        for head, (_, moving) in heads.items():
            yield "another person", f"{stranger.name} / {head}", stranger, moving


def _in_words(row: dict[str, Any], with_verdict: bool) -> str:
    silent, doubts = (row["silent"], row["doubts"]) if with_verdict else ("-", "-")
    return (
        f"{row['median_mm']:6.2f} /{row['p95_mm']:6.2f}"
        f"   offset {row['offset_mm']:5.2f} spread {row['spread_mm']:5.2f}"
        f"   failures {row['failures']}/{row['cases']} silent {silent} doubts {doubts}"
        f"   {row['seconds']:5.1f} s ({row['processor_seconds']:.1f})"
    )


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


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
