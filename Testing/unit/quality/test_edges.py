from __future__ import annotations

import math

import numpy as np
import pytest
from WDualMineLib.quality.edges import qabf, qabf_terms

BEST = 0.9994 * 0.9879 / (1 + math.exp(-4.4))


def gradient(image, h, w):
    """Sobel at one pixel from the definition: zeros outside, angle by ``atan``."""

    def at(dh, dw):
        inside = 0 <= h + dh < image.shape[0] and 0 <= w + dw < image.shape[1]
        return image[h + dh, w + dw] if inside else 0.0

    left = at(-1, -1) + 2 * at(0, -1) + at(1, -1)
    right = at(-1, 1) + 2 * at(0, 1) + at(1, 1)
    above = at(-1, -1) + 2 * at(-1, 0) + at(-1, 1)
    below = at(1, -1) + 2 * at(1, 0) + at(1, 1)
    across, down = left - right, below - above
    angle = math.atan(down / across) if across else math.pi / 2
    return math.sqrt(across**2 + down**2), angle


def slow_qabf(fused, a, b):
    total = weight = 0.0
    for h in range(fused.shape[0]):
        for w in range(fused.shape[1]):
            strength_f, angle_f = gradient(fused, h, w)
            for source in (a, b):
                strength, angle = gradient(source, h, w)
                if strength == strength_f:
                    ratio = strength
                else:
                    ratio = min(strength, strength_f) / max(strength, strength_f)
                alignment = 1 - abs(angle - angle_f) / (math.pi / 2)
                q_strength = 0.9994 / (1 + math.exp(-15 * (ratio - 0.5)))
                q_angle = 0.9879 / (1 + math.exp(-22 * (alignment - 0.8)))
                total += q_strength * q_angle * strength
                weight += strength
    return total / weight


def test_agrees_with_the_definition_pixel_by_pixel(pair, fused):
    a, b = pair
    for candidate in (fused, np.maximum(a, b)):
        assert qabf(candidate, a, b) == pytest.approx(slow_qabf(candidate, a, b), abs=1e-10)


def test_golden_figure_of_a_step_edge_of_half_the_height():
    source = np.zeros((9, 12))
    source[:, 6:] = 200
    # The border counts as an edge to zero, so every gradient of the half-height copy is half.
    expected = 0.9994 / 2 * 0.9879 / (1 + math.exp(-4.4))
    assert qabf(source / 2, source, source) == pytest.approx(expected, abs=1e-9)


def test_keeping_every_edge_of_both_is_best(pair):
    a, b = pair
    assert qabf(a, a, a) == pytest.approx(BEST, abs=1e-4)
    assert qabf(a, a, b) < BEST


def test_the_stronger_edges_kept_beat_the_average_and_blur(pair):
    a, b = pair
    average = (a + b) / 2
    blurred = (average + np.roll(average, 1, 0) + np.roll(average, 2, 1)) / 3
    assert qabf(np.maximum(a, b), a, b) > qabf(average, a, b) > qabf(blurred, a, b)


def test_the_order_of_the_sources_does_not_matter(pair, fused):
    a, b = pair
    assert qabf(fused, a, b) == pytest.approx(qabf(fused, b, a), abs=1e-12)


def test_terms_add_up_over_slices(pair, fused):
    a, b = pair
    kept, weight = qabf_terms(fused, a, b)
    assert qabf(fused, a, b) == pytest.approx(kept / weight)
    assert qabf_terms(np.zeros((5, 5)), np.zeros((5, 5)), np.zeros((5, 5)))[1] == 0


def test_no_edges_anywhere_is_undefined():
    zeros = np.zeros((8, 8))
    assert np.isnan(qabf(zeros, zeros, zeros))
