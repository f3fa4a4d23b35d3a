"""What the fused volume loses: white tumours, their order, and the floor inside the body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata
from WDualMineLib.lab.truth.look import measure_look


def test_a_copy_of_the_moving_source_loses_nothing_of_it(case) -> None:
    look = measure_look(case, case.sources[1])
    assert look.clipped == look.clipped_source == 0
    assert look.order == look.order_source == pytest.approx(1)


def test_clipping_is_seen_where_it_is_hot(case) -> None:
    level = np.median(case.sources[1][case.lesion])
    fused = np.where(case.sources[1] >= level, 1, case.sources[1]).astype(np.float32)
    assert measure_look(case, fused).clipped == 1
    # Elsewhere it does not count.
    fused = np.where(case.lesion, case.sources[1], 1).astype(np.float32)
    assert measure_look(case, fused).clipped == 0


def test_order_is_the_correlation_of_ranks(case) -> None:
    fused = (case.sources[0] + case.sources[1]) / 2
    ranks = [rankdata(x[case.lesion]) for x in (fused, case.uptake)]
    assert measure_look(case, fused).order == pytest.approx(np.corrcoef(*ranks)[0, 1])


def test_the_best_that_can_be_reaches_the_bound(case) -> None:
    a, b = case.sources
    best = a / a[case.tissue].std() + b / b[case.tissue].std()
    look = measure_look(case, (best / best.max()).astype(np.float32))
    assert look.cc_over_bound == pytest.approx(1, abs=1e-6)
    assert look.cc_over_bound > measure_look(case, a).cc_over_bound


def test_without_a_lesion_there_is_nothing_to_say_of_it(case) -> None:
    look = measure_look(replace(case, lesion=None, uptake=None), case.sources[0])
    assert np.isnan([look.clipped, look.order]).all()
    assert np.isfinite([look.flicker, look.cc_over_bound]).all()
