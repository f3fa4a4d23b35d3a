"""``wdualmine bench reliability``: do the maps find faults that were put into one source?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError, WDualMineError
from ...progress import finish
from ...quality.report import Summary
from ...version import __version__
from ...volumes.writing import atomic_path, refuse_existing
from ..console import ConsoleProgress

if TYPE_CHECKING:
    from ...lab.training.findings import Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench reliability``."""
    parser.description = (
        "Put faults into one source of each validation pair and measure, within the head, how well "
        "1 - reliability of that source finds them: the area under the ROC curve (0.5 = not at "
        "all). Beside it: the classical activity weight, the share of a source in the local "
        "variance; and the harm, which is how far the fused slice moves within the fault (in grey "
        "levels of 255, before the correlation floor), with the maps as they are and with both "
        "sources trusted evenly by the same network."
    )
    parser.add_argument("data", type=Path, help="folder with CT-MRI, PET-MRI and SPECT-MRI")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="default: those that ship")
    parser.add_argument(
        "--every", type=int, default=4, metavar="N", help="take each Nth slice (default 4)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the faults (default 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write the figures where asked."""
    if options.every < 1 or options.seed < 0:
        raise InputError(
            f"--every {options.every} and --seed {options.seed} do not both make sense",
            "Give a stride of 1 or more and a seed of 0 or more",
        )
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
    try:
        from ...lab.training.corruption import TRAINED, UNSEEN
        from ...lab.training.dataset import group_pairs, read_pairs, split_by_case
        from ...lab.training.findings import find_faults
        from ...network.weights import load_model, weights_hash
    except ModuleNotFoundError as error:
        raise WDualMineError(
            f"{error.name} is not installed", "Install it with: pip install 'wdualmine[train]'"
        ) from error
    model = load_model(options.weights)
    _, validation = split_by_case(read_pairs(options.data))
    pairs = [p for group in group_pairs(validation).values() for p in group[:: options.every]]
    kinds = {kind: "" for kind in TRAINED} | {kind: "*" for kind in UNSEEN}
    with ConsoleProgress() as progress:
        findings = finish(find_faults(model, pairs, tuple(kinds), options.seed), progress)
    print(f"{len(pairs)} validation pairs, {len(findings)} faults; AUROC of 1 - reliability")
    print(as_text(findings, kinds))
    print("* not among the faults of the training")
    if options.json is not None:
        figures = {
            "version": __version__,
            "weights_sha256": weights_hash(options.weights),
            "pairs": len(pairs),
            "every": options.every,
            "seed": options.seed,
            "unseen": list(UNSEEN),
            "auroc": _figures(findings, tuple(kinds), "auroc"),
            "harm": _figures(findings, tuple(kinds), "harm"),
        }
        with atomic_path(options.json, force=options.force) as partial:
            partial.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def as_text(findings: list[Finding], kinds: dict[str, str]) -> str:
    """A line a kind of fault, with its mark; a column a faulty source; means of all methods.

    Args:
        findings: at least one.
        kinds: ``{kind: mark}``; the mark tells trained kinds ("") from others.
    """
    sources = list(dict.fromkeys(finding.source for finding in findings))
    methods, weightings = list(findings[0].auroc), list(findings[0].harm)
    lines = [["", *sources, *methods, *(f"harm, {name}" for name in weightings)]]
    groups = {kind + mark: [kind] for kind, mark in kinds.items()}
    groups["mean"] = list(kinds)
    for mark in dict.fromkeys(kinds.values()):
        groups["mean" + (mark or " of trained")] = [k for k in kinds if kinds[k] == mark]
    for name, chosen in groups.items():
        ours = [f for f in findings if f.kind in chosen]
        values = [
            _mean([f.auroc[methods[0]] for f in ours if f.source == source]) for source in sources
        ]
        values += [_mean([f.auroc[method] for f in ours]) for method in methods]
        cells = ["-" if np.isnan(value) else f"{value:.3f}" for value in values]
        cells += [f"{_mean([f.harm[name] for f in ours]):.2f}" for name in weightings]
        lines.append([name, *cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        line[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True))
        for line in lines
    )


def _figures(findings: list[Finding], kinds: tuple[str, ...], attribute: str) -> dict:
    """``{method: {kind: {source: mean}}}`` of the findings' ``auroc`` or ``harm``."""
    sources = list(dict.fromkeys(finding.source for finding in findings))
    return {
        method: {
            kind: {
                source: _mean(chosen)
                for source in sources
                if (
                    chosen := [
                        getattr(f, attribute)[method]
                        for f in findings
                        if (f.kind, f.source) == (kind, source)
                    ]
                )
            }
            for kind in kinds
        }
        for method in getattr(findings[0], attribute)
    }


def _mean(values: list[float]) -> float:
    return Summary.of(values).mean
