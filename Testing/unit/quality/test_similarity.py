from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.quality.similarity import ssim, ssim_pair


def test_agrees_with_scikit_image(pair, fused):
    metrics = pytest.importorskip("skimage.metrics")
    for source in pair:
        expected = metrics.structural_similarity(fused, source, data_range=255)
        assert ssim_pair(fused, source) == pytest.approx(expected, abs=1e-10)


def test_is_the_mean_over_both_sources(pair, fused):
    a, b = pair
    assert ssim(fused, a, b) == pytest.approx((ssim_pair(fused, a) + ssim_pair(fused, b)) / 2)


def test_identity_symmetry_and_loss(pair):
    a, b = pair
    assert ssim_pair(a, a) == pytest.approx(1, abs=1e-12)
    assert ssim_pair(a, b) == pytest.approx(ssim_pair(b, a), abs=1e-12)
    assert ssim_pair(a, 255 - a) < ssim_pair(a, 0.8 * a) < 1


def test_smaller_than_the_window_is_undefined():
    assert np.isnan(ssim_pair(np.zeros((6, 30)), np.zeros((6, 30))))
    assert ssim_pair(np.zeros((7, 7)), np.zeros((7, 7))) == 1
