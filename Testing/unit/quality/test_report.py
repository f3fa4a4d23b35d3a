from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from WDualMineLib.quality.report import Report, Summary


@pytest.fixture
def report():
    report = Report(metrics=("CC", "MI"))
    report.add("fused", "1.png", {"CC": 0.5, "MI": 3.0})
    report.add("fused", "2.png", {"CC": 0.7, "MI": float("nan")})
    report.add("average", "1.png", {"CC": 0.6, "MI": 2.0})
    return report


def test_summary_leaves_undefined_values_out():
    assert Summary.of([1.0, 2.0, 6.0]) == Summary(3.0, pytest.approx(np.sqrt(7)), 3)
    assert Summary.of([1.0, float("nan")]) == Summary(1.0, 0.0, 1)
    assert np.isnan(Summary.of([float("nan")]).mean)


def test_text_has_a_line_a_row_aligned_and_says_what_is_left_out(report):
    lines = report.as_text().splitlines()
    assert lines[0].split() == ["CC", "MI"]
    assert lines[1].split() == ["fused", "0.6000", "3.000"]
    assert lines[2].split() == ["±0.1414", "±0.000"]
    assert lines[3].split() == ["average", "0.6000", "2.000"]
    assert len(lines[1]) == len(lines[3])
    assert lines[-1] == "fused: undefined, and left out of the mean, of 2: MI 1."


def test_json_is_strict(report):
    data = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert data["fused"]["summary"]["CC"] == {
        "mean": pytest.approx(0.6),
        "std": pytest.approx(0.1 * np.sqrt(2)),
        "count": 2,
    }
    assert data["fused"]["images"]["2.png"] == {"CC": 0.7, "MI": None}
    assert list(data) == ["fused", "average"]


def test_csv_has_a_line_an_image(report):
    lines = list(csv.reader(report.as_csv().splitlines()))
    assert lines[0] == ["row", "image", "CC", "MI"]
    assert lines[2] == ["fused", "2.png", "0.7", ""]
    assert len(lines) == 4


def test_every_column_is_needed(report):
    with pytest.raises(ValueError, match="MI"):
        report.add("fused", "3.png", {"CC": 0.1})
