"""Options of a training run that no run has: refused before any data are read."""

from __future__ import annotations

import json

import pytest
from WDualMineLib.cli import train
from WDualMineLib.cli.main import build_parser
from WDualMineLib.cli.train_options import checked
from WDualMineLib.errors import InputError


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--steps", "0"], "--steps 0"),
        (["--steps", "-5"], "--steps -5"),
        (["--until", "0"], "--until 0"),
        (["--steps", "10", "--until", "11"], "beyond the 10 steps"),
        (["--seed", "-1"], "--seed -1"),
        (["--seed", str(2**40)], "--seed"),
        (["--workers", "0"], "--workers 0"),
        (["--device", "gpu"], "no device 'gpu'"),
    ],
)
def test_wrong_options(refused, tmp_path, words, said):
    assert said in refused("train", tmp_path / "none", "-o", tmp_path / "run", *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--steps", "0"],
        ["--dense", "-1"],
        ["--alarms", "2"],
        ["--stacks", "0"],
        ["--rate", "0"],
        ["--blend", "0.5"],
    ],
)
def test_wrong_options_of_the_evidence(refused, tmp_path, words):
    said = refused("train-evidence", tmp_path / "none", "-o", tmp_path / "run", *words)
    assert " ".join(words) in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "overrides",
    [
        {"steps": "ten"},
        {"steps": 1.5},
        {"learning_rate": None},
        {"learning_rate": float("nan")},
        {"network": {"channels": 3}},
        {"network": {"hidden": True}},
        {"network": 7},
        {"lessons": 0},
        {"per_group": -1},
    ],
)
def test_wrong_values_of_a_configuration(overrides):
    with pytest.raises(InputError):
        checked(overrides)


def test_right_values_are_taken():
    config = checked({"steps": 7, "learning_rate": 1, "network": {"channels": [4, 8]}})
    assert (config.steps, config.learning_rate, config.network.channels) == (7, 1, (4, 8))


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"steps": 1e400}', '{"stepz": 1}'])
def test_wrong_files(refused, tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    refused("train", tmp_path / "none", "-o", tmp_path / "run", "--config", tmp_path / "c.json")


def test_a_damaged_checkpoint_is_named(refused, training_data, tmp_path):
    data = training_data(64)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "c.json").write_text(json.dumps({"warm_up": 3}))
    words = ("--config", tmp_path / "c.json", "--resume")
    assert "checkpoint.pt" in refused("train", data, "-o", tmp_path / "run", *words)


def test_the_words_of_an_interrupt_are_true(tmp_path):
    options = build_parser("train").parse_args(["train", "data", "-o", str(tmp_path)])
    assert "nothing of the run was kept" in train.stopped(options)
    (tmp_path / "checkpoint.pt").touch()
    assert "--resume goes on" in train.stopped(options)
