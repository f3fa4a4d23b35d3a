"""Each figure alone makes an alignment doubtful or failed, and says so in words."""

from __future__ import annotations

import pytest
from WDualMineLib.registration.registration_result import Verdict
from WDualMineLib.registration.verdict import judge

FINE = {
    "agreement_mm": 0.2,
    "searches": 2,
    "mi_before": 0.4,
    "mi_after": 1.1,
    "nmi": 0.14,
    "overlap": 0.98,
    "background": 0.3,
    "mirror": 0.97,
    "size_difference": 0.02,
    "size_gain": 0.05,
    "parts_mm": 1.0,
    "turn_degrees": 15.0,
    "shift_mm": 12.0,
    "offset_mm": 0.5,
}


def test_good_figures_are_good() -> None:
    verdict, reasons = judge(FINE)
    assert verdict is Verdict.GOOD
    assert "0.2 mm" in reasons[0]


@pytest.mark.parametrize(
    ("figures", "verdict", "words"),
    [
        ({"overlap": 0.4}, "doubtful", "only 40%"),
        ({"overlap": 0.1}, "failed", "only 10%"),
        ({"background": 0.5}, "doubtful", "hardly better"),
        ({"background": 0.7}, "failed", "hardly better"),
        ({"agreement_mm": 1.4}, "doubtful", "1.4 mm apart"),
        ({"agreement_mm": 30.0}, "failed", "30.0 mm apart"),
        ({"searches": 3}, "doubtful", "disagreed"),
        ({"mirror": 1.007}, "doubtful", "mirrored"),
        ({"mirror": 1.04}, "failed", "mirrored"),
        ({"parts_mm": 4.0}, "doubtful", "4.0 mm"),
        ({"size_difference": 0.15, "size_gain": 0.2}, "doubtful", "15%"),
        ({"turn_degrees": 100.0}, "doubtful", "100 degrees"),
        ({"mi_before": 1.3}, "doubtful", "as they lay before"),
    ],
)
def test_each_figure_counts(figures, verdict, words) -> None:
    found, reasons = judge(FINE | figures)
    assert found.value == verdict
    assert words in reasons[0]


def test_a_size_that_explains_nothing_is_no_reason() -> None:
    assert judge(FINE | {"size_difference": 0.15, "size_gain": 0.05})[0] is Verdict.GOOD


def test_failures_come_first_and_no_reason_twice() -> None:
    verdict, reasons = judge(FINE | {"overlap": 0.4, "agreement_mm": 30.0, "parts_mm": 8.0})
    assert verdict is Verdict.FAILED
    assert "30.0 mm apart" in reasons[0]
    assert len(reasons) == len(set(reasons)) == 3


def test_the_users_own_transform_is_doubted_but_fails_only_without_overlap() -> None:
    bad = FINE | {"agreement_mm": 50.0, "background": 0.9}
    assert judge(bad, given=True)[0] is Verdict.GOOD
    verdict, reasons = judge(FINE | {"offset_mm": 12.0}, given=True)
    assert verdict is Verdict.DOUBTFUL
    assert "12.0 mm away" in reasons[0]
    assert judge(FINE | {"overlap": 0.0}, given=True)[0] is Verdict.FAILED
