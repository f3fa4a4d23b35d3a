from __future__ import annotations

import math

import numpy as np
import pytest
from WDualMineLib.quality.fidelity import vif, vif_pair


def gaussian(side):
    centre, sigma = (side - 1) / 2, side / 5
    weights = np.array(
        [
            [
                math.exp(-((i - centre) ** 2 + (j - centre) ** 2) / (2 * sigma**2))
                for j in range(side)
            ]
            for i in range(side)
        ]
    )
    return weights / weights.sum()


def windows(image, side):
    for h in range(image.shape[0] - side + 1):
        for w in range(image.shape[1] - side + 1):
            yield image[h : h + side, w : w + side]


def blur(image, weights):
    side = len(weights)
    values = [(weights * window).sum() for window in windows(image, side)]
    return np.reshape(values, (image.shape[0] - side + 1, image.shape[1] - side + 1))


def slow_vif(reference, distorted):
    """vifp_mscale window by window, from the papers' formulas, without a border case left out."""
    kept = total = 0.0
    for scale, side in enumerate((17, 9, 5, 3)):
        weights = gaussian(side)
        if scale:
            reference = blur(reference, weights)[::2, ::2]
            distorted = blur(distorted, weights)[::2, ::2]
        for x, y in zip(windows(reference, side), windows(distorted, side), strict=True):
            mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
            var_x = max((weights * x * x).sum() - mean_x**2, 0)
            var_y = max((weights * y * y).sum() - mean_y**2, 0)
            covariance = (weights * x * y).sum() - mean_x * mean_y
            if var_x < 1e-10:
                continue
            gain = covariance / (var_x + 1e-10)
            if var_y < 1e-10 or gain < 0:
                gain, noise = 0.0, var_y
            else:
                noise = max(var_y - gain * covariance, 1e-10)
            kept += math.log(1 + gain**2 * var_x / (noise + 2))
            total += math.log(1 + var_x / 2)
    return kept / total


def test_agrees_with_the_definition_window_by_window(pair, fused):
    a, b = pair
    assert vif(fused, a, b) == pytest.approx(slow_vif(a, fused) + slow_vif(b, fused), abs=1e-8)


def test_identity_is_one(pair):
    assert vif_pair(pair[0], pair[0]) == pytest.approx(1, abs=1e-6)


def test_noise_loses_and_contrast_gains(pair):
    a = pair[0]
    noise = np.random.default_rng(0).normal(size=a.shape)
    assert vif_pair(a, a + 20 * noise) < vif_pair(a, a + 5 * noise) < 1
    assert vif_pair(a, 0.5 * a) < 1 < vif_pair(a, 1.5 * a)


def test_an_inverted_image_carries_nothing(pair):
    assert vif_pair(pair[0], 255 - pair[0]) == pytest.approx(0, abs=1e-9)


def test_is_the_sum_over_both_sources(pair, fused):
    a, b = pair
    assert vif(fused, a, b) == pytest.approx(vif_pair(a, fused) + vif_pair(b, fused))


def test_small_images_use_the_scales_that_fit_and_undefined_is_nan(pair):
    small = pair[0][20:38, 15:33]
    assert vif_pair(small, small) == pytest.approx(1, abs=1e-6)
    assert np.isnan(vif_pair(small[:16], small[:16]))
    assert np.isnan(vif_pair(np.full((40, 40), 3.0), np.eye(40)))
