"""A network's slices with few passes: convolutions of the library, and compiled loops between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..content import Content
from ..decoder import Decoder, replace_untrusted
from ..layers import activation, enlarged, upsample
from ..standardisation import shares_of
from ..statistics import JointStatistics
from . import decoding, edge_steps, expert_passes, feature_passes

if TYPE_CHECKING:
    from ..model import DualMineNetwork


def fused(
    model: DualMineNetwork,
    a: Tensor,
    b: Tensor,
    statistics: JointStatistics,
    reliability: Tensor | None,
    conviction: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Residual and arbitration, (N, 1, H, W) each, of padded slices.

    Args:
        model: with Haar's wavelet.
        a, b: (N, 1, H, W), float32 on the CPU; H and W as the network needs them.
        statistics, reliability: see :class:`~..model.DualMineNetwork`.
        conviction: see :func:`~..reliability.convict`.
    """
    seen = _encoded(model.encoder, a, b)
    shares = _shares(reliability, seen)
    spatial, context = _by_space(model.spatial_expert, seen, shares)
    frequency = _by_frequency(model.frequency_expert, seen[0], shares[0])
    content = _content(a, b)
    z, arbitration = _arbitrated(model.arbitration, spatial, frequency, content)
    arbitration = upsample(arbitration, a.shape[2:])
    a, b = (content.cut(x).contiguous() for x in (a, b))
    conviction = None if conviction is None else content.cut(conviction)
    proposed, pursuit = _decoded(model, a, b, statistics, conviction, z, context, content)
    share = torch.full_like(a, 0.5) if conviction is None else (1 + conviction) / 2
    part, residual = model.refinement, torch.empty_like(a)
    edge_steps.refine(
        *_arrays(*(x[:, 0] for x in (proposed, a, b, share)), pursuit),
        *_arrays(-2 * part.log_rates.exp(), part.log_thresholds.exp()),
        np.float32(model.config.alpha),
        *_arrays(residual[:, 0]),
    )
    return content.put_back(residual), arbitration


def _content(a: Tensor, b: Tensor) -> Content:
    """:meth:`~..content.Content.of`."""
    rows, columns = torch.empty(len(a), a.shape[2]), torch.empty(len(a), a.shape[3])
    feature_passes.count_shown(*_arrays(a[:, 0], b[:, 0], rows, columns))
    return Content.within(rows[:, None], columns[:, None])


def _encoded(part, a: Tensor, b: Tensor) -> list[Tensor]:
    """Features of all scales, (2 N, H + 2, W + 2, C) each."""
    n, _, h, w = a.shape
    bands = torch.empty(2 * n, h // 2 + 2, w // 2 + 2, 8)
    activity, usual = torch.empty(2 * n, h // 2, w // 2, 6), torch.empty(2 * n, 6)
    feature_passes.stem(*_arrays(a[:, 0], b[:, 0], bands, activity, usual))
    # Of x and x - usual two linear maps are one of x, and a bias.
    lively = part.liveliness.weight[..., 0, 0].unflatten(1, (2, 2, -1))
    shift = F.linear(usual, lively[:, :, 1].flatten(1))
    lively = F.linear(activity, lively.sum(2).flatten(1))
    convolved = _convolved(part.entries[0], bands)
    x = _bordered(convolved)
    feature_passes.enter(*_arrays(convolved, lively, shift, x))
    found = []
    for number, block in enumerate(part.blocks):
        if number:
            x = _rectified(_convolved(part.entries[number], x))
        change = _convolved(block.second, _rectified(_convolved(block.first, x)))
        seen = torch.empty_like(x)
        feature_passes.add(*_arrays(change, x, seen))
        found.append(x := seen)
    return found


def _shares(reliability: Tensor | None, seen: list[Tensor]) -> list[Tensor]:
    """Weight of a in [0, 2] at every scale, (N, H, W) each."""
    if reliability is None:
        return [torch.ones(len(x) // 2, x.shape[1] - 2, x.shape[2] - 2) for x in seen]
    share, found = 2 * reliability[:, 0], []
    for x in seen:
        halved = torch.empty(len(share), x.shape[1] - 2, x.shape[2] - 2)
        feature_passes.halve(*_arrays(share, halved))
        found.append(share := halved)
    return found


def _by_space(part, seen: list[Tensor], shares: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The spatial expert's map (N, H, W, C), and its context (N, C, h, w)."""
    merged = []
    for merge, x, share in zip(part.merges, seen, shares, strict=True):
        n, h, w = share.shape
        total, largest = (torch.empty(n, h, w, x.shape[3]) for _ in range(2))
        feature_passes.merge(*_arrays(x, share, total, largest))
        of_total, of_largest = merge.mix.weight[..., 0, 0].chunk(2, 1)
        mixed = torch.addmm(merge.mix.bias, total.flatten(0, 2), of_total.T)
        mixed.addmm_(largest.flatten(0, 2), of_largest.T)
        merged.append(mixed.view(n, h, w, -1))
    context = part.context(activation(merged.pop()).movedim(3, 1))
    x = context.movedim(1, 3)
    for hint, ascent in reversed(list(zip(part.hints, part.ascents, strict=True))):
        fine = merged.pop()
        coarse = F.linear(activation(x), hint.weight[..., 0, 0], hint.bias)
        out = _bordered(fine)
        feature_passes.ascend(*_arrays(fine, coarse, out))
        x = _convolved(ascent, out)
    return x, context


def _by_frequency(part, seen: Tensor, share: Tensor) -> Tensor:
    """The frequency expert's map, (N, H + 2, W + 2, C)."""
    n, h, w = share.shape
    c = seen.shape[3]
    low = torch.empty(n, h // 2, w // 2, c)
    low_rectified = _bordered(low)
    detail_a, detail_b, change = (torch.empty(3, n, h // 2, w // 2, c) for _ in range(3))
    excess, chosen = (torch.empty(3, *low_rectified.shape) for _ in range(2))
    expert_passes.split(*_arrays(seen, share, low, low_rectified, detail_a, detail_b, excess))
    # The difference of two activities is the activity of a difference.
    weight = part.activity.weight.view(3, c, 9).transpose(1, 2)
    expert_passes.choose(*_arrays(excess, weight, detail_a, detail_b, chosen))
    low_change = _convolved(part.low, low_rectified)
    weights, biases = part.detail.weight.chunk(3), part.detail.bias.chunk(3)
    for band in range(3):
        x = F.conv2d(chosen[band].movedim(3, 1), weights[band], biases[band])
        change[band].copy_(x.movedim(1, 3))
    joined = torch.empty(n, h + 2, w + 2, c)
    expert_passes.join(*_arrays(low, low_change, chosen, change, joined))
    return joined


def _arbitrated(
    part, spatial: Tensor, frequency: Tensor, content: Content
) -> tuple[Tensor, Tensor]:
    """Z of the content (N, C, H' + 2, W' + 2), and the arbitration (N, 1, H, W)."""
    n, h, w, c = spatial.shape
    rows, columns = content.rows, content.columns
    size = ((rows.stop - rows.start) // 2 + 2, (columns.stop - columns.start) // 2 + 2)
    z, arbitration = torch.empty(n, c, *size), torch.empty(n, h, w)
    numbers = (np.float32(part.log_gain.exp()), np.float32(part.bias))
    first = (rows.start // 2, columns.start // 2)
    expert_passes.arbitrate(
        *_arrays(spatial, frequency), *numbers, *first, *_arrays(arbitration, z)
    )
    return z, arbitration[:, None]


def _decoded(
    model: DualMineNetwork,
    a: Tensor,
    b: Tensor,
    statistics: JointStatistics,
    conviction: Tensor | None,
    z: Tensor,
    context: Tensor,
    content: Content,
) -> tuple[Tensor, Tensor]:
    """The slice before its edges are refined (N, 1, H, W), and the pursuit (N, steps, H, W)."""
    part, known = model.decoder, _chosen(model.decoder, statistics)
    near = F.conv2d(z, known.weight, known.bias)
    told = F.conv2d(part.to_surroundings(context), known.of_surroundings, part.guide.bias)
    far = enlarged(told.contiguous(), content.size, content.rows, content.columns)
    sure_a, sure_b = a, b
    if conviction is not None:
        sure_a, sure_b = replace_untrusted(a, b, conviction, statistics)
    fused, pursuit = torch.empty_like(a), torch.empty(len(a), far.shape[1] - 1, *a.shape[2:])
    decoding.decode(
        *_arrays(near, far, known.table, known.numbers),
        np.float32(model.config.alpha),
        np.float32(part.log_threshold.exp()),
        *_arrays(*(x[:, 0] for x in (a, b, sure_a, sure_b, fused)), pursuit),
    )
    return fused, pursuit


class _Chosen(NamedTuple):
    """What is the same for all slices of two volumes: what the decoder makes of its weights and of
    their statistics.

    Attributes:
        key: of what it was made.
        weight, bias: of the convolution of Z that gives the guidance, place by place.
        of_surroundings: weight of what the context adds to it.
        table: (N or 1, NODES, NODES), of the transfer function.
        numbers: (N or 1, 4), see :func:`.decoding.decode`.
    """

    key: tuple[Any, ...]
    weight: Tensor
    bias: Tensor
    of_surroundings: Tensor
    table: Tensor
    numbers: Tensor


_latest: WeakKeyDictionary[Decoder, _Chosen] = WeakKeyDictionary()


def _chosen(part: Decoder, statistics: JointStatistics) -> _Chosen:
    # The tensors themselves, so that none of another content can take the place of one.
    told = (statistics.deviations, statistics.histogram, statistics.moments)
    weights = tuple(
        (x.data_ptr(), 0 if x.is_inference() else x._version) for x in part.parameters()
    )
    known = _latest.get(part)
    if known is not None:
        same = all(x is y for x, y in zip(known.key[0], told, strict=True))
        if same and known.key[1] == weights:
            return known
    weight, bias, of_surroundings = part.mixed()
    table, gains = part.transfer.chosen(statistics)
    counts = (part.gains + gains)[..., 0, 0]
    of_sources = shares_of(statistics.deviations).expand(len(counts), -1)
    places = part.transform.to_places
    known = _latest[part] = _Chosen(
        (told, weights),
        places(weight),
        places(bias),
        of_surroundings,
        table[:, 0],
        torch.cat([counts, of_sources], 1),
    )
    return known


def _convolved(part, x: Tensor) -> Tensor:
    """A convolution of (N, H + 2, W + 2, C): (N, H / stride, W / stride, C')."""
    return F.conv2d(x.movedim(3, 1), part.weight, part.bias, part.stride).movedim(1, 3)


def _bordered(x: Tensor) -> Tensor:
    """Room for (N, H, W, C) and a border."""
    n, h, w, c = x.shape
    return torch.empty(n, h + 2, w + 2, c)


def _rectified(x: Tensor) -> Tensor:
    out = _bordered(x)
    feature_passes.rectify(*_arrays(x, out))
    return out


def _arrays(*maps: Tensor) -> list[np.ndarray]:
    """The same memory, for loops; of one layout, or each would be compiled for every other one."""
    return [x.contiguous().numpy() for x in maps]
