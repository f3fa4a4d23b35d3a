"""``wdualmine bench reliability``: do the maps find faults that were put into one source?"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, WDualMineError
from ..progress import Progress, Steps, finish
from ..quality.detection import auroc
from ..quality.filtering import filter_valid
from ..quality.report import Summary
from ..version import __version__
from ..volumes.writing import atomic_path, refuse_existing
from .console import ConsoleProgress

if TYPE_CHECKING:
    from torch import nn

    from ..training.dataset import SlicePair

METHODS = ("network", "local variance")
_VARIANCE_SIDE = 7


@dataclass(frozen=True)
class Finding:
    """One fault and how well each method found it.

    Attributes:
        kind: name of the fault.
        source: modality pair and the faulty source of it: "CT-MRI: CT".
        auroc: ``{method: area under the ROC curve}``.
    """

    kind: str
    source: str
    auroc: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench reliability``."""
    parser.description = (
        "Put faults into one source of each validation pair and measure, within the head, how well "
        "1 - reliability of that source finds them: the area under the ROC curve (0.5 = not at "
        "all). Beside it: the classical activity weight, the share of a source in the local "
        "variance."
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
        from ..network.weights import load_model, weights_hash
        from ..training.corruption import TRAINED, UNSEEN
        from ..training.dataset import group_pairs, read_pairs, split_by_case
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
            "auroc": {
                method: {
                    kind: {
                        source: summary.mean
                        for source, summary in _by_source(findings, kind, method).items()
                    }
                    for kind in kinds
                }
                for method in METHODS
            },
        }
        with atomic_path(options.json, force=options.force) as partial:
            partial.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def find_faults(
    model: nn.Module, pairs: list[SlicePair], kinds: tuple[str, ...], seed: int
) -> Steps[list[Finding]]:
    """Each kind of fault in each source of each pair, found or not; progress after each pair.

    Faults that change nothing visible, or everything within the head, are passed over.

    Args:
        model: in eval mode.
        pairs: slices without faults.
        kinds: names of :data:`~..training.corruption.TRAINED` or ``UNSEEN``.
        seed: of the faults; each is drawn from the seed, its pair, kind and source alone.
    """
    import torch

    from ..training.corruption import corrupt

    device = next(model.parameters()).device
    findings = []
    for number, pair in enumerate(pairs):
        yield Progress(number / len(pairs), f"Faults in {pair.group} {pair.name}")
        for index, kind in enumerate(kinds):
            for faulty in (0, 1):
                rng = np.random.default_rng([seed, number, index, faulty])
                images = [pair.a, pair.b]
                fault = corrupt(images[faulty], kind, rng)
                # Air is easy to tell from a fault, and nobody asks about it.
                head = (pair.a > 0) | (pair.b > 0)
                if fault.mask[head].all() or not fault.mask[head].any():
                    continue
                images[faulty] = fault.image
                with torch.inference_mode():
                    maps = model(*(torch.from_numpy(x)[None, None].to(device) for x in images))
                reliability = (maps.reliability_a, maps.reliability_b)[faulty][0, 0].cpu().numpy()
                trust = dict(
                    zip(METHODS, (reliability, variance_share(images, faulty)), strict=True)
                )
                found = {m: auroc(1 - w[head], fault.mask[head]) for m, w in trust.items()}
                source = f"{pair.group}: {pair.group.split('-')[faulty]}"
                findings.append(Finding(kind, source, found))
    return findings


def variance_share(images: list[np.ndarray], which: int) -> np.ndarray:
    """Share of one of two images (H, W) in their local variance (7 x 7): float64 in [0, 1].

    The weight of classical activity-level fusion, which trusts the livelier source; half where both
    are flat.
    """
    window = np.full(_VARIANCE_SIDE, 1 / _VARIANCE_SIDE)
    variances = []
    for image in images:
        padded = np.pad(image.astype(np.float64), _VARIANCE_SIDE // 2, mode="reflect")
        mean = filter_valid(padded, window)
        variances.append(np.maximum(filter_valid(padded**2, window) - mean**2, 0) + 1e-6)
    return variances[which] / (variances[0] + variances[1])


def as_text(findings: list[Finding], kinds: dict[str, str]) -> str:
    """A line a kind of fault, with its mark; a column a faulty source; means of both methods."""
    sources = list(dict.fromkeys(finding.source for finding in findings))
    header = ["", *sources, *(f"mean, {method}" for method in METHODS)]
    lines = [header]
    for kind, mark in (*kinds.items(), ("mean", "")):
        chosen = None if kind == "mean" else kind
        by_source = _by_source(findings, chosen, METHODS[0])
        values = [by_source[source].mean if source in by_source else np.nan for source in sources]
        values += [_summary(findings, chosen, method).mean for method in METHODS]
        lines.append([kind + mark, *("-" if np.isnan(v) else f"{v:.3f}" for v in values)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        line[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True))
        for line in lines
    )


def _by_source(findings: list[Finding], kind: str | None, method: str) -> dict[str, Summary]:
    sources = dict.fromkeys(f.source for f in findings if kind in (None, f.kind))
    return {
        source: _summary([f for f in findings if f.source == source], kind, method)
        for source in sources
    }


def _summary(findings: list[Finding], kind: str | None, method: str) -> Summary:
    return Summary.of([f.auroc[method] for f in findings if kind in (None, f.kind)])
