"""Whom a fused value follows: the chain rule against differences, and what a fusion makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from WDualMineLib.fusion.composition import ceiling_of, compose, slopes_of
from WDualMineLib.fusion.correlation import apply_floor
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.fusion.share import share_of_first
from WDualMineLib.fusion.tone import VOLUME_KNEE, bend_top, slope_of_bend
from WDualMineLib.pipeline.run import fuse

from .conftest import FusionMaps

CPU = FusionSettings(device="cpu", share=True)
STEP = 2e-3


def sources(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two smooth, unlike volumes with air around."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (10, 22, 20)), indexing="ij")
    inside = x**2 + y**2 + z**2 < 0.8
    a = inside * (0.5 + 0.3 * np.sin(4 * x) + 0.1 * rng.normal(size=x.shape))
    b = inside * (0.5 + 0.4 * np.cos(5 * y) + 0.1 * rng.normal(size=x.shape))
    return tuple(np.clip(s, 0, 1).astype(np.float32) for s in (a, b))


def residual_at(a, b):
    """A made-up network that looks at one voxel alone, strong enough for every bend."""
    return np.where((a > 0) | (b > 0), 0.9 * np.sin(3 * a) * b - 0.6 * a * (1 - b), 0)


def its_slopes(a, b):
    to_a = 2.7 * np.cos(3 * a) * b - 0.6 * (1 - b)
    to_b = 0.9 * np.sin(3 * a) + 0.6 * a
    return to_a, to_b


@pytest.mark.parametrize("ceiling", [1.0, 1.3, 1.8])
def test_the_slope_of_the_bend_is_its_derivative(ceiling) -> None:
    at = np.linspace(0.01, ceiling - 0.01, 400)
    up, down = at + 1e-6, at - 1e-6
    for values in (up, down):
        bend_top(values, ceiling, VOLUME_KNEE)
    assert (up - down) / 2e-6 == pytest.approx(slope_of_bend(at, ceiling, VOLUME_KNEE), abs=1e-5)


@pytest.mark.parametrize("strength", [0.0, 0.7, 2.0])
def test_slopes_of_the_composition_are_its_derivatives(strength) -> None:
    a, b = sources()
    residual = residual_at(a, b).astype(np.float32)
    ceiling = ceiling_of(a, b, residual, strength) + 0.1
    by_average, by_residual = slopes_of(a, b, residual, strength, ceiling)
    low = strength * residual < -0.75 * (a + b) / 2
    assert strength != 2.0 or low.any(), "the dark end has to be met"

    def composed(da, dr):
        return compose(a + da, b + da, residual + dr, strength, ceiling).astype(np.float64)

    inside = (a > 0.05) & (b > 0.05)
    for slope, move in ((by_average, (STEP, 0)), (by_residual, (0, STEP))):
        up, down = composed(*move), composed(*(-x for x in move))
        assert (up - down)[inside] / (2 * STEP) == pytest.approx(slope[inside], abs=0.02)
    assert not by_average[(a == 0) & (b == 0)].any()


@pytest.mark.parametrize(
    ("strength", "tau"), [(1.0, 0.0), (1.0, 0.95), (1.6, 0.985), (0.4, 0.995), (0.0, 0.985)]
)
def test_the_share_is_that_of_the_fused_value_at_the_voxel(strength, tau) -> None:
    """Differences of the whole of it, with all that is global held, are the reference."""
    a, b = sources()
    residual = residual_at(a, b).astype(np.float32)
    ceiling = ceiling_of(a, b, residual, strength)
    image, floor = apply_floor(
        compose(a, b, residual, strength), a, b, tau, in_head=True, knee=VOLUME_KNEE
    )
    if tau and strength:
        assert floor.kept < 1, "the floor has to have a part in it"
    share = share_of_first(a, b, residual, its_slopes(a, b), strength, floor)

    def fused(x, y):
        # The brightest values of the volume are parameters: the curve goes on above them.
        made = compose(x, y, residual_at(x, y).astype(np.float32), strength, ceiling + 1e-3)
        total = floor.kept * made.astype(np.float64) + floor.along[0] * x + floor.along[1] * y
        bend_top(total, max(1.0, peak) + 1e-3, VOLUME_KNEE)
        return total

    composed = compose(a, b, residual, strength)
    mixed = floor.kept * composed.astype(float) + floor.along[0] * a + floor.along[1] * b
    peak = mixed.max()
    inside = (a > 0.02) & (b > 0.02) & (a < 0.98) & (b < 0.98)
    to_a = np.abs(fused(a + STEP, b) - fused(a - STEP, b))
    to_b = np.abs(fused(a, b + STEP) - fused(a, b - STEP))
    wanted = to_a / (to_a + to_b)
    apart = np.abs(share - wanted)[inside]
    assert np.quantile(apart, 0.98) < 0.01 and apart.max() < 0.1
    assert np.ptp(share[inside]) > 0.1 or strength == 0
    assert image.max() <= 1


def test_the_floor_tells_what_it_added() -> None:
    """From the report alone the fused volume can be made again, up to its last tone curve."""
    a, b = sources(1)
    composed = compose(a, b, residual_at(a, b).astype(np.float32), 0.5)
    image, floor = apply_floor(composed, a, b, 0.98, in_head=True, knee=VOLUME_KNEE)
    assert 0 < floor.kept < 1
    again = floor.kept * composed + floor.along[0] * a + floor.along[1] * b
    order = np.argsort(again, axis=None)
    assert (np.diff(image.ravel()[order]) > -1e-5).all()
    unchanged = apply_floor(composed, a, b, 0.0)[1]
    assert (unchanged.kept, unchanged.along) == (1.0, (0.0, 0.0))


def test_nothing_is_followed_in_air_and_where_neither_matters() -> None:
    a, b = sources()
    residual = np.zeros_like(a)
    floor = apply_floor(compose(a, b, residual), a, b, 0.0)[1]
    # A residual that undoes what the average follows, in a corner of the head.
    undone = np.zeros_like(a)
    undone[5, 10, 10] = -0.5
    share = share_of_first(a, b, residual, (undone, undone), 1.0, floor)
    assert share.dtype == np.float32 and (share[(a == 0) & (b == 0)] == 0.5).all()
    assert (a[5, 10, 10], b[5, 10, 10]) > (0, 0) and share[5, 10, 10] == 0.5
    follows_a = share_of_first(a, b, residual, (0 * undone, undone), 1.0, floor)
    assert follows_a[5, 10, 10] == 1.0


class Pointwise(nn.Module):
    """A network without neighbourhood, of which the derivatives are known."""

    def forward(self, a, b, statistics=None, reliability=None) -> FusionMaps:
        residual = 0.4 * a * b - 0.2 * a**2
        half = torch.full_like(a, 0.5)
        return FusionMaps(residual, half, half, half)


@pytest.mark.parametrize("axis", ["axial", "three-plane"])
def test_a_fusion_maps_it_where_it_is_asked_for(axis, make_pair) -> None:
    pair = make_pair()
    result = fuse(*pair, replace(CPU, axis=axis), model=Pointwise())
    a, b = result.pair.fixed, result.pair.moving
    to_a, to_b = result.network.sensitivity
    assert to_a == pytest.approx(0.4 * b - 0.4 * a, abs=1e-6)
    assert to_b == pytest.approx(0.4 * a, abs=1e-6)
    share = result.share
    assert share.geometry == pair[0].geometry and share.array.dtype == np.float32
    assert share.name == "CT of a phantom + MR of a phantom share of CT of a phantom"
    assert share.array.min() >= 0 and share.array.max() <= 1
    assert (share.array[(a == 0) & (b == 0)] == 0.5).all()
    assert "share" in result.volumes and result.fused.attributes["share"] is True
    plain = fuse(*pair, replace(CPU, axis=axis, share=False), model=Pointwise())
    assert plain.share is None and plain.network.sensitivity is None
    assert np.array_equal(plain.fused.array, result.fused.array)


def test_exchanging_the_sources_turns_it_round(make_pair, model) -> None:
    fixed, moving = make_pair()
    one, other = (fuse(*pair, CPU, model=model) for pair in ((fixed, moving), (moving, fixed)))
    assert one.share.array == pytest.approx(1 - other.share.array, abs=1e-3)


def test_a_new_look_has_its_own_share(make_pair, model) -> None:
    pair = make_pair()
    first = fuse(*pair, CPU, model=model)
    look = first.with_look(0.3, 0.999)
    fresh = fuse(*pair, replace(CPU, strength=0.3, correlation_floor=0.999), model=model)
    assert np.array_equal(look.share.array, fresh.share.array)
    assert not np.array_equal(look.share.array, first.share.array)
    assert np.array_equal(look.with_look(1.0, 0.985).share.array, first.share.array)


def test_without_the_derivatives_a_new_look_loses_it_and_says_so(make_pair, model) -> None:
    first = fuse(*make_pair(), CPU, model=model)
    kept = replace(first, output=replace(first.network, sensitivity=None))
    same = kept.with_look(1.0, 0.985)
    assert same.share is first.share and same.settings.share
    look = kept.with_look(0.3)
    assert look.share is None and not look.settings.share
    assert look.fused.attributes["share"] is False
    (note,) = set(look.notes) - set(first.with_look(0.3).notes)
    assert "was removed" in note and "Apply again" in note
    assert note not in look.with_look(0.5).notes
