"""The floor's promise, checked with an independent correlation on what a file gives back."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from WDualMineLib.fusion.correlation import (
    apply_floor,
    correlation,
    correlation_bound,
    quantise,
)
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

TOLERANCE = 1e-9
IDENTITY = (1.0, 0, 0, 0, 1, 0, 0, 0, 1)


def independent(fused, a, b):
    """(CC, bound) by numpy's corrcoef in float64."""
    r = np.corrcoef([np.asarray(x, np.float64).ravel() for x in (fused, a, b)])
    return (r[0, 1] + r[0, 2]) / 2, math.sqrt((1 + r[1, 2]) / 2)


def sources(rng, shape):
    """Two random volumes in [0, 1] with air, of random likeness, contrast and brightness."""
    head = rng.random(shape) < rng.uniform(0.2, 1.0)
    a = rng.random(shape) ** rng.uniform(0.3, 4)
    like = rng.uniform(-0.7, 1)
    b = np.clip(like * a + (1 - abs(like)) * rng.random(shape) - min(like, 0), 0, 1)
    b *= rng.uniform(0.05, 1)
    return ((x * head).astype(np.float32) for x in (a, b))


def fusions(rng, a, b):
    """Images that correlate with the sources anywhere from perfectly to not at all."""
    noise = rng.random(a.shape, dtype=np.float32)
    spike = np.zeros_like(a)
    spike.flat[rng.integers(a.size)] = 1
    return {
        "average": (a + b) / 2,
        "maximum": np.maximum(a, b),
        "one source": a,
        "difference": np.abs(a - b),
        "negative": (1 - (a + b) / 2) * ((a > 0) | (b > 0)),
        "negative everywhere": 1 - (a + b) / 2,
        "noise": noise,
        "noise in the head": noise * (a + b > 0),
        "saturated": np.clip(5 * a, 0, 1),
        "out of range": 3 * noise - 1,
        "nothing": np.zeros_like(a),
        "constant": np.full_like(a, 0.4),
        "spike": spike,
    }


def cases():
    rng = np.random.default_rng(1)
    for number in range(12):
        shape = tuple(rng.integers(4, 24, 3))
        a, b = sources(rng, shape)
        for name, fused in fusions(rng, a, b).items():
            tau = float(rng.choice([0.3, 0.9, 0.985, 0.997, 0.9999]))
            yield pytest.param(fused, a, b, tau, id=f"{number}-{name}-{tau}")


@pytest.mark.parametrize(("fused", "a", "b", "tau"), list(cases()))
def test_the_floor_holds_for_every_volume(fused, a, b, tau, tmp_path):
    result, report = apply_floor(fused, a, b, tau)
    np.save(tmp_path / "fused.npy", result)
    written = np.load(tmp_path / "fused.npy")
    cc, bound = independent(written, a, b)
    assert cc >= tau * bound - TOLERANCE
    assert report.met
    assert report.cc == pytest.approx(cc, abs=1e-9)
    assert report.bound == pytest.approx(bound, abs=1e-9)
    assert written.dtype == np.float32
    assert written.min() >= 0 and written.max() <= 1


@pytest.mark.parametrize(("fused", "a", "b", "tau"), list(cases())[::3])
def test_the_floor_holds_for_eight_bits(fused, a, b, tau):
    if tau > 0.998:
        tau = 0.998  # beyond, 8 bits are too few for the darkest of these sources
    result, report = apply_floor(fused, a, b, tau, levels=255)
    cc, bound = independent(quantise(result, 255), a, b)
    assert report.met
    assert cc >= tau * bound - TOLERANCE


def test_the_floor_holds_for_a_volume_and_an_image_read_back(tmp_path):
    rng = np.random.default_rng(2)
    a, b = sources(rng, (9, 20, 31))
    fused = rng.random(a.shape, dtype=np.float32)
    result, _ = apply_floor(fused, a, b, 0.985)
    grid = Geometry((31, 20, 9), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), IDENTITY)
    path = write_volume(Volume(result, grid), tmp_path / "fused.nrrd")
    cc, bound = independent(read_volume(path).array, a, b)
    assert cc >= 0.985 * bound - TOLERANCE

    result, _ = apply_floor(fused[0], a[0], b[0], 0.985, levels=255)
    Image.fromarray(quantise(result, 255)).save(tmp_path / "fused.png")
    cc, bound = independent(np.asarray(Image.open(tmp_path / "fused.png")), a[0], b[0])
    assert cc >= 0.985 * bound - TOLERANCE


def test_the_floor_holds_for_any_storage():
    rng = np.random.default_rng(3)
    a, b = sources(rng, (40, 40))
    coarse = lambda image: np.floor(image * 20) / 20  # noqa: E731
    result, report = apply_floor(rng.random(a.shape), a, b, 0.98, readback=coarse)
    cc, bound = independent(coarse(result), a, b)
    assert report.met
    assert cc >= 0.98 * bound - TOLERANCE


def test_what_meets_the_floor_is_not_touched():
    a, b = sources(np.random.default_rng(4), (8, 30, 30))
    average = ((a + b) / 2).astype(np.float32)
    kept = average.copy()
    cc, bound = independent(average, a, b)
    result, report = apply_floor(average, a, b, cc / bound - 1e-6)
    assert result is average
    assert np.array_equal(average, kept)
    assert report.kept == 1
    assert report.cc == report.cc_before


def test_the_floor_is_idempotent():
    rng = np.random.default_rng(5)
    a, b = sources(rng, (8, 30, 30))
    once, _ = apply_floor(rng.random(a.shape, dtype=np.float32), a, b, 0.985)
    twice, _ = apply_floor(once, a, b, 0.985)
    assert twice is once


def test_no_more_is_changed_than_has_to_be():
    a, b = sources(np.random.default_rng(6), (8, 30, 30))
    fused = np.maximum(a, b)
    result, report = apply_floor(fused, a, b, 0.99)
    assert 0 < report.kept < 1
    # A little less of the way towards U is not enough.
    nearer = result + 1e-3 * (fused - result)
    cc, bound = independent(nearer, a, b)
    assert cc < 0.99 * bound
    cc, _ = independent(result, a, b)
    assert cc == pytest.approx(0.99 * bound, abs=1e-7)


@pytest.mark.parametrize("levels", [None, 255])
@pytest.mark.parametrize("knee", [0.25, 0.95])
def test_where_bright_voxels_are_bent_the_floor_is_still_met_closely(levels, knee):
    rng = np.random.default_rng(19)
    a = np.clip(rng.normal(0.5, 0.25, (10, 30, 30)), 0, 1).astype(np.float32)
    b = (rng.random(a.shape) ** 6).astype(np.float32)
    fused = np.clip(1.4 * np.maximum(a, b), 0, 1)
    for tau in (0.97, 0.985, 0.99):
        result, report = apply_floor(fused, a, b, tau, levels=levels, knee=knee)
        assert (result == 1).mean() < 0.001 < (fused == 1).mean()
        assert report.kept > 0
        assert tau - TOLERANCE <= report.cc_over_bound < tau + 1e-4


def test_hot_voxels_keep_their_order_where_the_blend_passes_white():
    rng = np.random.default_rng(21)
    a = np.clip(rng.normal(0.4, 0.15, (12, 30, 30)), 0, 1).astype(np.float32)
    b = 0.1 * rng.random(a.shape, dtype=np.float32)
    b[5:7, 10:20, 10:20] = rng.uniform(0.6, 1, (2, 10, 10))
    hot = b > 0.5
    fused = np.maximum(a, b)
    result, report = apply_floor(fused, a, b, 0.99, knee=0.25)
    assert report.kept < 1 and report.met
    assert (result[hot] == 1).sum() <= 1
    assert np.corrcoef(result[hot], b[hot])[0, 1] > 0.8


def in_air(rng, shape=(10, 24, 24)):
    """Sources with much air, of which the correlation lives, and another contrast in the head."""
    head = np.zeros(shape, bool)
    head[2:8, 6:18, 6:18] = True
    a, b = head * (0.5 + 0.1 * rng.random((2, *shape)))
    b *= np.where(rng.random(shape) < 0.5, 0.6, 1)
    return head, a.astype(np.float32), b.astype(np.float32)


@pytest.mark.parametrize("levels", [None, 255])
def test_the_floor_holds_in_the_head_as_well_where_it_is_asked_for(levels):
    rng = np.random.default_rng(22)
    head, a, b = in_air(rng)
    fused = (0.7 * rng.random(a.shape) ** 0.1 * head).astype(np.float32)

    over_the_whole, report = apply_floor(fused, a, b, 0.985, levels=levels)
    assert report.met and not report.met_in_head
    cc, bound = independent(over_the_whole[head], a[head], b[head])
    assert cc < 0.9 * bound

    result, report = apply_floor(fused, a, b, 0.985, levels=levels, in_head=True)
    assert report.met and report.met_in_head and not report.reason
    stored = result if levels is None else quantise(result, levels)
    for inside in (head, np.ones_like(head)):
        cc, bound = independent(stored[inside], a[inside], b[inside])
        assert cc >= 0.985 * bound - TOLERANCE
    assert report.cc_over_bound_in_head < 0.985 + (1e-4 if levels is None else 5e-4)
    assert not result[~head].any()


def test_another_contrast_in_the_head_gets_a_common_direction():
    rng = np.random.default_rng(23)
    head, a, b = in_air(rng)
    # As bright as the other over the volume; within the head it hardly varies.
    b = np.where(head, 0.9 + 0.02 * rng.random(a.shape), 0).astype(np.float32)
    fused = (rng.random(a.shape) * head).astype(np.float32)
    result, report = apply_floor(fused, a, b, 0.97, in_head=True)
    assert report.met
    for inside, met in ((np.ones_like(head), report.met), (head, report.met_in_head)):
        cc, bound = independent(result[inside], a[inside], b[inside])
        assert met == (cc >= 0.97 * bound - TOLERANCE)
    assert report.met_in_head or "in the head" in report.reason


def test_the_floor_in_the_head_does_not_depend_on_the_order_of_the_sources():
    rng = np.random.default_rng(24)
    head, a, b = in_air(rng)
    fused = (0.7 * rng.random(a.shape) ** 0.1 * head).astype(np.float32)
    one, _ = apply_floor(fused, a, b, 0.985, in_head=True)
    other, _ = apply_floor(fused, b, a, 0.985, in_head=True)
    assert np.abs(one - other).max() < 1e-5


def test_air_stays_air():
    rng = np.random.default_rng(7)
    a, b = sources(rng, (10, 20, 20))
    air = (a == 0) & (b == 0)
    assert air.any()
    fused = rng.random(a.shape, dtype=np.float32) * ~air
    for levels in (None, 255):
        result, report = apply_floor(fused, a, b, 0.99, levels=levels)
        assert report.kept < 1
        assert not result[air].any()
        assert not quantise(result, 255)[air].any()


def test_a_higher_floor_keeps_less_and_correlates_more():
    rng = np.random.default_rng(8)
    a, b = sources(rng, (10, 20, 20))
    fused = rng.random(a.shape, dtype=np.float32)
    taus = [0, 0.2, 0.5, 0.7, 0.9, 0.97, 0.985, 0.99, 0.999]
    reports = [apply_floor(fused, a, b, tau)[1] for tau in taus]
    kept = [r.kept for r in reports]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] == 1
    assert kept[-1] < 0.1
    cc = [r.cc for r in reports]
    assert cc == sorted(cc)


def test_inside_a_mask_only():
    rng = np.random.default_rng(9)
    a, b = sources(rng, (10, 20, 20))
    mask = rng.random(a.shape) < 0.5
    fused = rng.random(a.shape, dtype=np.float32)
    result, report = apply_floor(fused, a, b, 0.985, mask=mask)
    assert np.array_equal(result[~mask], fused[~mask])
    cc, bound = independent(result[mask], a[mask], b[mask])
    assert cc >= 0.985 * bound - TOLERANCE
    assert report.cc == pytest.approx(cc, abs=1e-9)
    assert correlation(result, a, b, mask) == pytest.approx(cc, abs=1e-9)
    assert correlation_bound(a, b, mask) == pytest.approx(bound, abs=1e-9)


def test_the_share_inside_the_head_is_measured_there():
    rng = np.random.default_rng(10)
    a, b = sources(rng, (10, 20, 20))
    fused = rng.random(a.shape, dtype=np.float32)  # not even black in the air
    head = (a > 0) | (b > 0)
    result, report = apply_floor(fused, a, b, 0.95)
    cc, bound = independent(result[head], a[head], b[head])
    assert report.cc_over_bound_in_head == pytest.approx(cc / bound, abs=1e-9)
    assert report.cc_over_bound_in_head != pytest.approx(report.cc_over_bound, abs=1e-3)


@pytest.mark.parametrize("constant", [0.0, 0.1, 0.3])
def test_a_constant_source_takes_no_part(constant):
    rng = np.random.default_rng(11)
    a = np.full((6, 11, 13), constant, np.float32)
    b = rng.random(a.shape, dtype=np.float32)
    fused = rng.random(a.shape, dtype=np.float32)
    for first, second in ((a, b), (b, a)):
        assert correlation_bound(first, second) == 1
        result, report = apply_floor(fused, first, second, 0.9)
        assert report.met
        assert np.corrcoef(result.ravel(), b.ravel())[0, 1] >= 0.9 - TOLERANCE
        assert correlation(b, first, second) == pytest.approx(1)


def test_without_any_contrast_nothing_is_done():
    fused = np.random.default_rng(12).random((5, 6, 7), dtype=np.float32)
    nothing, grey = np.zeros_like(fused), np.full_like(fused, 0.5)
    for a, b in ((nothing, nothing), (nothing, grey), (grey, grey)):
        result, report = apply_floor(fused, a, b, 0.985)
        assert result is fused
        assert report.met
        assert "constant" in report.reason
        assert math.isnan(correlation_bound(a, b))


def test_opposite_sources_leave_nothing_to_correlate_with():
    rng = np.random.default_rng(13)
    # Multiples of 1/256, so that b is the exact negative of a.
    a = rng.integers(0, 256, (5, 20, 20)).astype(np.float32) / 256
    b = 1 - a
    fused = rng.random(a.shape, dtype=np.float32)
    result, report = apply_floor(fused, a, b, 0.985)
    assert result is fused
    assert report.bound < 1e-5
    assert "negative" in report.reason
    assert report.met


@pytest.mark.parametrize("likeness", [1e-1, 1e-2, 1e-3])
def test_nearly_opposite_sources_still_get_their_floor(likeness):
    rng = np.random.default_rng(14)
    a, other = rng.random((2, 12, 20, 20), dtype=np.float32)
    b = ((1 - a) * (1 - likeness) + likeness * other).astype(np.float32)
    fused = np.maximum(a, b)
    result, report = apply_floor(fused, a, b, 0.985)
    cc, bound = independent(result, a, b)
    assert bound < 0.1
    assert report.met
    assert cc >= 0.985 * bound - TOLERANCE


def test_storage_too_coarse_is_said():
    rng = np.random.default_rng(15)
    a, b = rng.random((2, 8, 16, 16), dtype=np.float32)
    result, report = apply_floor(rng.random(a.shape), a, b, 0.999, levels=1)
    assert not report.met
    assert "coarse" in report.reason
    assert result.shape == a.shape


def test_sources_too_dark_for_eight_bits_are_brightened():
    rng = np.random.default_rng(20)
    a, b = sources(rng, (10, 20, 20))
    result, report = apply_floor(0.01 * rng.random(a.shape), 0.01 * a, 0.01 * b, 0.99, levels=255)
    assert report.met
    cc, bound = independent(quantise(result, 255), 0.01 * a, 0.01 * b)
    assert cc >= 0.99 * bound - TOLERANCE


def test_a_dim_volume_is_as_bright_as_it_was():
    a, b = sources(np.random.default_rng(16), (10, 20, 20))
    fused = np.maximum(a, b) * (np.indices(a.shape).sum(0) % 2)
    result, report = apply_floor(fused, a, b, 0.985)
    assert report.kept < 0.5
    assert result.mean() > 0.5 * fused.mean()


@pytest.mark.parametrize("tau", [-0.1, 1.0, 1.5, math.nan])
def test_an_impossible_floor_is_refused(tau):
    a = np.eye(4, dtype=np.float32)
    with pytest.raises(ValueError, match="floor"):
        apply_floor(a, a, a, tau)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="sizes differ"):
        apply_floor(np.eye(4), np.eye(4), np.eye(5), 0.9)


def test_moments_do_not_lose_digits_on_a_high_ground():
    rng = np.random.default_rng(17)
    a, b = (0.9 + 1e-4 * rng.random((2, 20, 30, 30))).astype(np.float32)
    fused = (0.5 + 1e-4 * rng.random(a.shape)).astype(np.float32)
    cc, bound = independent(fused, a, b)
    assert correlation(fused, a, b) == pytest.approx(cc, abs=1e-9)
    assert correlation_bound(a, b) == pytest.approx(bound, abs=1e-9)


def test_no_copies_of_the_volumes_are_made():
    rng = np.random.default_rng(18)
    a, b, fused = rng.random((3, 160, 160, 160), dtype=np.float32)
    tracemalloc.start()
    try:
        _, report = apply_floor(fused, a, b, 0.985)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.kept < 1
    # The result itself, and a few pieces of half a MiB a thread, of which there are at most 16.
    assert peak < fused.nbytes + 16 * 10 * 2**19
