"""The network in few passes computes what it says: held against a plain formulation of it."""

import pytest
import torch
from plain_network import fused_plainly, sobel
from torch.nn import functional as F
from WDualMineLib.network import edge_refinement, layers
from WDualMineLib.network.content import Content
from WDualMineLib.network.model import DualMineNetwork, NetworkConfig
from WDualMineLib.network.statistics import joint_statistics
from WDualMineLib.network.weights import load_model


def head(height, width, seed, count=2):
    """Smooth tissue with some noise in air that is exactly 0; two sources that differ."""
    torch.manual_seed(seed)
    coarse = torch.rand(2 * count, 1, 6, 6)
    fine = F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    rows, columns = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)
    inside = (rows**2 + columns**2 < 0.5).float()
    return (fine * 0.9 + 0.05 * torch.rand_like(fine)).mul(inside).chunk(2)


def some_network(wavelet):
    """Weights that let every part count."""
    torch.manual_seed(5)
    config = NetworkConfig((5, 7, 9), (4, 6), 3, 2, 6, 3, wavelet)
    model = DualMineNetwork(config).requires_grad_(False).eval()
    for parameter in model.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    model.refinement.log_rates.add_(1)
    return model


def floating(statistics, kind):
    """Statistics of another precision."""
    return type(statistics)(*(x.to(kind) for x in statistics))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(96, 64), (17, 33), (64, 5), (1, 1)])
@pytest.mark.parametrize("model", ["shipped", "haar", "db2"])
def test_agrees_with_the_plain_formulation(model, size, layout):
    network = load_model() if model == "shipped" else some_network(model)
    network = network.to(memory_format=layout).double()
    a, b = (x.double() for x in head(*size, seed=sum(size)))
    statistics = joint_statistics(a.flatten()[None], b.flatten()[None])
    statistics = floating(statistics, torch.float64)
    reliability = F.interpolate(torch.rand(2, 1, 3, 3), size=size, mode="bicubic").clamp(0, 1)
    reliability = reliability.double()

    with torch.no_grad():
        wanted = fused_plainly(network, a, b, statistics, reliability)
        found = network(a, b, statistics, reliability)

    # In double precision, for weights at random make much of the last bit of a single one.
    torch.testing.assert_close(found.residual, wanted[0], atol=1e-9, rtol=0)
    torch.testing.assert_close(found.arbitration, wanted[1], atol=1e-9, rtol=0)
    if model == "shipped":
        given = (x.float() for x in (a, b)), floating(statistics, torch.float32)
        with torch.no_grad():
            single = network.float()(*given[0], given[1], reliability.float())
        torch.testing.assert_close(single.residual.double(), wanted[0], atol=1e-4, rtol=0)
        torch.testing.assert_close(single.arbitration.double(), wanted[1], atol=1e-4, rtol=0)
    if model == "shipped" and size == (96, 64):
        assert wanted[0].abs().max() > 0.05, "nothing was compared"


def test_even_trust_is_what_an_image_alone_gets():
    network = load_model()
    a, b = head(48, 40, seed=1)
    half = torch.full_like(a, 0.5)

    with torch.inference_mode():
        statistics = joint_statistics(a, b)
        torch.testing.assert_close(
            network(a, b, statistics).residual, network(a, b, statistics, half).residual
        )


def test_with_derivatives_it_computes_the_same():
    """Where gradients are wanted nothing is overwritten, and no air is left out."""
    network = load_model()
    a, b = head(48, 40, seed=2)
    statistics, half = joint_statistics(a, b), torch.full_like(a, 0.5)

    with torch.inference_mode():
        wanted = network(a, b, statistics, half).residual
    found = network(a.clone().requires_grad_(), b, statistics, half).residual

    torch.testing.assert_close(found.detach(), wanted, atol=1e-5, rtol=0)
    found.sum().backward()


def test_air_alone_adds_nothing():
    network = load_model()
    air = torch.zeros(2, 1, 40, 56)

    with torch.inference_mode():
        maps = network(air, air, joint_statistics(air, air), torch.full_like(air, 0.5))

    assert not maps.residual.any()


@pytest.mark.parametrize("place", [(0, 0), (11, 3), (15, 23)])
def test_content_holds_what_is_shown_and_puts_it_back(place):
    a, b = torch.zeros(2, 2, 1, 16, 24)
    b[1, 0, place[0], place[1]] = 0.3
    with torch.inference_mode():
        content = Content.of(a, b)

    assert torch.equal(content.put_back(content.cut(b)), b)
    height, width = content.cut(b).shape[2:]
    assert (height % 2, width % 2) == (0, 0) and height * width < 16 * 24
    assert content.cut(b[..., ::2, ::2]).shape[2:] == (height // 2, width // 2)


def test_where_derivatives_are_wanted_all_counts():
    a = torch.zeros(1, 1, 8, 6)

    assert Content.of(a, a).cut(a).shape == a.shape


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize(("side", "size"), [(3, (7, 5)), (7, (1, 2)), (3, (1, 1))])
def test_borders_by_index_are_replicated_borders(side, size, groups, layout, rectified):
    torch.manual_seed(0)
    conv = layers.EdgeConv2d(6, 6, side, groups=groups).to(memory_format=layout)
    x = torch.randn(2, 6, *size).contiguous(memory_format=layout)
    plain = F.leaky_relu(x, 0.1) if rectified else x
    plain = F.pad(plain, (side // 2,) * 4, mode="replicate")

    with torch.inference_mode():
        found = conv(x, rectified)

    torch.testing.assert_close(found, F.conv2d(plain, conv.weight, conv.bias, groups=groups))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_map_at_every_place_is_a_convolution_by_one_pixel(layout):
    conv = layers.conv1x1(5, 3).to(memory_format=layout)
    x = torch.randn(2, 5, 6, 4).contiguous(memory_format=layout)

    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, conv.bias))


@pytest.mark.parametrize("size", [(32, 48), (31, 7)])
def test_enlarging_by_products_is_bilinear(size):
    x = torch.randn(2, 3, 4, 6)
    rows, columns = slice(3, size[0] - 2), slice(1, size[1])

    torch.testing.assert_close(
        layers.enlarged(x, size, rows, columns), layers.upsample(x, size)[..., rows, columns]
    )


def test_tanh_is_that_of_the_library():
    x = torch.cat([torch.linspace(-20, 20, 999), torch.zeros(1)])

    torch.testing.assert_close(layers.tanh(x), torch.tanh(x), atol=2e-7, rtol=0)
    assert layers.tanh(x)[-1] == 0, "air must stay air"


def test_sobel_by_sums_is_sobel_by_convolution():
    x = torch.rand(2, 9, 8)

    found = torch.stack(edge_refinement._sobel(x), 1)

    torch.testing.assert_close(found, sobel(x[:, None]))


@pytest.mark.parametrize(
    ("kind", "tolerance"), [(torch.float16, 1 / 255), (torch.bfloat16, 10 / 255)]
)
def test_half_precision_agrees(kind, tolerance):
    """By autocast on the CPU: what a GPU computes in, as far as one can be had without it."""
    network = load_model().to(memory_format=torch.channels_last)
    a, b = head(96, 64, seed=4)
    known = joint_statistics(a.flatten()[None], b.flatten()[None]), torch.full_like(a, 0.5)

    with torch.inference_mode():
        wanted = network(a, b, *known)
        with torch.autocast("cpu", dtype=kind):
            found = network(a, b, *known)

    for x, y in zip(found, wanted, strict=True):
        torch.testing.assert_close(x.float(), y, atol=tolerance, rtol=0)


@pytest.mark.parametrize("known", [False, True])
def test_it_runs_where_nothing_can_be_looked_at(known):
    """As on a GPU, where asking for a value would wait for it: the meta device has none."""
    network = load_model().to("meta")
    a = torch.zeros(2, 1, 37, 50, device="meta")
    statistics = joint_statistics(a.flatten()[None], a.flatten()[None])

    with torch.inference_mode():
        maps = network(a, a, statistics, a) if known else network(a, a)

    assert {x.shape for x in maps} == {a.shape}
