"""The whole network: shapes, ranges, symmetry, cost, and gradients that reach everything."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from WDualMineLib.network.model import DualMineNetwork, NetworkConfig
from WDualMineLib.network.statistics import joint_statistics
from WDualMineLib.network.weights import default_path, load_model

ROUNDED = {"atol": 4e-3, "rtol": 0}
"""A grey level: conviction and each step of the refinement magnify errors of rounding."""


@pytest.fixture(params=["untrained", "shipped"])
def model(request):
    """Both: symmetry must hold by construction, and with weights that exercise every path."""
    if request.param == "shipped":
        return load_model()
    torch.manual_seed(0)
    network = DualMineNetwork().eval()
    # The decoder starts silent; give it a voice, or the tests would see the maximum only.
    torch.nn.init.normal_(network.decoder.transfer.last.weight, std=0.3)
    return network


def slices(*size, seed=0):
    return torch.rand(2, 2, 1, *size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 33), (63, 130), (64, 64)])
@torch.inference_mode()
def test_maps_have_the_slices_size_and_their_ranges(model, size):
    maps = model(*slices(*size))

    for x in maps:
        assert x.shape == (2, 1, *size)
        assert torch.isfinite(x).all()
    assert maps.residual.abs().max() <= model.config.alpha
    for x in maps[1:]:
        assert x.min() >= 0 and x.max() <= 1
    total = maps.reliability_a + maps.reliability_b
    torch.testing.assert_close(total, torch.ones_like(total), atol=1e-6, rtol=0)


@torch.inference_mode()
def test_exchanging_the_inputs_exchanges_the_reliabilities_alone(model):
    a, b = slices(45, 70)

    forward, backward = model(a, b), model(b, a)

    torch.testing.assert_close(forward.residual, backward.residual, **ROUNDED)
    close = {"atol": 1e-5, "rtol": 0}
    torch.testing.assert_close(forward.arbitration, backward.arbitration, **close)
    torch.testing.assert_close(forward.reliability_a, backward.reliability_b, **close)


@torch.inference_mode()
def test_air_stays_air(model):
    a, b = slices(64, 64)
    a[..., :20], b[..., :20] = 0, 0

    residual = model(a, b).residual

    assert torch.count_nonzero(residual[..., :20]) == 0
    assert torch.count_nonzero(residual[..., 20:]) > 0


@torch.inference_mode()
def test_a_slice_does_not_depend_on_its_batch(model):
    a, b = slices(48, 48)

    together, alone = model(a, b), model(a[:1], b[:1])

    torch.testing.assert_close(together.residual[:1], alone.residual, **ROUNDED)
    for x, y in zip(together[1:], alone[1:], strict=True):
        torch.testing.assert_close(x[:1], y, atol=1e-5, rtol=0)


@pytest.mark.parametrize("wavelet", ["db2", "sym4"])
@torch.inference_mode()
def test_other_wavelets_work_at_any_size(wavelet):
    network = DualMineNetwork(NetworkConfig(wavelet=wavelet)).eval()

    assert network(*slices(5, 37)).residual.shape == (2, 1, 5, 37)


@torch.inference_mode()
def test_slices_of_a_volume_share_its_statistics(model):
    a, b = slices(48, 48)
    statistics = joint_statistics(a.reshape(1, -1), b.reshape(1, -1))

    together = model(a, b, statistics).residual

    alone = model(a[:1], b[:1], statistics).residual
    torch.testing.assert_close(alone, together[:1], **ROUNDED)
    assert not torch.allclose(model(a, b).residual, together)


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    network = DualMineNetwork()
    # What starts silent (and, by shrinking, would stay silent) is given a voice.
    silent = [network.decoder.transfer.last, network.decoder.guide]
    silent += [layer for _, layer in network.evidence.scores]
    for parameter in (layer.weight for layer in silent):
        torch.nn.init.normal_(parameter, std=0.3)
    maps = network(*slices(64, 64))

    sum((x * torch.randn_like(x)).sum() for x in maps).backward()

    silent = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert silent == []


def test_cost_of_a_slice_pair():
    network = DualMineNetwork()
    with FlopCounterMode(display=False) as counter:
        network(*torch.rand(2, 1, 1, 256, 256))

    assert counter.get_total_flops() <= 1.3e9


def test_weights_are_small():
    assert default_path().stat().st_size < 1_000_000
