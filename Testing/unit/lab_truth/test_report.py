"""The report: every section, readable, and JSON that every reader takes."""

from __future__ import annotations

import json

import pytest
from WDualMineLib.lab.truth.bad_input import BadInputRow
from WDualMineLib.lab.truth.evaluation import Evaluation, FaultScore, evaluate_maps
from WDualMineLib.lab.truth.report import (
    aligned,
    as_json,
    as_text,
    pooled_precision,
    summarise,
)
from WDualMineLib.lab.truth.resolution import ResolutionScore
from WDualMineLib.lab.truth.scoring import Detection
from WDualMineLib.progress import finish

pytest.importorskip("torchio", reason="the faults by physics need torchio, of the extra [truth]")


@pytest.fixture
def summary(case, knowing, even_maps):
    found = finish(
        evaluate_maps(knowing, [case], ("void", "lost slices"), ("noise",), 0, even_maps)
    )
    return summarise(
        found,
        [ResolutionScore("phantom", "sound", 0.01, 0.05, 1.2)],
        [BadInputRow("one slice", "refused", float("nan"), "Too thin.")],
    )


def test_the_figures_are_those_of_the_volumes(summary) -> None:
    assert summary["sound"]["all"]["false_alarms"].value == 0
    assert summary["faults by kind"]["void"]["auroc"].value == pytest.approx(1)
    assert set(summary["faults by kind"]) == {"void", "lost slices", "noise, whole"}
    assert {row["kind"] for row in summary["volumes"]["faults"]} == {"void", "lost slices", "noise"}
    assert all("auroc" in row for row in summary["volumes"]["faults"])
    assert summary["calibration"]["error"].value == pytest.approx(0.02, abs=1e-6)


def test_the_text_has_every_section(summary) -> None:
    text = as_text(summary)
    for words in (
        "sound tissue flagged",
        "found at 1 % false alarms",
        "at most .01",
        "faults by kind",
        "noise, whole",
        "MR+PET: PET",
        "look by pair",
        "1 and 2 mm, sound",
        "calibration: suspicion",
        "Too thin.",
    ):
        assert words in text
    assert "nan" not in text


def test_json_holds_the_intervals_and_no_estimate_objects(summary) -> None:
    read = json.loads(json.dumps(as_json(summary)))
    assert set(read["faults"]["all"]["auroc"]) >= {"value", "low", "high", "cases", "volumes"}


def test_nothing_measured_is_no_error() -> None:
    assert "calibration" in as_text(summarise(Evaluation()))


def test_pooled_precision_counts_flags_and_not_volumes() -> None:
    def row(case: str, precision: float, flags: float) -> FaultScore:
        found = Detection(*[0.5] * 5, precision, flags)
        return FaultScore(case, "A+B", "test", "void", "A", "local", *[0.1] * 2, found, *[0.0] * 3)

    # Right: .9 of .1. Wrong: the rest, and a stray .001. A volume without a flag is neither.
    rows = [row("a", 0.9, 0.1), row("b", 0.0, 0.001), row("c", float("nan"), 0.0)]
    pooled = pooled_precision(rows)
    assert pooled.value == pytest.approx(0.09 / 0.101)
    assert (pooled.least, pooled.most) == (0, pytest.approx(0.9))
    assert pooled.volumes == 3


def test_columns_line_up() -> None:
    assert aligned([["a", "1"], ["bbb", "22"]]) == "a     1\nbbb  22"
