"""The measure as a whole: what knows everything scores best, what knows nothing scores as such."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.lab.truth.evaluation import evaluate_maps
from WDualMineLib.lab.truth.scoring import Maps
from WDualMineLib.progress import finish

pytest.importorskip("torchio", reason="the faults by physics need torchio, of the extra [truth]")

KINDS = ("void", "noise", "shading", "lost slices")


def evaluate(predict, case, **options):
    return finish(evaluate_maps(predict, [case], KINDS, ("noise",), **options))


def test_even_maps_raise_no_alarm_and_find_nothing(case, even_maps) -> None:
    found = evaluate(even_maps, case, even=even_maps)
    (sound,) = found.sound
    assert (sound.false_alarms, sound.shown, sound.lesion_doubted) == (0,) * 3
    assert (sound.air_off, sound.suspicion) == (0, 0)
    assert np.isnan(sound.stripes)
    assert len(found.faults) >= 4
    for fault in found.faults:
        assert fault.found.auroc == 0.5
        assert fault.found.found == fault.found.flagged_found == 0
        assert np.isnan(fault.found.precision)
        assert fault.harm == fault.harm_even > 0
        assert fault.harm_excess == 0
    assert np.isnan(found.calibration["phantom"].error())


def test_maps_that_know_the_truth_score_best(case, knowing, even_maps) -> None:
    found = evaluate(knowing, case, even=even_maps)
    assert found.sound[0].false_alarms == 0
    for fault in found.faults:
        assert fault.found.auroc == pytest.approx(1)
        assert fault.found.average_precision == pytest.approx(1)
        assert fault.found.found == fault.found.flagged_found == fault.found.precision == 1
        assert fault.harm == pytest.approx(fault.harm_even / 2)
        assert fault.harm_excess < 0
    # .98 is claimed where all of it is faulty.
    assert found.calibration["phantom"].error() == pytest.approx(0.02, abs=1e-6)
    assert {fault.extent for fault in found.faults} >= {"whole"}


def test_crying_wolf_is_seen(case) -> None:
    def wolf(a, b, spacing):
        fixed = np.full(a.shape, 0.9, np.float32)
        return fixed, 1 - fixed

    found = evaluate(wolf, case)
    (sound,) = found.sound
    assert sound.false_alarms == sound.lesion_doubted == sound.lesion_flagged == sound.air_off == 1
    assert all(fault.found.found == 0 for fault in found.faults)
    assert all(np.isnan(fault.harm) for fault in found.faults)
    assert found.calibration["phantom"].error() > 0.7
    assert found.look == []


def test_a_pale_spot_is_no_flag_but_seen(case) -> None:
    def pale(a, b, spacing):
        fixed = np.where(case.lesion, 0.35, 0.5).astype(np.float32)
        return Maps(fixed, 1 - fixed)

    (sound,) = evaluate(pale, case).sound
    assert sound.false_alarms == 0
    assert sound.shown == pytest.approx((case.lesion & case.tissue).sum() / case.tissue.sum())
    assert sound.shown > 0


def test_tumours_count_by_the_source_that_shows_them(case) -> None:
    def doubtful(a, b, spacing):
        fixed = np.where(case.lesion, 0.1, 0.5).astype(np.float32)
        return Maps(fixed, 1 - fixed)

    (sound,) = evaluate(doubtful, case).sound
    assert sound.lesion_doubted == 0
    assert sound.lesion_flagged == 1
    assert 0 < sound.false_alarms < 0.2


def test_a_seed_gives_the_same_figures_again(case, knowing) -> None:
    runs = [evaluate(knowing, case, seed=seed).faults for seed in (2, 2, 3)]
    sizes = [[fault.size for fault in run] for run in runs]
    assert sizes[0] == sizes[1]
    assert sizes[0] != sizes[2]


def test_work_can_be_stopped_between_volumes(case, even_maps) -> None:
    steps = evaluate_maps(even_maps, [case], KINDS, ())
    assert next(steps).message == "phantom: sound"
    steps.close()
