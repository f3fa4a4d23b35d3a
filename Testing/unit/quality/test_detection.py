from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.quality.detection import auroc


def test_agrees_with_scikit_learn_with_and_without_ties():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    positive = rng.random((20, 30)) < 0.2
    scores = rng.normal(size=positive.shape) + 0.7 * positive
    for values in (scores, np.round(scores, 1), np.round(scores)):
        expected = metrics.roc_auc_score(positive.ravel(), values.ravel())
        assert auroc(values, positive) == pytest.approx(expected, abs=1e-12)


def test_perfect_inverted_and_ignorant_maps():
    positive = np.array([0, 0, 1, 1], bool)
    assert auroc(np.array([1, 2, 3, 4]), positive) == 1
    assert auroc(np.array([4, 3, 2, 1]), positive) == 0
    assert auroc(np.zeros(4), positive) == 0.5


def test_one_kind_alone_is_undefined():
    assert np.isnan(auroc(np.arange(4), np.zeros(4, bool)))
    assert np.isnan(auroc(np.arange(4), np.ones(4, bool)))
