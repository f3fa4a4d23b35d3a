from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.quality.information import en, mi, mutual_information


def test_mutual_information_agrees_with_scikit_learn(pair, fused):
    metrics = pytest.importorskip("sklearn.metrics")
    a, b = pair
    nats = metrics.mutual_info_score(fused.ravel(), a.ravel()) + metrics.mutual_info_score(
        fused.ravel(), b.ravel()
    )
    assert mi(fused, a, b) == pytest.approx(nats / np.log(2), abs=1e-10)


def test_entropy_agrees_with_scikit_image(pair):
    measure = pytest.importorskip("skimage.measure")
    for image in pair:
        assert en(image) == pytest.approx(measure.shannon_entropy(image, base=2), abs=1e-10)


def test_entropy_of_known_histograms():
    assert en(np.arange(256).reshape(16, 16)) == pytest.approx(8)
    assert en(np.array([[0, 255], [255, 0]])) == pytest.approx(1)
    assert en(np.full((4, 4), 9)) == 0


def test_information_about_itself_is_the_entropy_and_survives_relabelling(pair):
    a = pair[0].astype(np.uint8)
    assert mutual_information(a, a) == pytest.approx(en(a), abs=1e-12)
    assert mutual_information(255 - a, a) == pytest.approx(en(a), abs=1e-12)


def test_independent_images_share_nothing():
    rows, columns = np.mgrid[:256, :256]
    assert mutual_information(rows, columns) == pytest.approx(0, abs=1e-12)


def test_floats_are_measured_as_the_8_bit_file_they_become(pair):
    a, b = pair
    jitter = np.random.default_rng(0).uniform(-0.49, 0.49, a.shape)
    assert mutual_information(a + jitter, b) == mutual_information(a, b)
    beyond = np.where(a > 200, 900.0, a)
    assert en(beyond) == en(np.minimum(beyond, 255))
