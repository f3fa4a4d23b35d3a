"""The ablation benchmark: every row is trained, measured, and can be gone on with."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("scipy", reason="the faults need scipy, of the extra [train]")

from WDualMineLib.cli.bench.ablation_table import NO_FLOOR, as_text
from WDualMineLib.cli.main import main
from WDualMineLib.lab.training.ablation import WITHOUT
from WDualMineLib.lab.training.validation import REPORTED


@pytest.fixture
def data(training_data):
    return training_data(224)


def test_a_row_for_each_part_and_one_without_floor(data, tmp_path, capsys):
    words = ["bench", "ablation", str(data), "-o", str(tmp_path / "runs")]
    words += ["--steps", "1"]

    assert main(words) == 0

    rows = json.loads((tmp_path / "runs" / "ablation.json").read_text())["rows"]
    assert set(rows) == {*WITHOUT, NO_FLOOR}
    assert all(set(rows[NO_FLOOR][group]) == {*REPORTED} for group in rows[NO_FLOOR])
    printed = capsys.readouterr().out
    assert printed.count("without arbitration") >= 3, "in the table of each modality pair"
    whole = tmp_path / "runs" / "whole-network" / "checkpoint.pt"
    written = whole.stat().st_mtime_ns

    assert main(words) == 0, "a run that is complete is not trained again"
    assert torch.load(whole, weights_only=True)["step"] == 1
    assert whole.stat().st_mtime_ns >= written


def test_parts_are_taken_out_of_the_weights_that_ship(data, tmp_path):
    assert main(["bench", "ablation", str(data), "-o", str(tmp_path / "out"), "--steps", "0"]) == 0

    rows = json.loads((tmp_path / "out" / "ablation.json").read_text())["rows"]
    whole, *others = (rows[row]["CT-MRI"] for row in WITHOUT)
    assert all(whole != other for other in others), "every part has a say"
    assert not (tmp_path / "out" / "whole-network").exists()


def test_nonsense_is_refused(data, tmp_path, capsys):
    assert main(["bench", "ablation", str(data), "-o", str(tmp_path), "--every", "0"]) == 2
    assert "--every" in capsys.readouterr().err


def test_the_table_lines_up():
    measures = dict.fromkeys(REPORTED, 0.5)
    text = as_text({row: {"CT-MRI": measures} for row in ("whole network", "without arbitration")})

    assert len({len(line) for line in text.splitlines() if line}) == 1
