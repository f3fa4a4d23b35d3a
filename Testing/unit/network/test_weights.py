"""Weights on disk: what is written is read back, and nothing else is taken for weights."""

import hashlib

import pytest
import torch
from WDualMineLib.errors import WeightsError
from WDualMineLib.network.model import DualMineNetwork, NetworkConfig
from WDualMineLib.network.weights import load_model, save_weights, weights_hash


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    network = DualMineNetwork(NetworkConfig(channels=(4, 6), wavelet="db2"))
    path = tmp_path / "weights.pt"
    save_weights(network, path)
    return network, path


def altered(path, **changes):
    torch.save(torch.load(path, weights_only=True) | changes, path)


def test_round_trip(saved):
    network, path = saved

    loaded = load_model(path)

    assert loaded.config == network.config and not loaded.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float())


def test_hash_is_of_the_file(saved):
    _, path = saved

    assert weights_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_missing(tmp_path):
    with pytest.raises(WeightsError, match=r"absent\.pt does not exist\. Leave out"):
        load_model(tmp_path / "absent.pt")


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 cut short"])
def test_damaged(tmp_path, content):
    path = tmp_path / "weights.pt"
    path.write_bytes(content)

    with pytest.raises(WeightsError, match="damaged"):
        load_model(path)


def test_cut_short(saved):
    _, path = saved
    path.write_bytes(path.read_bytes()[:-2000])

    with pytest.raises(WeightsError, match="damaged"):
        load_model(path)


def test_code_is_not_run(tmp_path):
    class Malicious:
        def __reduce__(self):
            return (open, (str(tmp_path / "written by the weights"), "w"))

    path = tmp_path / "weights.pt"
    torch.save({"format": 2, "config": {}, "state": Malicious()}, path)

    with pytest.raises(WeightsError):
        load_model(path)
    assert not (tmp_path / "written by the weights").exists()


def test_other_content(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save([1, 2], path)

    with pytest.raises(WeightsError, match="does not hold weights"):
        load_model(path)


def test_other_format(saved):
    altered(saved[1], format=99)

    with pytest.raises(WeightsError, match="format 99"):
        load_model(saved[1])


@pytest.mark.parametrize(
    "config",
    [{}, {"channels": [4, 6]}, {"unknown": 1}],
)
def test_other_architecture(saved, config):
    altered(saved[1], config=config)

    with pytest.raises(WeightsError, match="another network"):
        load_model(saved[1])


def test_other_widths(saved):
    _, path = saved
    content = torch.load(path, weights_only=True)
    altered(path, config=content["config"] | {"channels": (8, 8)})

    with pytest.raises(WeightsError, match="another network"):
        load_model(path)


def test_not_finite(saved):
    network, path = saved
    state = network.state_dict()
    next(iter(state.values())).fill_(float("nan"))
    altered(path, state=state)

    with pytest.raises(WeightsError, match="not finite"):
        load_model(path)
