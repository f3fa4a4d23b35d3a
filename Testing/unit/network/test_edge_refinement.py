"""Unrolled edge refinement: its derivative, its symmetry, and what it must leave alone."""

import pytest
import torch
from WDualMineLib.lab.training.losses.edges import qabf
from WDualMineLib.network import edge_refinement
from WDualMineLib.network.edge_refinement import EdgeRefinement, sobel


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def square(side=48, low=0.2, high=0.8, start=12, end=30):
    image = torch.full((1, 1, side, side), low)
    image[..., start:end, start:end] = high
    return image


def refined(part, fused, a, b, w_a=0.5, pursuit=1.0):
    keenness = torch.full((1, part.steps, *a.shape[2:]), pursuit)
    return part(fused, a, b, torch.full_like(a, w_a), keenness)


def test_sobel_is_that_of_a_ramp():
    rows = torch.arange(6.0)[None, None, :, None].expand(1, 1, 6, 7)

    across, down = sobel(rows).split(1, 1)

    assert across.shape == (1, 1, 4, 5)
    torch.testing.assert_close(across, torch.zeros_like(across))
    torch.testing.assert_close(down, torch.full_like(down, 8.0))


def test_pull_is_the_derivative_of_what_is_kept():
    source, fused = (torch.rand(1, 1, 24, 24, dtype=torch.float64) for _ in range(2))
    edges = edge_refinement._edges(source)
    gradient = edge_refinement._gradient(fused).requires_grad_()
    strength = torch.sqrt((gradient**2).sum(1, keepdim=True) + edge_refinement._FLAT**2)
    closeness = torch.minimum(strength / edges.strength, edges.strength / strength)
    cosine = (gradient * edges.direction).sum(1, keepdim=True) / strength
    kept = torch.sigmoid(15 * (closeness - 0.5)) * torch.sigmoid(24 * (cosine**2 - 0.9))

    (wanted,) = torch.autograd.grad((edges.strength * kept).sum(), gradient)

    pull = edge_refinement._pull(edges, gradient.detach())
    torch.testing.assert_close(pull, wanted, atol=1e-10, rtol=1e-8)


def test_edges_of_both_sources_gain():
    a, b = square(), square(start=20, end=40)
    average = (a + b) / 2

    better = refined(EdgeRefinement(3), average, a, b)

    assert qabf(better, a, b) > qabf(average, a, b) + 0.02


def test_exchange_changes_nothing():
    fused, a, b = torch.rand(3, 1, 1, 24, 24)
    part = EdgeRefinement(2)

    torch.testing.assert_close(
        refined(part, fused, a, b, w_a=0.8), refined(part, fused, b, a, w_a=0.2)
    )


def test_a_source_that_is_not_trusted_has_no_say():
    a, b = square(), square(start=20, end=40)
    part = EdgeRefinement(3)

    average = (a + b) / 2

    distrusted = refined(part, average, a, b, w_a=0.0)

    torch.testing.assert_close(distrusted, refined(part, average, torch.rand_like(a), b, w_a=0.0))
    assert (refined(part, average, a, b, w_a=1.0) - distrusted).abs().max() > 1 / 255


def test_without_pursuit_or_edges_nothing_moves():
    a, b = square(), square(start=20, end=40)
    flat = torch.full_like(a, 0.4)
    part = EdgeRefinement(3)

    torch.testing.assert_close(refined(part, a, a, b, pursuit=0.0), a)
    torch.testing.assert_close(refined(part, flat, flat, flat), flat)


def test_small_gains_are_not_worth_a_change():
    a, b = square(), square(start=20, end=40)
    average = (a + b) / 2
    part = EdgeRefinement(1)
    keen = (refined(part, average, a, b) != average).float().mean()
    with torch.no_grad():
        part.log_thresholds += 2

    assert (refined(part, average, a, b) != average).float().mean() < keen
