"""``wdualmine bench truth`` from the command line, on a small head."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchio", reason="the faults by physics need torchio, of the extra [truth]")

from WDualMineLib.cli.main import main
from WDualMineLib.lab.truth import bench
from WDualMineLib.lab.truth.cases import Case
from WDualMineLib.volumes.geometry import Geometry


@pytest.fixture
def one_case(monkeypatch, simple_network) -> None:
    """A small head instead of the real ones, and a network that takes no time."""
    shape = (16, 32, 32)
    grids = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = sum(g**2 for g in grids) < 0.9
    rng = np.random.default_rng(0)
    sources = tuple(
        np.where(inside, level + 0.2 * np.sin(4 * g) + 0.02 * rng.random(shape), 0).astype(
            np.float32
        )
        for level, g in zip((0.5, 0.4), grids[1:], strict=True)
    )
    grid = Geometry(shape[::-1], (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    case = Case("head", "T1+PET", "test", sources, grid)
    monkeypatch.setattr(bench, "collect_cases", lambda *_: [case])


def test_the_figures_are_printed_and_written(one_case, tmp_path, capsys) -> None:
    report = tmp_path / "truth.json"
    pictures = tmp_path / "pictures"
    words = ["bench", "truth", "--quick", "--device", "cpu", "--json", str(report)]
    assert main([*words, "--pictures", str(pictures)]) == 0
    out = capsys.readouterr().out
    assert "sound tissue flagged" in out and "bad input" in out
    read = json.loads(report.read_text())
    assert read["quick"] is True
    assert read["data"] is False
    assert len(read["volumes"]["sound"]) == 1
    assert len(read["volumes"]["faults"]) > 3
    outcomes = {row["name"]: row["outcome"] for row in read["bad input"]}
    assert outcomes["a constant source"] == "refused"
    assert "error" not in outcomes.values()
    names = sorted(path.name for path in pictures.iterdir())
    assert [name.split("-")[0] for name in names] == ["fault", "sound"]

    assert main([*words[:-2], "--pictures", str(pictures)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_what_makes_no_sense_is_refused_before_any_work(tmp_path, capsys) -> None:
    assert main(["bench", "truth", "--seed", "-1"]) == 2
    assert "--seed -1" in capsys.readouterr().err
    (tmp_path / "there.json").write_text("{}")
    assert main(["bench", "truth", "--json", str(tmp_path / "there.json")]) == 2
    assert "--force" in capsys.readouterr().err
