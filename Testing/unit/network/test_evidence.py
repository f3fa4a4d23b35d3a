"""Evidence in three dimensions: shapes, symmetry, what neighbours add, and what must not matter."""

import pytest
import torch
from WDualMineLib.network.evidence import Evidence, Impression, Surroundings
from WDualMineLib.network.statistics import joint_statistics

CHANNELS = (4, 6, 8, 8)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Evidence(CHANNELS).eval()


def stacks(depth=3, side=64, count=2):
    return torch.rand(2, count, depth, side, side, generator=torch.Generator().manual_seed(1))


def known(network, a, b):
    usual = [network.impression(x).usual() for x in (a, b)]
    return Surroundings(*usual, joint_statistics(a, b).expected, torch.full((len(a),), 3.0))


@torch.inference_mode()
def test_scores_have_half_the_pixels(network):
    a, b = stacks(side=96)

    for score in network(a, b, known(network, a, b)):
        assert score.shape == (2, 3, 48, 48)
        assert torch.isfinite(score).all()


@torch.inference_mode()
def test_exchanging_the_volumes_exchanges_the_scores(network):
    a, b = stacks()

    of_a, of_b = network(a, b, known(network, a, b))

    swapped_b, swapped_a = network(b, a, known(network, b, a))
    torch.testing.assert_close(of_a, swapped_a, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(of_b, swapped_b, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_stacks_of_a_batch_are_judged_apart(network):
    a, b = stacks()
    everything = known(network, a, b)

    together = network(a, b, everything)[0]

    alone = network(a[1:], b[1:], Surroundings(*(x[1:] for x in everything)))[0]
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_neighbouring_slices_take_part_and_far_ones_do_not(network):
    a, b = stacks(depth=20, count=1)
    everything = known(network, a, b)
    before = network(a, b, everything)[0]

    for index in (1, 19):
        changed = a.clone()
        changed[:, index] = 0
        moved = (network(changed, b, everything)[0] - before).abs()[0, 2].max()
        assert (moved > 1e-5) == (index == 1)


@torch.inference_mode()
def test_a_slice_alone_is_a_stack_of_one_repeated(network):
    a, b = stacks(depth=1, count=1)
    everything = known(network, a, b)

    alone = network(a, b, everything)[0]

    repeated = [x.expand(-1, 25, -1, -1) for x in (a, b)]
    middle = network(*repeated, everything)[0][:, 12:13]
    torch.testing.assert_close(alone, middle, atol=1e-5, rtol=1e-5)


def test_impressions_tell_texture_from_smoothness_and_count_tissue():
    stack = torch.full((1, 1, 32, 32), 0.5)
    stack[..., 16:] += 0.2 * (torch.arange(16) % 2)
    stack[..., :8, :] = 0

    impressions = Impression()(stack)

    assert impressions.form.shape == (1, 1, 4, 8, 8)
    assert impressions.tissue[0, 0, 0, 4:].min() == 1 and impressions.tissue[0, 0, 0, :2].max() == 0
    smooth, lively = impressions.activity[0, 0, :, 5, 1], impressions.activity[0, 0, :, 5, 6]
    assert lively[0] > 0.4 > 0.01 > smooth.max()
    assert impressions.usual().shape == (1, 6)
