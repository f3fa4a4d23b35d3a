"""The quality benchmark: all rows, on the validation cases alone."""

import json

import pytest
from PIL import Image
from WDualMineLib.cli.main import main
from WDualMineLib.quality.metrics import METRICS

ROWS = [
    "WDualMine",
    "WDualMine, nearest rounding",
    "average",
    "maximum",
    "maximum + floor 0.985",
    "maximum + floor 0.985, informed rounding",
]


@pytest.fixture
def data(training_data):
    return training_data(48)


def test_a_table_for_each_group(data, tmp_path, capsys):
    path = tmp_path / "table.json"

    assert main(["bench", "quality", str(data), "--json", str(path)]) == 0

    printed = capsys.readouterr().out
    assert "CT-MRI: 1 pairs of case 33" in printed and "SPECT-MRI: 1 pairs of case 22" in printed
    groups = json.loads(path.read_text())["groups"]
    assert list(groups) == ["CT-MRI", "PET-MRI", "SPECT-MRI"]
    for table in groups.values():
        assert list(table["rows"]) == ROWS
        assert list(table["rows"]["WDualMine"]["summary"]) == list(METRICS)
        for row in (*ROWS[:2], *ROWS[-2:]):
            assert table["rows"][row]["summary"]["CC/bound"]["mean"] >= 0.985 - 1e-6


def test_nonsense_is_refused(data, capsys):
    assert main(["bench", "quality", str(data), "--every", "0"]) == 2
    assert "do not both make sense" in capsys.readouterr().err


def test_pictures_of_pairs_with_their_maps(data, tmp_path):
    path = tmp_path / "pairs.png"

    assert main(["bench", "quality", str(data), "--pictures", str(path)]) == 0

    width, height = Image.open(path).size
    assert width > 1000 and height > width / 2, "three rows of five pictures"
    assert main(["bench", "quality", str(data), "--pictures", str(path)]) == 2
