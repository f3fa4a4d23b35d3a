"""The report: safe to look at, without a network, and the tables beside it."""

from __future__ import annotations

import argparse
import csv
import json
import re
from datetime import UTC, datetime

import pytest
from WDualMineLib.batch.crate import write_crate
from WDualMineLib.batch.html_report import write_report
from WDualMineLib.batch.places import Places
from WDualMineLib.batch.study import DONE, FAILED, Outcome, Study
from WDualMineLib.batch.summary import Summary, write_tables

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def summary(tmp_path) -> Summary:
    """Ten studies, one slow, one failed with words that a page must not run."""
    places = Places(tmp_path)
    studies, outcomes = [], {}
    for number in range(10):
        options = argparse.Namespace(
            output=places.studies / f"s{number}",
            fixed=tmp_path / "a.nii",
            moving=tmp_path / "b.nii",
            registration="none",
            anonymise=False,
        )
        studies.append(Study(f"row {number}", f"s{number}", options, "0" * 64))
        figures = {"cc_over_bound": 0.99, "verdict": "good", "floor_met": True}
        outcomes[f"s{number}"] = Outcome(DONE, figures=figures, seconds=1 + number / 50)
    outcomes["s7"] = Outcome(DONE, figures=outcomes["s7"].figures, seconds=60.0)
    outcomes["s9"] = Outcome(FAILED, "refused", f"=cmd() {NASTY}", attempts=1)
    return Summary(places, studies, outcomes, datetime.now(UTC), {"source": NASTY})


def test_report_is_safe_and_stands_alone(summary, tmp_path):
    write_report(summary, summary.rows())
    page = (tmp_path / "report.html").read_text()
    assert NASTY not in page and "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=.?(https?:)?//", page)
    assert not re.search(r"@[A-Z]+@", page)
    (row,) = re.findall(r'<tr class="[^"]*outlier[^"]*">.*?</tr>', page)
    assert "s7" in row and 'class="n out"' in row


def test_tables(summary, tmp_path):
    write_tables(summary, summary.rows())
    with (tmp_path / "summary.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[7]["stands_out_in"] == "seconds" and rows[9]["words"].startswith("'=cmd()")
    told = json.loads((tmp_path / "summary.json").read_text())
    assert told["counts"]["done"] == 9 and told["studies"][9]["state"] == "failed"


def test_crate_names_every_action_and_file(summary, tmp_path):
    write_crate(summary)
    graph = json.loads((tmp_path / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    actions = [e for e in graph if e["@type"] == "CreateAction"]
    assert len(actions) == 10 and "error" in entities["#s9"]
    for action in actions:
        for reference in action["object"]:
            assert reference["@id"] in entities
