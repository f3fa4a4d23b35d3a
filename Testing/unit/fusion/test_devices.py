"""Devices: a GPU only after it has proven itself, and plain words where it has not."""

from __future__ import annotations

import pytest
import torch
from WDualMineLib.errors import DeviceError
from WDualMineLib.fusion.devices import choose_device, free_memory, is_out_of_memory


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def broken_gpu(without_gpu, monkeypatch):
    """A GPU that PyTorch sees and cannot use."""
    compute = torch.nn.functional.conv2d
    move = torch.Tensor.to

    def to(tensor, device):
        return move(tensor.clone(), "meta") if device == "cuda" else move(tensor, device)

    def conv2d(image, kernel):
        if image.device.type == "meta":
            raise RuntimeError("CUDA error: no kernel image is available\nCompile with TORCH_USE")
        return compute(image, kernel)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.Tensor, "to", to)
    monkeypatch.setattr(torch.nn.functional, "conv2d", conv2d)


def test_auto_without_a_gpu_is_the_cpu_and_nothing_to_say(without_gpu):
    assert choose_device("auto") == (torch.device("cpu"), [])
    assert choose_device("cpu") == (torch.device("cpu"), [])


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_gpu_asked_for_and_absent_is_an_error(name, without_gpu):
    with pytest.raises(DeviceError, match=name) as error:
        choose_device(name)
    assert "auto or cpu" in error.value.remedy


def test_auto_falls_back_from_a_broken_gpu_and_says_why(broken_gpu):
    device, notes = choose_device("auto")
    assert device.type == "cpu"
    assert notes == [
        "The GPU cannot be used (CUDA error: no kernel image is available), "
        "so the CPU computed instead."
    ]


def test_a_broken_gpu_asked_for_is_an_error(broken_gpu):
    with pytest.raises(DeviceError, match="no kernel image"):
        choose_device("cuda")


def test_a_gpu_that_computes_wrongly_is_not_used(without_gpu, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    move = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: move(tensor, "cpu") * 0)
    device, notes = choose_device("auto")
    assert device.type == "cpu"
    assert "came out wrong" in notes[0]


def test_free_memory_of_the_machine_is_plausible():
    assert 1 << 20 < free_memory(torch.device("cpu")) < 1 << 50


def test_what_is_not_memory_is_not_taken_for_it():
    assert not is_out_of_memory(RuntimeError("size mismatch"))
    assert not is_out_of_memory(ValueError("out of memory"))
