from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from WDualMineLib.cli.bench.speed import network_cost, phantoms
from WDualMineLib.cli.main import main

ROWS = {"network + floor", "average", "maximum + floor"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    pytest.importorskip("torch")
    from WDualMineLib.network.model import DualMineNetwork
    from WDualMineLib.network.weights import save_weights

    path = tmp_path_factory.mktemp("weights") / "untrained.pt"
    save_weights(DualMineNetwork(), path)
    return path


def speed(weights, *more):
    words = ["bench", "speed", "--device", "cpu", "--repeats", "2", "--weights", weights, *more]
    return main([str(word) for word in words])


def test_times_the_network_beside_the_baselines(weights, tmp_path, capsys):
    path = tmp_path / "speed.json"
    assert speed(weights, "--size", 16, "--json", path) == 0
    figures = json.loads(path.read_text())
    assert set(figures["pair"]) == ROWS | {"network"}
    assert set(figures["volume"]["rows"]) == ROWS
    for timing in (*figures["pair"].values(), *figures["volume"]["rows"].values()):
        assert 0 < timing["fastest"] <= timing["median"]
    assert figures["pair"]["network"]["runs"] == 2
    assert figures["machine"]["threads"] >= 1
    stages = figures["volume"]["stages"]
    assert 0 < stages["network"] <= figures["volume"]["rows"]["network + floor"]["median"]
    printed = capsys.readouterr().out
    assert all(row in printed for row in ROWS)


def test_the_network_keeps_to_its_budget():
    torch = pytest.importorskip("torch")
    from WDualMineLib.network.model import DualMineNetwork

    cost = network_cost(DualMineNetwork())
    assert cost["flop"] <= 2.5e9
    assert cost["weight_bytes"] < 1e6
    # One convolution counted by hand: 3 x 3, 1 to 4 channels, a bias.
    convolution = torch.nn.Conv2d(1, 4, 3, padding=1)

    class Sum(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = convolution

        def forward(self, a, b, statistics=None, reliability=None):
            return self.convolution(a + b)

    assert network_cost(Sum()) == {
        "parameters": 40,
        "weight_bytes": 80,
        "flop": 2 * 9 * 4 * 256 * 256,
    }


def test_phantoms_have_air_and_stay_in_range():
    for shape in ((1, 256, 256), (20, 24, 28)):
        for array in phantoms(shape):
            assert array.shape == shape and array.dtype == np.float32
            assert array.min() == 0 and 0.5 < array.max() <= 1
            assert 0.2 < (array == 0).mean() < 0.9


@pytest.mark.parametrize("option", ["--repeats", "--size", "--threads"])
def test_numbers_too_small_are_refused(weights, option, capsys):
    assert speed(weights, option, 0) == 2
    assert f"{option} 0 is too small" in capsys.readouterr().err


def test_nothing_is_replaced_without_force(weights, tmp_path):
    path = tmp_path / "speed.json"
    path.write_text("mine")
    assert speed(weights, "--no-volume", "--json", path) == 2
    assert path.read_text() == "mine"
    assert speed(weights, "--no-volume", "--json", path, "--force") == 0
    assert "volume" not in json.loads(path.read_text())


def test_a_benchmark_is_imported_only_when_asked_for(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "WDualMineLib.cli.bench.registration_error", None)
    with pytest.raises(SystemExit) as exit_:
        main(["bench", "speed", "--help"])
    assert exit_.value.code == 0
    assert "--repeats" in capsys.readouterr().out
    with pytest.raises(SystemExit) as exit_:
        main(["bench", "unheard-of"])
    assert exit_.value.code == 2
