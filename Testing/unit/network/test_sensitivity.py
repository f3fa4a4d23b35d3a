"""Derivatives of the residual by the sources, against differences."""

import torch
from torch.nn import functional as F
from WDualMineLib.network.sensitivity import sensitive
from WDualMineLib.network.statistics import joint_statistics
from WDualMineLib.network.weights import load_model


@torch.no_grad()
def test_derivatives_are_those_of_the_residual():
    model = load_model().double()
    generator = torch.Generator().manual_seed(0)
    # Smooth: at the kinks of thresholds and maxima there is no derivative to compare with.
    coarse = 0.2 + 0.6 * torch.rand(2, 1, 4, 4, generator=generator, dtype=torch.float64)
    a, b = F.interpolate(coarse, size=(32, 32), mode="bicubic").clamp(0.05, 0.95)[:, None]
    statistics = type(known := joint_statistics(a, b))(*(x.double() for x in known))
    even = torch.full_like(a, 0.5)

    maps, slopes = sensitive(model, a, b, statistics, even)

    torch.testing.assert_close(maps.residual, model(a, b, statistics, even).residual)
    direction = torch.randn(a.shape, generator=generator, dtype=torch.float64)
    step = 1e-6 * direction
    for slope, moves in ((slopes.to_a, (step, 0)), (slopes.to_b, (0, step))):
        up, down = (
            model(a + s * moves[0], b + s * moves[1], statistics, even).residual.sum()
            for s in (1, -1)
        )
        wanted = (slope.double() * direction).sum()
        torch.testing.assert_close((up - down) / 2e-6, wanted, rtol=0.02, atol=0.05)


def test_exchanging_the_sources_exchanges_the_derivatives():
    model = load_model()
    a, b = torch.rand(2, 1, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    forward = sensitive(model, a, b, joint_statistics(a, b), torch.full_like(a, 0.5))[1]
    backward = sensitive(model, b, a, joint_statistics(b, a), torch.full_like(a, 0.5))[1]

    difference = (forward.to_a - backward.to_b).abs()
    # At kinks a slope may be taken on either side, and rounding decides which.
    assert difference.median() < 1e-4
