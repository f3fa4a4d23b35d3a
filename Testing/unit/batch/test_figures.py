"""What stands out, and by which rule voxels are flagged."""

from __future__ import annotations

from WDualMineLib.batch.figures import DOUBTED, outliers


def test_flagged_is_what_the_benchmark_calls_flagged():
    from WDualMineLib.cli.pictures import thumbnail
    from WDualMineLib.lab.truth import scoring

    assert DOUBTED == scoring.DOUBTED == thumbnail._FLAGGED


def test_one_of_many_stands_out():
    usual = [{"flicker": 1 + n / 100, "mi": 3.0} for n in range(20)]
    found = outliers([*usual, {"flicker": 2.0, "mi": 3.001}, {"flicker": None}])
    assert found[20] == ["flicker"] and not any(found[:20]) and found[21] == []


def test_of_few_nothing_is_said():
    assert outliers([{"mi": 1.0}] * 6 + [{"mi": 9.0}]) == [[]] * 7
