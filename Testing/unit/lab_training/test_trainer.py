"""The training loop: it learns, resumes exactly, and the command refuses what it cannot use."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image
from WDualMineLib.cli.main import main
from WDualMineLib.errors import InputError
from WDualMineLib.lab.training.ablation import WHOLE, WITHOUT
from WDualMineLib.lab.training.config import config_from, config_to_dict
from WDualMineLib.lab.training.curves import draw_curves
from WDualMineLib.lab.training.dataset import SlicePair
from WDualMineLib.lab.training.trainer import Trainer
from WDualMineLib.network.weights import load_model

SMALL = {
    "steps": 6,
    "warm_up": 2,
    "validate_every": 3,
    "validation_stride": 1,
    "network": {"channels": [4, 6], "detail": 2, "surroundings": 2, "hidden": 6},
}


def pair(seed, side=48):
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    a, b = np.outer(ramp, ramp), np.outer(ramp, 1 - ramp)
    a[rng.integers(side)] = 1
    return SlicePair("CT-MRI", seed, f"{seed}001.png", np.round(a * 255) / 255, b)


@pytest.fixture
def groups():
    return {"CT-MRI": [pair(n) for n in range(3)]}


def trainer(groups, folder, **overrides):
    return Trainer(config_from(SMALL | overrides), groups, groups, folder)


def weights(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


def test_a_run_leaves_checkpoint_log_and_validation(groups, tmp_path):
    rows = list(trainer(groups, tmp_path).run())

    with (tmp_path / "log.csv").open() as stream:
        logged = list(csv.DictReader(stream))
    assert [int(row["step"]) for row in logged] == [1, 2, 3, 4, 5, 6]
    assert {"loss", "MI", "Qabf", "SSIM", "SCD"} <= rows[2].keys()
    assert float(logged[2]["MI"]) > 0
    lines = (tmp_path / "validation.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 6]
    assert json.loads(lines[0])["CT-MRI"].keys() == {"CC/bound", "MI", "SSIM", "Qabf", "VIF", "SCD"}


def test_interrupted_and_resumed_is_the_same_run(groups, tmp_path):
    whole = trainer(groups, tmp_path / "whole")
    list(whole.run())
    first = trainer(groups, tmp_path / "parts")
    steps = first.run()
    for _ in range(4):
        next(steps)
    steps.close()

    second = trainer(groups, tmp_path / "parts")
    assert second.step == 4
    list(second.run())

    assert torch.equal(weights(whole), weights(second))


def test_seeds_differ(groups, tmp_path):
    one, two = (trainer(groups, tmp_path / str(s), seed=s) for s in (0, 1))

    assert not torch.equal(weights(one), weights(two))


def test_the_objective_improves(groups, tmp_path):
    run = trainer(
        groups,
        tmp_path,
        steps=150,
        toned=0.0,
        learning_rate=0.01,
        validate_every=1000,
    ).run()

    losses = [row["loss"] for row in run]

    assert np.mean(losses[-20:]) < 0.7 * np.mean(losses[:20])


def test_everything_learns_but_what_suspects_faults(groups, tmp_path):
    run = trainer(groups, tmp_path)
    before = {name: p.clone() for name, p in run.model.named_parameters()}

    list(run.run())

    after = run.model.named_parameters()
    moved = {name.split(".")[0] for name, p in after if (p != before[name]).any()}
    assert {"encoder", "decoder", "spatial_expert", "frequency_expert"} <= moved
    assert "evidence" not in moved


def test_workers_change_nothing(groups, tmp_path):
    one, two = (
        Trainer(config_from(SMALL), groups, groups, tmp_path / str(n), workers=n) for n in (1, 2)
    )

    for run in (one, two):
        list(run.run())

    assert torch.equal(weights(one), weights(two))


def test_the_rate_warms_up_and_falls():
    config = config_from({"steps": 300, "warm_up": 10})

    rates = [config.rate(step) for step in range(300)]

    assert max(rates) == config.learning_rate == rates[9]
    assert rates[0] < 0.2 * config.learning_rate and rates[-1] < 0.02 * config.learning_rate


def test_a_run_without_a_part_can_be_trained(groups, tmp_path):
    for name, build in WITHOUT.items():
        run = Trainer(
            config_from(SMALL | {"steps": 1, "validate_every": 9}),
            groups,
            groups,
            tmp_path / name,
            build=build,
        )
        (row,) = run.run()
        assert np.isfinite(row["loss"])
        maps = run.average(*torch.rand(2, 1, 1, 48, 48))
        assert all(torch.isfinite(x).all() for x in maps)
    assert set(WITHOUT) > {WHOLE, "without arbitration"}


def test_curves_are_drawn(groups, tmp_path):
    list(trainer(groups, tmp_path).run())

    draw_curves(tmp_path, tmp_path / "curves.png")

    assert Image.open(tmp_path / "curves.png").size[0] > 800


def test_configuration_survives_json():
    config = config_from(SMALL)

    assert config_from(json.loads(json.dumps(config_to_dict(config)))) == config


def test_unknown_option_is_named():
    with pytest.raises(InputError, match="no training option stepz"):
        config_from({"stepz": 3})


@pytest.fixture
def data(tmp_path):
    """A tiny folder laid out as the real one; every group has training and validation cases."""
    for group in ("CT-MRI", "PET-MRI", "SPECT-MRI"):
        for case in (2, 22, 30, 33, 35):
            sample = pair(case)
            for modality, image in ((group[:-4], sample.a), ("MRI", sample.b)):
                path = tmp_path / "data" / group / modality / f"{case}001.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.uint8(np.round(image * 255))).save(path)
    return tmp_path / "data"


def test_command_trains_and_writes_weights(data, tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(SMALL))
    run = tmp_path / "run"

    assert main(["train", str(data), "-o", str(run), "--config", str(config), "--steps", "2"]) == 0

    assert load_model(run / "weights.pt").config.channels == (4, 6)
    assert json.loads((run / "config.json").read_text())["steps"] == 2
    assert main(["train", str(data), "-o", str(run), "--config", str(config)]) == 2
    assert "already holds a run. Add --resume" in capsys.readouterr().err
    arguments = ["train", str(data), "-o", str(run), "--config", str(config), "--steps", "3"]
    assert main([*arguments, "--resume"]) == 0
    assert "step 2 of 3" in capsys.readouterr().out


def test_a_run_in_two_parts_is_the_same_run(data, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(SMALL))
    words = ["train", str(data), "--config", str(config), "-o"]

    assert main([*words, str(tmp_path / "whole")]) == 0
    assert main([*words, str(tmp_path / "parts"), "--until", "4"]) == 0
    assert main([*words, str(tmp_path / "parts"), "--resume"]) == 0

    whole, parts = (load_model(tmp_path / run / "weights.pt") for run in ("whole", "parts"))
    for x, y in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(x, y)


@pytest.mark.parametrize("content", ["{", "[1]", '{"stepz": 1}'])
def test_command_refuses_a_bad_configuration(data, tmp_path, capsys, content):
    config = tmp_path / "config.json"
    config.write_text(content)

    assert main(["train", str(data), "-o", str(tmp_path / "run"), "--config", str(config)]) == 2
    assert not (tmp_path / "run").exists()
