"""The command: what it prints, writes and refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.cli.evaluate import baselines
from WDualMineLib.cli.main import main
from WDualMineLib.quality.metrics import METRICS, cc_ratio, measure_pair

FLOORED = "maximum + floor 0.985"


def write(path, array):
    path.parent.mkdir(exist_ok=True)
    array = np.asarray(array, np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=array.ndim == 3), str(path))


@pytest.fixture
def folders(tmp_path, pair, fused):
    """a/ grey, b/ colour of the same luminance, fused/: two images each."""
    for name in ("1.png", "2.png"):
        write(tmp_path / "a" / name, pair[0])
        write(tmp_path / "b" / name, np.repeat(pair[1][..., None], 3, axis=2))
        write(tmp_path / "fused" / name, fused)
    return tmp_path


def evaluate(folder, *more):
    where = [word for name in ("a", "b", "fused") for word in (f"--{name}", str(folder / name))]
    return main(["evaluate", *where, *map(str, more)])


def test_prints_the_folder_beside_the_baselines(folders, capsys):
    assert evaluate(folders) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "2 images" in lines[0]
    assert lines[2].split() == list(METRICS)
    for row in ("fused", "average", "maximum", FLOORED):
        assert any(line.startswith(row + " ") for line in lines), row


def test_json_and_csv_hold_the_same_figures(folders, pair, fused):
    assert evaluate(folders, "--json", folders / "t.json", "--csv", folders / "t.csv") == 0
    data = json.loads((folders / "t.json").read_text())
    expected = measure_pair(fused, *pair)
    assert data["images"] == 2
    assert data["rows"]["fused"]["images"]["1.png"] == pytest.approx(expected)
    assert data["rows"]["fused"]["summary"]["MI"]["mean"] == pytest.approx(expected["MI"])
    assert len((folders / "t.csv").read_text().splitlines()) == 1 + 5 * 2
    assert sorted(path.name for path in folders.iterdir()) == ["a", "b", "fused", "t.csv", "t.json"]


def test_baselines_are_8_bit_and_the_floor_holds_for_them(pair):
    a, b = (image.astype(np.uint8) for image in pair)
    rows = {name: fuse(a, b) for name, fuse in baselines(0.985).items()}
    assert all(image.dtype == np.uint8 for image in rows.values())
    assert np.abs(rows["average"] - (a / 2 + b / 2)).max() <= 0.5
    assert cc_ratio(rows["maximum"], a, b) < 0.985 <= cc_ratio(rows[FLOORED], a, b) + 1e-9
    assert not rows[FLOORED][(a == 0) & (b == 0)].any()


def test_existing_files_are_kept_without_force(folders, capsys):
    (folders / "t.json").write_text("mine")
    assert evaluate(folders, "--json", folders / "t.json") == 2
    assert (folders / "t.json").read_text() == "mine"
    assert "t.json exists" in capsys.readouterr().err
    assert evaluate(folders, "--json", folders / "t.json", "--force") == 0


def test_a_missing_source_or_result_is_named(folders, capsys):
    (folders / "fused" / "2.png").unlink()
    assert evaluate(folders) == 2
    assert "fused lacks 2.png" in capsys.readouterr().err
    assert evaluate(folders, "--subset") == 0
    (folders / "b" / "1.png").unlink()
    assert evaluate(folders, "--subset") == 2
    assert "b lacks 1.png" in capsys.readouterr().err


def test_different_sizes_and_bad_options_are_refused(folders, capsys):
    write(folders / "fused" / "2.png", np.zeros((60, 40)))
    assert evaluate(folders) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "2.png has different sizes: fused 40 x 60, a 47 x 60" in error
    assert evaluate(folders, "--correlation-floor", "1") == 2
    assert "out of range" in capsys.readouterr().err
