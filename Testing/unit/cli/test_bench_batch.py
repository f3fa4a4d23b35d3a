"""``wdualmine bench batch`` on two tiny studies: what it tells, not how long it took."""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip("torch")

STAGES = {"read", "windows and grid", "evidence", "network", "floor", "measure", "draw", "write"}
TINY = ("bench", "batch", "--studies", 2, "--size", 16, "--simulated", "--threads", 1)


def test_stages_throughput_and_bytes_are_told_and_written(run, weights, tmp_path):
    pytest.importorskip("distributed", reason="dask distributed is not installed (extra [batch])")
    path = tmp_path / "batch.json"

    code, out, err = run(*TINY, "--workers", 0, 1, "--weights", weights, "--json", path)

    assert code == 0, err
    figures = json.loads(path.read_text())
    assert figures["machine"]["cores"] >= 1
    (stages,) = figures["stages"]
    assert stages["shape"] == [16, 16, 16] and stages["runs"] == 2
    assert set(stages["stages"]) == STAGES
    together = sum(took["cpu"] for took in stages["stages"].values())
    assert 0 < together <= 1.5 * stages["total"]["cpu"]  # each is a median of its own
    assert [row["workers"] for row in figures["runs"]] == [0, 1]
    for row in figures["runs"]:
        assert row["studies"] == 2 and row["wall"] > 0
        assert row["peak_bytes"] > 1e8  # PyTorch alone takes more
        # The same files come out, by however many they are written.
        assert row["study_bytes"] == pytest.approx(figures["runs"][0]["study_bytes"], rel=0.01)
        assert row["study_bytes"] > stages["output_bytes"] > stages["input_bytes"] > 2 * 16**3
        assert row["report_bytes"] > 1000
        assert row["a_minute"] == pytest.approx(60 * row["processors"] / row["cpu"])
        assert row["bytes_a_second"] == pytest.approx(row["study_bytes"] * row["a_minute"] / 60)
    assert all(stage in out for stage in STAGES)
    assert out.count("16 x 16 x 16") == 1 and "too short" not in out


def test_no_two_studies_are_alike_and_each_is_the_same_again():
    from WDualMineLib.lab.batch_cost.studies import cut_out, simulated_pair

    pair = simulated_pair()
    first, again, second = (cut_out(pair, 16, number)[0] for number in (0, 0, 1))
    assert (first.array == again.array).all() and first.geometry == again.geometry
    assert first.geometry != second.geometry and (first.array != second.array).any()
    assert first.array.std() > 0.1 * first.array.max(), "it lies beside the head"


def test_a_batch_that_fails_is_no_figure(run, tmp_path):
    pytest.importorskip("distributed", reason="dask distributed is not installed (extra [batch])")
    from WDualMineLib.errors import WDualMineError
    from WDualMineLib.lab.batch_cost.throughput import watch

    fails = [sys.executable, "-c", "import sys; sys.exit('no room')"]
    with pytest.raises(WDualMineError, match="0 of 2 studies ended with 1, and said: no room"):
        watch(fails, {}, lambda: 0, 2, 1)
    stops_early = [sys.executable, "-c", "pass"]
    with pytest.raises(WDualMineError, match="1 of 2 studies"):
        watch(stops_early, {}, lambda: 1, 2, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--studies", 4), "--studies 4 is too small. Give 5 or more"),
        (("--studies", 1, "--workers", 0), "--studies 1 is too small. Give 2 or more"),
        (("--workers", -1), "--workers -1 is too small"),
        (("--size", 8), "--size 8 is too small"),
    ],
)
def test_what_cannot_be_measured_is_refused(refused, words, told):
    assert told in refused("bench", "batch", "--simulated", *words)


def test_nothing_is_replaced_without_force(refused, tmp_path):
    path = tmp_path / "batch.json"
    path.write_text("mine")
    assert "exists already" in refused(*TINY, "--workers", 0, "--json", path)
    assert path.read_text() == "mine"


def test_without_dask_it_says_what_to_install(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'wdualmine[batch]'" in refused(*TINY, "--workers", 0)
