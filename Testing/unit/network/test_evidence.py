"""Evidence in three dimensions: shapes, symmetry, what neighbours add, and what must not matter."""

from itertools import product

import pytest
import torch
from torch.nn import functional as F
from WDualMineLib.network.evidence import AcrossSlices, Evidence
from WDualMineLib.network.impressions import Impression
from WDualMineLib.network.neighbourhoods import mean_around
from WDualMineLib.network.surroundings import (
    WINDOW,
    surroundings_of_crops,
    surroundings_of_volumes,
)

CHANNELS = (4, 6, 8, 8)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Evidence(CHANNELS).eval()


def stacks(depth=3, side=64, count=2):
    return torch.rand(2, count, depth, side, side, generator=torch.Generator().manual_seed(1))


def mm(count=2):
    return torch.full((count,), 3.0)


@torch.inference_mode()
def test_scores_have_a_place_a_cell(network):
    a, b = stacks(side=96)

    for score in network(a, b, mm()):
        assert score.shape == (2, 3, 24, 24)
        assert torch.isfinite(score).all()


@torch.inference_mode()
def test_exchanging_the_volumes_exchanges_the_scores(network):
    a, b = stacks()

    of_a, of_b = network(a, b, mm())

    swapped_b, swapped_a = network(b, a, mm())
    torch.testing.assert_close(of_a, swapped_a, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(of_b, swapped_b, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_stacks_of_a_batch_are_judged_apart(network):
    a, b = stacks()

    together = network(a, b, mm())[0]

    alone = network(a[1:], b[1:], mm(1))[0]
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_neighbouring_slices_take_part_and_far_ones_do_not(network):
    a, b = stacks(depth=30, count=1)

    def score(x):
        seen = network.impression(x), network.impression(b)
        return network.score(*seen, surroundings_of_volumes(*seen, mm(1)))[0]

    before = score(a)
    for index in (1, 29):
        changed = a.clone()
        changed[:, index] = 0
        moved = (score(changed) - before).abs()[0, 2].max()
        assert (moved > 1e-5) == (index == 1)


@torch.inference_mode()
def test_a_slice_alone_is_its_own_neighbour():
    torch.manual_seed(0)
    part, x = AcrossSlices(5), torch.randn(2, 5, 6, 6)

    repeated = part(x.repeat_interleave(3, 0), 3)[1::3]

    torch.testing.assert_close(part(x, 1), repeated, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_a_volume_of_one_window_is_a_crop(network):
    a, b = (network.impression(x) for x in stacks(depth=4, side=32, count=1))

    crop, volume = surroundings_of_crops(a, b, mm(1)), surroundings_of_volumes(a, b, mm(1))

    for x, y in zip(crop, volume, strict=True):
        torch.testing.assert_close(x.expand(y.shape), y, atol=2e-3, rtol=1e-3)


@torch.inference_mode()
def test_what_is_usual_far_away_does_not_count(network):
    a, b = stacks(depth=2, side=16 * WINDOW, count=1)
    quiet = [x.clone() for x in (a, b)]
    quiet[0][..., 8 * WINDOW :] = 0.5
    found = [
        surroundings_of_volumes(*(network.impression(x) for x in pair), mm(1))
        for pair in ((a, b), quiet)
    ]

    near, far = (..., slice(0, WINDOW // 2)), (..., slice(-WINDOW, None))
    for x, y in zip(found[0][:2], found[1][:2], strict=True):
        torch.testing.assert_close(x[near], y[near])
        assert (x[far] - y[far]).abs().max() > 0.01


def test_impressions_tell_texture_from_smoothness_and_count_tissue():
    stack = torch.full((1, 1, 32, 32), 0.5)
    stack[..., 16:] += 0.2 * (torch.arange(16) % 2)
    stack[..., :8, :] = 0

    impressions = Impression()(stack)

    assert impressions.detail.shape == (1, 1, 4, 8, 8)
    assert impressions.tissue[0, 0, 0, 4:].min() == 1 and impressions.tissue[0, 0, 0, :2].max() == 0
    smooth, lively = impressions.detail[0, 0, :2, 5, 1], impressions.detail[0, 0, :2, 5, 6]
    assert lively[0] > 0.3 > 0.01 > smooth.max()


def test_impressions_compare_a_slice_with_the_nearer_and_the_farther_neighbour():
    stack = torch.full((1, 4, 16, 16), 0.5)
    stack[:, 2:] = 0.8

    nearer, farther = Impression()(stack).detail[0, :, 2:].unbind(1)

    assert nearer.max() == 0
    assert (farther.amax((1, 2)) > 0.5).tolist() == [False, True, True, False]


def test_a_place_is_judged_by_others_of_its_kind():
    noise = torch.Generator().manual_seed(5)
    levels = torch.full((1, 3, 128, 128), 0.2)
    levels[..., 64:] = 0.7
    a = levels + 0.1 * (levels > 0.5) * torch.randn(levels.shape, generator=noise)
    odd = a.clone()
    odd[:, 1, 32:64, 16:48] += 0.1 * torch.randn((1, 32, 32), generator=noise)

    part = Impression()
    seen = part(odd.clamp(0, 1)), part(levels)
    standing = surroundings_of_crops(*seen, mm(1)).standing_a[0, 1]

    # Noise is usual in the bright half, and not in the dark one, by both volumes' intensities.
    for number in (0, 4):
        assert standing[number, 10:14, 6:10].min() > 0.6
        assert standing[number, :, 18:].abs().mean() < 0.5


@torch.inference_mode()
@pytest.mark.parametrize("size", [(64, 64), (40, 52), (16, 17), (3, 5)])
def test_windows_are_blended_as_if_each_were_a_crop(size):
    """Tiles are how it is computed, and must not show; three slices all lie around each other."""
    h, w = size
    generator = torch.Generator().manual_seed(2)
    a, b = (Impression()(torch.rand(1, 3, 4 * h, 4 * w, generator=generator)) for _ in range(2))
    a.tissue[..., : h // 2, : w // 3] = 0
    b.tissue[..., : h // 2, : w // 3] = 0
    half = WINDOW // 2
    wanted = [torch.zeros_like(x) for x in surroundings_of_volumes(a, b, mm(1))[:2]]
    for row, column in product(range(0, h + half, half), range(0, w + half, half)):
        part = tuple(
            slice(max(0, centre - half), min(centre + half, n))
            for centre, n in ((row, h), (column, w))
        )
        if any(p.stop <= p.start for p in part):
            continue
        down, across = (
            1 - (torch.arange(p.start, p.stop) + 0.5 - centre).abs() / half
            for p, centre in zip(part, (row, column), strict=True)
        )
        crops = [type(x)(*(y[..., part[0], part[1]] for y in x)) for x in (a, b)]
        for total, found in zip(wanted, surroundings_of_crops(*crops, mm(1)), strict=False):
            total[..., part[0], part[1]] += down[:, None] * across * found

    for found, want in zip(surroundings_of_volumes(a, b, mm(1)), wanted, strict=False):
        # Of differences of large sums in single precision, in [-2, 2].
        torch.testing.assert_close(found, want, atol=5e-4, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize("of_those_there", [False, True])
@pytest.mark.parametrize(("size", "reach"), [((20, 31), 1), ((20, 31), 7), ((3, 1), 7)])
def test_means_are_those_of_pooling(size, reach, of_those_there):
    x = torch.rand(2, 3, *size)
    padded = F.pad(x, (reach,) * 4)
    there = F.pad(torch.ones_like(x), (reach,) * 4)
    side = 2 * reach + 1
    wanted = F.avg_pool2d(padded, side, 1)
    if of_those_there:
        wanted = wanted / F.avg_pool2d(there, side, 1)

    torch.testing.assert_close(mean_around(x, reach, of_those_there=of_those_there), wanted)
