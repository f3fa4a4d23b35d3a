"""Weights that were damaged or made by others: refused, or exactly what they were."""

from __future__ import annotations

import random
import zipfile

import pytest
import torch
from WDualMineLib.errors import WeightsError
from WDualMineLib.network.model import DualMineNetwork
from WDualMineLib.network.weights import FORMAT, load_model, save_weights
from WDualMineLib.network.weights_file import DamagedWeights, require_intact


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "random.pt"
    save_weights(DualMineNetwork(), path)
    return path


def test_every_flipped_bit_of_a_number_is_found(weights, tmp_path):
    raw = weights.read_bytes()
    with zipfile.ZipFile(weights) as archive:
        record = max(archive.infolist(), key=lambda r: r.file_size)
    chance = random.Random(0)
    start = raw.index(b"FB", record.header_offset) if b"FB" in raw else record.header_offset + 128
    for _ in range(20):
        damaged = bytearray(raw)
        damaged[start + 64 + chance.randrange(record.file_size - 64)] ^= 1 << chance.randrange(8)
        (tmp_path / "w.pt").write_bytes(damaged)
        with pytest.raises(DamagedWeights):
            require_intact(tmp_path / "w.pt")


@pytest.mark.parametrize("left", [0.0, 0.3, 0.99])
def test_a_file_cut_short(weights, tmp_path, left):
    raw = weights.read_bytes()
    (tmp_path / "w.pt").write_bytes(raw[: int(left * len(raw))])
    with pytest.raises(WeightsError, match="damaged"):
        load_model(tmp_path / "w.pt")


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": 10**9},
        {"channels": [10**6, 10**6]},
        {"refinements": 10**9},
        {"hidden": 33},
        {"channels": []},
        {"wavelet": "none"},
        {"detail": "6"},
    ],
)
def test_a_configuration_that_its_weights_do_not_fit(weights, tmp_path, changes):
    content = torch.load(weights, weights_only=True)
    content["config"] |= changes
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="another network"):
        load_model(tmp_path / "w.pt")


@pytest.mark.parametrize("state", [{}, [], None, {"a": 1}, {"a": torch.zeros(3)}])
def test_weights_of_another_program(tmp_path, state):
    from dataclasses import asdict

    from WDualMineLib.network.model import NetworkConfig

    torch.save(
        {"format": FORMAT, "config": asdict(NetworkConfig()), "state": state}, tmp_path / "w"
    )
    with pytest.raises(WeightsError):
        load_model(tmp_path / "w")
    torch.save(state, tmp_path / "w")
    with pytest.raises(WeightsError):
        load_model(tmp_path / "w")


def test_an_archive_that_unpacks_to_more_than_it_holds(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    with pytest.raises(WeightsError, match="damaged"):
        load_model(tmp_path / "bomb.pt")
