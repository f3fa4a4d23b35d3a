"""Faults: visible, where the truth says, repeatable, and in one source only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from WDualMineLib.lab.truth.faults import (
    KINDS,
    TOUCHED,
    VISIBLE,
    WHOLE,
    faults_of,
    put_fault,
    truth_masks,
)

torch = pytest.importorskip("torch")
pytest.importorskip("torchio", reason="the faults by physics need torchio, of the extra [truth]")

SEED = [3, 1]


def test_the_truth_is_what_changes_on_average_over_7_mm() -> None:
    sound = np.zeros((9, 18, 18), np.float32)
    faulty = sound.copy()
    faulty[:, :9, :9] = 0.05
    tissue = np.ones(sound.shape, bool)
    tissue[4, 4, 4] = False

    mask, scored = truth_masks(sound, faulty, tissue, (3.0, 2.0, 2.0))

    # Windows of three pixels: at the border two thirds of them have changed, beyond it one third.
    assert (mask[:, :9, :8] == tissue[:, :9, :8]).all()
    assert not mask[:, 10:].any() and not mask[:, :, 10:].any()
    assert not scored[:, 9, :8].any() and scored[:, 10:].all() and scored[:, :, 10:].all()
    assert not scored[4, 4, 4] and TOUCHED < VISIBLE


def test_no_change_no_fault() -> None:
    image = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    mask, scored = truth_masks(image, image, np.ones(image.shape, bool), (1.0, 1.0, 1.0))
    assert not mask.any() and scored.all()


@pytest.mark.parametrize(
    ("kind", "whole"),
    [*((kind, False) for kind in KINDS), *((kind, True) for kind in WHOLE)],
)
def test_every_kind_shows_where_the_truth_says(case, kind, whole) -> None:
    source = 0
    fault = put_fault(case, kind, source, np.random.default_rng(5), whole)
    assert fault is not None
    assert fault.faulty.shape == case.tissue.shape
    assert fault.faulty.dtype == np.float32
    assert fault.faulty.min() >= 0 and fault.faulty.max() <= 1
    change = np.abs(fault.faulty - case.sources[source])
    if not whole:
        assert change[fault.scored & ~fault.mask].max(initial=0) < 0.1
        assert change[fault.scored & ~fault.mask].mean() < 0.004
    assert change[fault.mask].mean() > 0.02
    assert not (fault.mask & ~case.tissue).any()
    assert fault.extent == "whole" if whole else fault.extent in ("local", "large")
    assert not (fault.mask & ~fault.scored).any()
    assert not (fault.scored & ~case.tissue).any()


def test_a_region_leaves_the_rest_as_it_was(case) -> None:
    fault = put_fault(case, "noise", 1, np.random.default_rng(2), whole=False)
    changed = np.abs(fault.faulty - case.sources[1]) > 0.01
    assert changed.any()
    assert not changed[case.tissue & ~fault.mask].mean() > 0.05


def test_faults_repeat_and_do_not_depend_on_the_others(case) -> None:
    kinds = ("void", "noise", "ghosting")
    first, again, alone = (
        {fault.kind: fault for fault in faults_of(case, SEED, chosen, ())}
        for chosen in (kinds, kinds, ("ghosting",))
    )
    for other in (again, alone):
        for kind, fault in other.items():
            assert (fault.faulty == first[kind].faulty).all()
            assert fault.source == first[kind].source
    others = {fault.kind: fault for fault in faults_of(case, [4, 1], kinds, ())}
    assert any((others[k].faulty != first[k].faulty).any() for k in others if k in first)


def test_both_sources_get_their_share(case) -> None:
    sources = [fault.source for fault in faults_of(case, SEED, tuple(KINDS), ())]
    assert len(sources) >= len(KINDS) - 2
    assert 0.25 < np.mean(sources) < 0.75


def test_randomness_of_others_is_left_alone(case) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    put_fault(case, "motion", 0, np.random.default_rng(0), whole=False)
    assert (torch.rand(3) == expected).all()


def test_what_cannot_be_seen_is_not_counted(case) -> None:
    flat = np.full_like(case.sources[0], 0.5)
    even = replace(case, sources=(flat, flat))
    assert put_fault(even, "blur", 0, np.random.default_rng(0), whole=False) is None
    assert list(faults_of(even, SEED, ("blur", "repeated slices"), ("blur",))) == []
