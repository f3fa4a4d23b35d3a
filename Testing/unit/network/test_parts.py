"""Encoder, reliability, experts, arbitration, decoder and padding, each on its own."""

import pytest
import torch
from WDualMineLib.network.activity import Activity
from WDualMineLib.network.arbitration import Arbitration, gradient_magnitude
from WDualMineLib.network.content import Content
from WDualMineLib.network.decoder import Decoder, replace_untrusted
from WDualMineLib.network.encoder import Encoder
from WDualMineLib.network.frequency_expert import FrequencyExpert
from WDualMineLib.network.padding import crop, pad_to_multiple
from WDualMineLib.network.reliability import convict, reliability_of, shown, weigh
from WDualMineLib.network.spatial_expert import GlobalContext, SpatialExpert
from WDualMineLib.network.standardisation import standardised_average
from WDualMineLib.network.statistics import LEVELS, expect, joint_statistics
from WDualMineLib.network.transfer import NODES, TransferFunction
from WDualMineLib.network.wavelet import WaveletTransform

CHANNELS = (4, 6, 8)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def pyramid(side=32, batch=2):
    return [torch.randn(batch, c, side >> s, side >> s) for s, c in enumerate(CHANNELS)]


def test_encoder_gives_one_map_a_scale():
    features = Encoder(CHANNELS, "haar")(*torch.rand(2, 2, 1, 48, 64))

    assert [tuple(x.shape) for x in features] == [(4, 4, 24, 32), (4, 6, 12, 16), (4, 8, 6, 8)]


def test_encoder_treats_slices_of_a_batch_apart():
    encoder = Encoder(CHANNELS, "haar")
    a, b = torch.rand(2, 3, 1, 32, 32)

    together, alone = encoder(a, b), encoder(a[1:2], b[1:2])

    for x, y in zip(together, alone, strict=True):
        torch.testing.assert_close(x[[1, 4]], y, atol=1e-5, rtol=1e-5)


def test_encoder_sees_each_slice_beside_the_other():
    encoder = Encoder(CHANNELS, "haar")
    a, b, c = torch.rand(3, 1, 1, 32, 32)

    features = encoder(a, b)

    for x, y in zip(features, encoder(b, a), strict=True):
        torch.testing.assert_close(x, y.flip(0), atol=1e-6, rtol=1e-5)
    assert not torch.allclose(encoder(a, c)[0][0], features[0][0])


def test_reliability_of_scores_lies_in_unit_range_and_swaps():
    score_a, score_b = 8 * torch.randn(2, 4, 8, 8)
    a, b = 0.1 + torch.rand(2, 4, 8, 8)

    forward = reliability_of(score_a, score_b, a, b)

    assert forward.min() >= 0 and forward.max() <= 1
    torch.testing.assert_close(
        forward + reliability_of(score_b, score_a, b, a), torch.ones(4, 8, 8)
    )


def test_reliability_is_one_half_where_nothing_or_both_are_suspected_and_in_air():
    tissue, air = torch.full((1,), 0.4), torch.zeros(1)
    sound, faulty = torch.full((1,), -4.0), torch.full((1,), 5.0)

    for scores in ((sound, sound), (faulty, faulty)):
        torch.testing.assert_close(reliability_of(*scores, tissue, tissue), torch.full((1,), 0.5))
    assert reliability_of(faulty, sound, air, air) == 0.5
    assert reliability_of(faulty, sound, air, tissue) < 0.02


def test_reliability_is_the_probability_of_no_fault_where_one_is_likely():
    probability = torch.tensor([0.7, 0.8, 0.9, 0.95])
    tissue = torch.full((4,), 0.4)

    reliability = reliability_of(probability.logit(), torch.full((4,), -9.0), tissue, tissue)

    torch.testing.assert_close(reliability, 1 - probability, atol=0.02, rtol=0)


def test_what_is_unlikely_is_hardly_shown_but_keeps_its_order():
    suspicion = torch.linspace(0, 1, 50)

    doubt = shown(suspicion)

    assert doubt[0] == 0 and doubt[-1] == 1 and (doubt.diff() > 0).all()
    assert doubt[suspicion < 0.3].max() < 0.02


def test_activity_tells_noise_from_blur_in_dark_tissue():
    columns = torch.arange(64) % 2 * 0.04
    lively = (0.1 + columns).expand(1, 1, 64, 64)
    stem = WaveletTransform("haar")

    activity, usual = Activity()(torch.flatten(stem(lively), 1, 2) / 2)

    assert activity.shape == (1, 3, 32, 32)
    vertical, horizontal, diagonal = activity.mean((0, 2, 3))
    assert vertical > 0.2 and horizontal < 0.01 and diagonal < 0.01
    assert (activity.mean((2, 3)) - usual).abs().max() < 1e-5, "nowhere livelier than elsewhere"
    blank = torch.flatten(stem(lively.mean().expand(1, 1, 64, 64)), 1, 2) / 2
    assert Activity()(blank).activity.max() < 0.01


def test_activity_is_relative_to_the_tissue_and_not_to_air():
    bands = torch.zeros(1, 4, 32, 32)
    bands[:, 0, :, 16:] = 0.3
    bands[:, 1, :, 16:24] = 0.1

    found = Activity()(bands)
    relative = found.activity[0, 0] - found.usual[0, 0]

    assert relative[:, 19].min() > 0.2 > -0.2 > relative[:, 28].max()
    torch.testing.assert_close(relative[:, 16:].mean(), torch.tensor(0.0), atol=1e-6, rtol=0)


def test_doubt_is_no_conviction():
    weight = torch.tensor([0.0, 0.125, 0.26, 0.5, 0.74, 1.0])

    expected = torch.tensor([-1.0, -0.5, 0.0, 0.0, 0.0, 1.0])
    torch.testing.assert_close(convict(weight), expected, atol=1e-4, rtol=0)


def test_indifference_leaves_features_unchanged():
    features = [torch.randn(2, 3, 8, 8), torch.randn(2, 3, 4, 4)]

    weighted = weigh(features, torch.full((1, 1, 16, 16), 0.5))

    torch.testing.assert_close(weighted, features)


def test_features_count_by_the_mean_reliability_of_their_place():
    reliability = torch.rand(2, 1, 16, 16)
    ones = [torch.ones(4, 1, 16 // 2**s, 16 // 2**s) for s in (1, 2, 3)]

    weighted = weigh(ones, reliability)

    of_a, of_b = weighted[2][:2], weighted[2][2:]
    torch.testing.assert_close(of_a[0, 0, 0, 0], 2 * reliability[0, 0, :8, :8].mean())
    torch.testing.assert_close(of_a + of_b, torch.full_like(of_a, 2.0))


def both(a, b):
    return [torch.cat(pair) for pair in zip(a, b, strict=True)]


def test_spatial_expert_sees_the_whole_slice():
    expert = SpatialExpert(CHANNELS)
    a, b = pyramid(side=256, batch=1), pyramid(side=256, batch=1)
    for x in a:
        x.requires_grad_()

    fused, context = expert(both(a, b))
    fused[0, :, 0, 0].sum().backward()

    assert fused.shape == (1, 4, 256, 256) and context.shape == (1, 8, 64, 64)
    # The corner farthest away still has a say, through the global context.
    assert a[-1].grad[0, :, -1, -1].abs().sum() > 0


def test_spatial_expert_does_not_depend_on_order():
    expert = SpatialExpert(CHANNELS)
    a, b = pyramid(), pyramid()

    torch.testing.assert_close(expert(both(a, b))[0], expert(both(b, a))[0], atol=1e-5, rtol=1e-5)


def test_global_context_adds_one_vector_everywhere():
    part = GlobalContext(5)
    x = torch.randn(2, 5, 7, 9)

    added = part(x) - x

    torch.testing.assert_close(added, added[:, :, :1, :1].expand_as(added), atol=1e-6, rtol=0)


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
def test_frequency_expert_keeps_shape_and_order(wavelet):
    expert = FrequencyExpert(4, wavelet)
    a, b = torch.randn(2, 2, 4, 24, 32)

    fused = expert(torch.cat([a, b]))

    assert fused.shape == a.shape
    torch.testing.assert_close(fused, expert(torch.cat([b, a])), atol=1e-5, rtol=1e-5)


def test_frequency_expert_without_refinement_returns_equal_inputs():
    """The transform, the choice and the inverse alone must change nothing."""
    expert = FrequencyExpert(4, "db2")
    for part in (expert.low, expert.detail):
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)
    x = torch.randn(1, 4, 16, 16)

    torch.testing.assert_close(expert(torch.cat([x, x])), x, atol=1e-5, rtol=1e-5)


def test_arbitration_lies_in_unit_range_and_mixes_accordingly():
    part = Arbitration()
    s, w = torch.randn(2, 2, 4, 16, 16)

    z, m = part(s, w)

    assert m.shape == (2, 1, 16, 16)
    assert m.min() >= 0 and m.max() <= 1
    torch.testing.assert_close(z, m * s + (1 - m) * w)


def test_arbitration_goes_to_the_expert_with_the_edges():
    part = Arbitration()
    with torch.no_grad():
        part.log_gain.fill_(6)
    flat = torch.zeros(1, 2, 16, 16)
    ramp = torch.linspace(0, 8, 16).expand(1, 2, 16, 16)

    z_spatial, m_spatial = part(ramp, flat)
    z_frequency, m_frequency = part(flat, ramp)

    assert m_spatial.min() > 0.999 and m_frequency.max() < 0.001
    torch.testing.assert_close(z_spatial, ramp, atol=0.01, rtol=0)
    torch.testing.assert_close(z_frequency, ramp, atol=0.01, rtol=0)


def test_arbitration_of_equal_gradients_is_the_bias():
    part = Arbitration()
    x = torch.randn(1, 2, 8, 8)

    _, m = part(x, x)

    torch.testing.assert_close(m, torch.full_like(m, 0.5))


def test_gradient_magnitude_of_a_ramp():
    ramp = 3 * torch.arange(8.0).expand(1, 1, 8, 8)

    inner = gradient_magnitude(ramp)[:, :, 1:-1, 1:-1]

    torch.testing.assert_close(inner, torch.full_like(inner, 3.0), atol=1e-3, rtol=0)


def decoder():
    return Decoder(4, 8, detail=2, surroundings=2, hidden=6, pursuits=2, wavelet="haar")


def test_untrained_decoder_lies_between_maximum_and_standardised_average():
    part = decoder()
    # What starts near 0 must be 0 here: the addition, and what the statistics choose.
    torch.nn.init.zeros_(part.guide.weight)
    torch.nn.init.zeros_(part.transfer.modulation[-1].weight)
    torch.nn.init.zeros_(part.transfer.modulation[-1].bias)
    a, b = 0.1 + 0.4 * torch.rand(2, 1, 1, 16, 16)
    statistics = joint_statistics(a, b)
    even = torch.zeros_like(a)

    z, context = torch.randn(1, 4, 8, 8), torch.randn(1, 8, 2, 2)
    decoded = part(a, b, statistics, even, z, context, Content.of(a, b))

    expected = (torch.maximum(a, b) + standardised_average(a, b, statistics.deviations)) / 2
    torch.testing.assert_close((a + b) / 2 + decoded.drive, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(decoded.pursuit, torch.ones(1, 2, 16, 16))


def test_decoder_is_silent_in_air():
    part = decoder()
    torch.nn.init.normal_(part.transfer.last.bias)
    air = torch.zeros(1, 1, 16, 16)

    decoded = part(
        air,
        air,
        joint_statistics(air, air),
        air,
        torch.randn(1, 4, 8, 8),
        torch.randn(1, 8, 2, 2),
        Content.of(air, air),
    )

    assert torch.count_nonzero(decoded.drive) == 0
    assert torch.count_nonzero(decoded.pursuit) == 0


def test_an_untrusted_source_is_replaced_by_what_the_other_leads_one_to_expect():
    b = torch.rand(1, 1, 64, 64)
    a = 0.2 + 0.5 * b + 0.2 * torch.randn_like(b)
    statistics = joint_statistics(a, b)

    doubted, kept = replace_untrusted(a, b, torch.zeros_like(a), statistics)
    assert torch.equal(doubted, a) and torch.equal(kept, b)
    replaced, kept = replace_untrusted(a, b, -torch.ones_like(a), statistics)
    off = replaced - (0.2 + 0.5 * b)
    assert off.abs().max() < 0.4 and off.std() < 0.1 < 0.18 < (a - 0.2 - 0.5 * b).std()
    assert torch.equal(kept, b)

    swapped = replace_untrusted(b, a, torch.ones_like(a), joint_statistics(b, a))
    torch.testing.assert_close(swapped, (kept, replaced))


def test_a_slight_fault_takes_away_no_more_than_there_is():
    b = torch.rand(1, 1, 64, 64)
    a = 0.3 + 0.2 * b + 0.03 * torch.sin(torch.arange(64.0)) + 0.01 * torch.randn_like(b)

    replaced, _ = replace_untrusted(a, b, -torch.ones_like(a), joint_statistics(a, b))

    assert (replaced - a).abs().mean() < 0.005


def test_a_gross_error_is_cut_down_to_what_its_volume_deviates():
    b = torch.rand(1, 1, 64, 64)
    a = 0.2 + 0.5 * b
    a[..., 20:40, 20:40] = 0
    statistics = joint_statistics(a, b)

    replaced, _ = replace_untrusted(a, b, -torch.ones_like(a), statistics)

    off = (replaced - (0.2 + 0.5 * b)).abs()[..., 22:38, 22:38]
    assert off.max() < statistics.deviations[0, 0] / 2 + 0.18
    assert off.mean() < 0.35 * (0.2 + 0.5 * b)[..., 22:38, 22:38].mean()


def test_decoder_adds_nothing_where_the_features_are_faint():
    part = decoder()
    torch.nn.init.normal_(part.guide.weight, std=1e-3)
    a, b = 0.1 + 0.4 * torch.rand(2, 1, 1, 16, 16)
    even, context = torch.zeros_like(a), torch.zeros(1, 8, 2, 2)

    def drive(strength):
        z = strength * torch.ones(1, 4, 8, 8)
        return part(a, b, joint_statistics(a, b), even, z, context, Content.of(a, b)).drive

    assert torch.equal(drive(0.0), drive(0.1))
    assert not torch.equal(drive(0.0), drive(1e3))


def test_transfer_function_is_pointwise_and_chosen_by_the_statistics():
    part = TransferFunction(hidden=6, gains=2)
    torch.nn.init.normal_(part.last.weight)
    a, b = torch.rand(2, 1, 1, 4, 4)
    statistics, others = (joint_statistics(*torch.rand(2, 1, 9, 9) ** n) for n in (1, 3))

    values, gains = part(a, b, statistics)

    torch.testing.assert_close(part(a.flip(3), b.flip(3), statistics)[0], values.flip(3))
    assert gains.shape == (1, 2, 1, 1)
    assert not torch.allclose(part(a, b, others)[0], values)


def test_transfer_function_is_symmetric_and_lies_between_its_nodes():
    part = TransferFunction(hidden=6, gains=2)
    torch.nn.init.normal_(part.last.weight)
    a, b = torch.rand(2, 1, 1, 40, 40)
    statistics = joint_statistics(a, b * 0.3)
    swapped = joint_statistics(b * 0.3, a)

    values = part(a, b, statistics)[0]

    torch.testing.assert_close(part(b, a, swapped)[0], values, atol=1e-6, rtol=0)
    nodes = torch.linspace(0, 1, NODES)
    low, high = nodes[20].view(1, 1, 1, 1), nodes[21].view(1, 1, 1, 1)
    third = torch.full((1, 1, 1, 1), 0.7)
    ends = [part(x, third, statistics)[0] for x in (low, high)]
    torch.testing.assert_close(part((low + high) / 2, third, statistics)[0], sum(ends) / 2)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 9), (16, 16), (31, 33), (64, 8)])
def test_padding_fits_and_is_undone(size):
    x = torch.rand(2, 1, *size)

    padded = pad_to_multiple(x, 8, 16)

    assert all(n % 8 == 0 and n >= 16 for n in padded.shape[2:])
    torch.testing.assert_close(crop(padded, size), x)


def test_padding_reflects():
    x = torch.arange(15.0).reshape(1, 1, 1, 15).expand(1, 1, 16, 15)

    assert pad_to_multiple(x, 8, 16)[0, 0, 0, -1] == 13


def test_standardised_average_correlates_best():
    a = torch.rand(1, 1, 16, 16)
    b = 0.2 * torch.rand(1, 1, 16, 16)
    deviations = joint_statistics(a, b).deviations
    average = standardised_average(a, b, deviations)

    def cc(x):
        return sum(torch.corrcoef(torch.stack([x.flatten(), y.flatten()]))[0, 1] for y in (a, b))

    assert cc(average) > cc((a + b) / 2)
    bound = (2 + 2 * torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]).sqrt()
    torch.testing.assert_close(cc(average), bound)
    torch.testing.assert_close(standardised_average(b, a, deviations.flip(1)), average)


def test_standardised_average_of_a_constant_source_is_finite():
    a = torch.rand(1, 1, 8, 8)
    blank = torch.zeros_like(a)

    average = standardised_average(a, blank, joint_statistics(a, blank).deviations)

    assert torch.isfinite(average).all()


def test_exchanging_the_sources_exchanges_deviations_and_expectations_alone():
    a, b = torch.rand(2, 3, 1, 20, 20)

    forward, backward = joint_statistics(a, b), joint_statistics(b, a)

    torch.testing.assert_close(forward.histogram, backward.histogram)
    torch.testing.assert_close(forward.moments, backward.moments)
    torch.testing.assert_close(forward.deviations, backward.deviations.flip(1))
    torch.testing.assert_close(forward.expected, backward.expected.flip(1))
    torch.testing.assert_close(forward.deviations[:, 0], a.flatten(1).std(1, correction=0))


def test_expectation_is_the_mean_at_each_level_and_the_mean_of_all_where_there_is_none():
    b = torch.linspace(0.5, 1, 4096).view(1, 1, 64, 64)
    a = 1 - 0.5 * b

    statistics = joint_statistics(a, b)

    assert statistics.expected.shape == (1, 2, LEVELS)
    of_a, of_b = statistics.expected.unbind(1)
    # A level is 1/31 wide, and the mean of the outermost one lies within it.
    torch.testing.assert_close(expect(b, of_a), a, atol=0.03, rtol=0)
    torch.testing.assert_close(expect(a, of_b), b, atol=0.06, rtol=0)
    unseen = expect(torch.full_like(b, 0.1), of_a)
    torch.testing.assert_close(unseen, torch.full_like(b, a.mean()), atol=1e-4, rtol=0)


def test_statistics_do_not_count_air():
    a, b = torch.rand(2, 1, 1, 20, 20)
    wider = [torch.nn.functional.pad(x, (20, 20)) for x in (a, b)]

    near, far = joint_statistics(a, b), joint_statistics(*wider)

    torch.testing.assert_close(near.histogram, far.histogram)
    torch.testing.assert_close(near.moments[:, :2], far.moments[:, :2])


def test_statistics_of_a_volume_are_those_of_its_slices_together():
    a, b = torch.rand(2, 4, 1, 8, 8)

    whole = joint_statistics(a.reshape(1, -1), b.reshape(1, -1))

    assert [len(x) for x in whole] == [1, 1, 1, 1]
    torch.testing.assert_close(whole.deviations[0, 1], b.std(correction=0))


def test_statistics_of_blank_slices_are_finite():
    blank = torch.zeros(2, 1, 8, 8)

    for x in joint_statistics(blank, blank):
        assert torch.isfinite(x).all()
