"""Unrolled edge refinement: its derivative, its symmetry, and what it must leave alone."""

import pytest
import torch
from plain_network import edge_of, kept_of
from WDualMineLib.lab.training.losses.edges import qabf
from WDualMineLib.network import edge_refinement
from WDualMineLib.network.edge_refinement import EdgeRefinement


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


def test_pull_is_the_derivative_of_what_is_kept():
    sources = torch.rand(2, 1, 24, 24, dtype=torch.float64)
    fused, share = torch.rand(2, 1, 24, 24, dtype=torch.float64)
    shares = torch.stack([share, 1 - share])
    bordered = torch.nn.functional.pad(fused, (1, 1, 1, 1), mode="replicate")
    gradient = torch.stack(edge_refinement._sobel(bordered), 1).requires_grad_()
    total = 0
    for source, of_source in zip(sources, shares, strict=True):
        direction, strength = edge_of(source[None])
        total = total + (of_source * strength * kept_of(direction, strength, gradient)).sum()

    (wanted,) = torch.autograd.grad(total, gradient)

    with torch.no_grad():
        edges = edge_refinement._edges(sources, shares)
        pull = torch.stack(edge_refinement._pull(edges, *gradient.detach().unbind(1)), 1)
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
