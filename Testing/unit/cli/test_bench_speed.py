from __future__ import annotations

import json
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from WDualMineLib.cli.main import main
from WDualMineLib.lab.speed.cost import network_cost
from WDualMineLib.lab.speed.peers import PEERS
from WDualMineLib.lab.speed.phantoms import FIELD_MM, phantom_volumes, phantoms
from WDualMineLib.lab.speed.slices import OURS
from WDualMineLib.network.model import DualMineNetwork
from WDualMineLib.network.weights import save_weights

ROWS = {*OURS, *PEERS, "average", "maximum + floor"}
STAGES = {"read", "windows and grid", "evidence", "network", "floor", "measure", "draw", "write"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "untrained.pt"
    save_weights(DualMineNetwork(), path)
    return path


def speed(weights, *more):
    words = ["bench", "speed", "--device", "cpu", "--repeats", "2", "--weights", weights, *more]
    return main([str(word) for word in words])


def test_times_the_network_beside_others_and_a_volume_by_stages(weights, tmp_path, capsys):
    path = tmp_path / "speed.json"

    assert speed(weights, "--size", 16, 24, 20, "--no-sizes", "--scaling", 16, "--json", path) == 0

    figures = json.loads(path.read_text())
    assert set(figures["pair"]) == ROWS
    for timing in figures["pair"].values():
        assert 0 < timing["cpu_fastest"] <= timing["cpu"] and timing["runs"] == 2
    for row in (*OURS, *PEERS):
        assert 0.05 < figures["pair"][row]["gflop"] < 20
    assert min(figures["best"].values()) > 0
    volume = figures["volume"]
    assert volume["shape"] == [16, 24, 20] and set(volume["stages"]) == STAGES
    together = sum(took["wall"] for took in volume["stages"].values())
    assert 0.8 * volume["total"]["wall"] < together <= volume["total"]["wall"]
    assert volume["input_bytes"] == 2 * 4 * 16 * 24 * 20
    assert [row["slices"] for row in figures["scaling"]] == [16]
    printed = capsys.readouterr().out
    assert all(row in printed for row in ROWS | STAGES)
    assert printed.count("times as fast as DenseFuse's shape") == len(OURS)


def test_sizes_threads_and_batches_are_told(weights, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("WDualMineLib.lab.speed.slices.SIZES", ((32, 48), (19, 33)))
    path = tmp_path / "speed.json"

    assert speed(weights, "--no-volume", "--json", path) == 0

    rows = json.loads(path.read_text())["sizes"]
    assert {tuple(row["size"]) for row in rows} == {(32, 48), (19, 33)}
    assert {row["batch"] for row in rows} == {1, 4, 8} and 1 in {row["threads"] for row in rows}
    assert "19 x 33, 1 thread: 1: " in capsys.readouterr().out


def test_the_network_keeps_to_its_budget():
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


def test_phantoms_of_any_size_show_one_head():
    fine, coarse = phantom_volumes((16, 24, 20), (8, 12, 10))

    for volume, size in ((fine, (20, 24, 16)), (coarse, (10, 12, 8))):
        assert volume.geometry.size == size and volume.array.dtype == np.int16
        extent = np.multiply(volume.geometry.size, volume.geometry.spacing)
        assert extent == pytest.approx(FIELD_MM)
        centre = volume.geometry.ijk_to_lps @ [*(np.array(size) - 1) / 2, 1]
        assert centre[:3] == pytest.approx(0)


@pytest.mark.parametrize(
    "option", ["--repeats", "--size", "--moving-size", "--threads", "--scaling"]
)
def test_numbers_too_small_are_refused(weights, option, capsys):
    assert speed(weights, option, 0) == 2
    assert f"{option} 0 is too small" in capsys.readouterr().err


def test_a_size_of_two_numbers_is_refused(weights, capsys):
    assert speed(weights, "--size", 32, 32) == 2
    assert "is not one number or three" in capsys.readouterr().err


def test_nothing_is_replaced_without_force(weights, tmp_path):
    path = tmp_path / "speed.json"
    path.write_text("mine")
    assert speed(weights, "--no-volume", "--no-sizes", "--json", path) == 2
    assert path.read_text() == "mine"
    assert speed(weights, "--no-volume", "--no-sizes", "--json", path, "--force") == 0
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
