"""Faults put into one source of a pair: are they found, and how much do they harm the fusion?"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ...progress import Progress, Steps
from ...quality.detection import auroc
from ...quality.filtering import filter_valid
from .ablation import EvenReliability
from .corruption import TRAINED, corrupt
from .dataset import SlicePair
from .objective import fuse_slices

METHODS = ("network", "local variance")
WEIGHTINGS = ("weighted", "even")
_VARIANCE_SIDE = 7


@dataclass(frozen=True)
class Finding:
    """One fault, how well each method found it, and what it did to the fused slice.

    Attributes:
        kind: name of the fault.
        source: modality pair and the faulty source of it: "CT-MRI: CT".
        auroc: ``{method: area under the ROC curve}``.
        harm: ``{weighting: mean change of the fused slice within the fault, in grey levels of
            255}``, weighted by the reliability maps and with both sources trusted evenly.
    """

    kind: str
    source: str
    auroc: dict[str, float]
    harm: dict[str, float]


class _Fault(NamedTuple):
    """What a fault is, which of the two sources has it, and where: (H, W) bool, in the head."""

    kind: str
    source: int
    where: np.ndarray
    head: np.ndarray


def _faults(
    pair: SlicePair, kinds: tuple[str, ...], seed: list[int]
) -> Iterator[tuple[_Fault, list[np.ndarray]]]:
    """Each kind in each source, and the two images with it.

    Faults that change nothing visible, or everything within the head, are passed over. Air is easy
    to tell from a fault, and nobody asks about it.
    """
    head = (pair.a > 0) | (pair.b > 0)
    for index, kind in enumerate(kinds):
        for source in (0, 1):
            images = [pair.a, pair.b]
            fault = corrupt(images[source], kind, np.random.default_rng([*seed, index, source]))
            where = fault.mask & head
            if where.any() and not fault.mask[head].all():
                images[source] = fault.image
                yield _Fault(kind, source, where, head), images


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
    even = copy.deepcopy(model)
    even.reliability = EvenReliability()
    networks = dict(zip(WEIGHTINGS, (model, even), strict=True))
    findings = []
    for number, pair in enumerate(pairs):
        yield Progress(number / len(pairs), f"Faults in {pair.group} {pair.name}")
        sound = [pair.a, pair.b]
        before = {name: _fuse(m, sound)[0] for name, m in networks.items()}
        for fault, images in _faults(pair, kinds, [seed, number]):
            fused = {name: _fuse(m, images) for name, m in networks.items()}
            harm = {name: _change(fused[name][0], before[name], fault.where) for name in networks}
            reliability = fused["weighted"][1][fault.source]
            trust = (reliability, variance_share(images, fault.source))
            found = {
                method: auroc(1 - weight[fault.head], fault.where[fault.head])
                for method, weight in zip(METHODS, trust, strict=True)
            }
            source = f"{pair.group}: {pair.group.split('-')[fault.source]}"
            findings.append(Finding(fault.kind, source, found, harm))
    return findings


def mean_harm(model: nn.Module, pairs: list[SlicePair], seed: int = 0) -> float:
    """Mean change of the fused slice within faults of the trained kinds, in grey levels of 255."""
    changes = []
    for number, pair in enumerate(pairs):
        sound = _fuse(model, [pair.a, pair.b])[0]
        for fault, images in _faults(pair, tuple(TRAINED), [seed, number]):
            changes.append(_change(_fuse(model, images)[0], sound, fault.where))
    return float(np.mean(changes))


@torch.inference_mode()
def _fuse(model: nn.Module, images: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The fused slice (H, W) before the floor, and the reliabilities of both sources."""
    device = next(model.parameters()).device
    a, b = (torch.from_numpy(x)[None, None].to(device) for x in images)
    maps = model(a, b)
    fused = fuse_slices(maps.residual, a, b).clamp(0, 1)
    parts = (fused, maps.reliability_a, maps.reliability_b)
    fused, *reliabilities = (x[0, 0].cpu().numpy() for x in parts)
    return fused, reliabilities


def _change(x: np.ndarray, y: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(x - y)[where].mean() * 255)


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
