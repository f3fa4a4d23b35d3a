from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.quality.pearson import cc, cc_bound, cc_ratio, pearson, scd


def standardised(x):
    return (x - x.mean()) / x.std()


def test_cc_is_the_mean_of_two_pearson_correlations(pair, fused):
    a, b = pair
    matrix = np.corrcoef([fused.ravel(), a.ravel(), b.ravel()])
    assert cc(fused, a, b) == pytest.approx((matrix[0, 1] + matrix[0, 2]) / 2, abs=1e-12)


def test_integer_images_do_not_overflow(pair, fused):
    a, b = pair
    as_bytes = [image.astype(np.uint8) for image in (fused, a, b)]
    assert cc(*as_bytes) == pytest.approx(cc(fused, a, b), abs=1e-12)
    assert scd(*as_bytes) == pytest.approx(scd(fused, a, b), abs=1e-12)


def test_the_bound_is_reached_by_the_sum_of_standardised_sources(pair):
    a, b = pair
    best = standardised(a) + standardised(b)
    assert cc(best, a, b) == pytest.approx(cc_bound(a, b), abs=1e-12)
    assert cc_ratio(best, a, b) == pytest.approx(1, abs=1e-12)


def test_nothing_exceeds_the_bound(pair):
    a, b = pair
    rng = np.random.default_rng(0)
    for _ in range(50):
        weights = rng.normal(size=2)
        candidate = weights[0] * a + weights[1] * b + rng.normal(0, 20, a.shape)
        assert cc(candidate, a, b) <= cc_bound(a, b) + 1e-12


def test_the_ratio_is_the_correlation_with_the_sum(pair, fused):
    a, b = pair
    u = standardised(a) + standardised(b)
    assert cc_ratio(fused, a, b) == pytest.approx(
        np.corrcoef(fused.ravel(), u.ravel())[0, 1], abs=1e-12
    )


def test_scd_of_the_sum_is_two_and_of_the_average_is_less(pair, fused):
    a, b = pair
    assert scd(a + b, a, b) == pytest.approx(2, abs=1e-12)
    expected = (
        np.corrcoef((fused - b).ravel(), a.ravel())[0, 1]
        + np.corrcoef((fused - a).ravel(), b.ravel())[0, 1]
    )
    assert scd(fused, a, b) == pytest.approx(expected, abs=1e-12)


def test_undefined_is_nan(pair):
    a, b = pair
    flat = np.full_like(a, 7)
    assert np.isnan(pearson(a, flat))
    assert np.isnan(cc(flat, a, b))
    assert np.isnan(cc_ratio(a, a, 255 - a))
    assert np.isnan(scd(a, a, b))
