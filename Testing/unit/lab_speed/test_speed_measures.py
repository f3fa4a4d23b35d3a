"""What the benchmark of speed measures with: its clock, its memory, and the shapes of others."""

import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from WDualMineLib.fusion.engine import SliceEngine
from WDualMineLib.lab.speed import clock, gpu, memory, peers, report, slices
from WDualMineLib.lab.speed.cost import flop_of, network_cost
from WDualMineLib.network.weights import load_model


def test_functions_take_turns():
    calls = []

    timings = clock.in_turns(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3, warm_up=1
    )

    assert "".join(calls) == "ab" + "ababab"
    assert timings["a"].runs == 3


def test_waiting_costs_no_processor_time():
    found = clock.in_turns({"wait": lambda: time.sleep(0.05)}, 2, warm_up=0)["wait"]

    assert found.wall >= found.wall_fastest >= 0.05 > 0.02 > found.cpu


def test_memory_that_is_given_back_counts():
    with memory.peak() as held:
        array = np.ones(60_000_000, np.uint8)
        del array

    if held["bytes"] is None:
        pytest.skip("this system does not tell a process's memory")
    assert held["bytes"] > 50e6


@pytest.mark.parametrize(
    ("row", "parameters", "gflop"),
    [
        # Counted by hand: Li and Wu's layers of 3 x 3, the encoder twice.
        ("DenseFuse's shape", 74_193, 2 * 9 * 65536 * (2 * 1552 + 6672) / 1e9),
        ("1.2 k recurrent", 1_191, 2 * 9 * 65536 * (20 + 4 * 100 + 10) / 1e9),
    ],
)
def test_peers_have_the_shape_they_are_named_after(row, parameters, gflop):
    network = peers.PEERS[row]()
    pair = torch.rand(2, 1, 1, 256, 256)

    assert sum(p.numel() for p in network.parameters()) == parameters
    if row == "1.2 k recurrent":
        assert flop_of(lambda: network(*pair)) / 1e9 == pytest.approx(gflop)


@pytest.mark.parametrize("row", peers.PEERS)
def test_peers_fuse(row):
    network = peers.PEERS[row]().eval()
    a, b = torch.rand(2, 2, 1, 32, 40)

    assert network(a, b).shape == a.shape
    assert network_cost(network)["flop"] > 0


def test_a_slice_of_a_volume_and_its_preview_are_what_the_engine_gives():
    engine = SliceEngine(load_model(), "cpu")
    some = slices.Slices(engine, 2, (48, 40))

    together = some.in_a_volume()

    assert together.shape == (2, 1, 48, 40) and np.abs(together).max() > 0.01
    assert some.preview().shape == (48, 40)
    assert not np.array_equal(some.alone(), together), "each has statistics of its own"


def test_threads_are_as_before_afterwards():
    before = torch.get_num_threads()

    with pytest.raises(RuntimeError), slices.threads(1):
        assert torch.get_num_threads() == 1
        raise RuntimeError

    assert torch.get_num_threads() == before


def test_a_gpu_is_measured_against_the_cpu_in_all_precisions():
    engine = SliceEngine(load_model(), "cpu")

    found = gpu.on_a_gpu(engine, 1, 32)
    told = "\n".join(report.lines("gpu", {"gpu": found}))

    assert found["agreement"]["float32"] == 0 < found["agreement"]["float16"] < 1 / 255
    assert set(found["volume_agreement"].values()) == {0.0}, "on the CPU there is nothing to differ"
    assert all(seconds > 0 for seconds in found["latency"].values())
    batches = [row["batch"] for row in found["throughput"] if row["precision"] == "float32"]
    assert batches == [1, 4, 16, 64]
    assert found["graph"] == "CUDA only" and "CUDA only" in told
    assert engine.half is None
    assert "32 x 32 x 32 from arrays to maps, float32" in told


def test_slices_are_timed_with_pytorch_and_numpy_alone():
    """On machines with a GPU there often is nothing else."""
    others = "SimpleITK", "pywt", "scipy", "matplotlib", "pydicom", "slicer", "vtk"
    code = f"""
import sys
sys.modules.update(dict.fromkeys({others}))
from WDualMineLib.cli.bench import speed
from WDualMineLib.lab.speed import cost, gpu, machine, report, slices
from WDualMineLib.network.weights import load_model
from WDualMineLib.fusion.engine import SliceEngine
print(slices.Slices(SliceEngine(load_model(), "cpu"), 1, (16, 16)).alone().shape)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert found.stdout.strip() == "(1, 1, 16, 16)", found.stderr


def test_the_cost_is_that_of_a_picture_that_is_full():
    network = load_model()
    air = torch.zeros(1, 1, 256, 256)

    assert network_cost(network)["flop"] > 1.05 * flop_of(lambda: network(air, air))
