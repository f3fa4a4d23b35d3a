"""The engine: every slice once, the right way up, in batches that fit, on a device that works."""

from __future__ import annotations

import platform
from threading import get_ident

import numpy as np
import pytest
import torch
from WDualMineLib.errors import DeviceError
from WDualMineLib.fusion import engine, precision, volume_pass, workers
from WDualMineLib.fusion.engine import SliceEngine
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.network.statistics import joint_statistics
from WDualMineLib.network.weights import load_model
from WDualMineLib.progress import finish


@pytest.fixture
def arrays() -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(0).random((2, 11, 14, 9), dtype=np.float32))


def expected(model, a, b, slicing):
    """(residual, reliability, arbitration) of one slice at a time."""
    outputs = [np.zeros_like(a) for _ in range(3)]
    for number, pair in enumerate(zip(slicing.stack(a), slicing.stack(b), strict=True)):
        maps = model(*(torch.from_numpy(x.copy())[None, None] for x in pair))
        for output, values in zip(outputs, (maps[0], maps[1], maps[3]), strict=True):
            slicing.stack(output)[number] = values[0, 0].numpy()
    return outputs


@pytest.mark.parametrize("axis", ["axial", "coronal", "sagittal", "three-plane"])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (-1, 1, -1)])
def test_every_slice_is_seen_once_and_put_back(axis, signs, arrays, model, make_geometry):
    a, b = arrays
    axes = slicings(make_geometry(a.shape, np.diag(signs).astype(float)), axis)
    maps = finish(SliceEngine(model, "cpu").steps(a, b, axes))
    wanted = np.mean([expected(model, a, b, slicing) for slicing in axes], axis=0)
    for found, want in zip(
        (maps.residual, maps.reliability, maps.arbitration), wanted, strict=True
    ):
        assert found.dtype == np.float32
        assert np.abs(found - want).max() < 1e-6
    assert (maps.device, maps.precision, maps.notes) == ("cpu", "float32", [])


def test_two_runs_are_equal_to_the_last_bit(arrays, model, make_geometry):
    axes = slicings(make_geometry(arrays[0].shape), "three-plane")
    first, second = (finish(SliceEngine(model, "cpu").steps(*arrays, axes)) for _ in range(2))
    assert np.array_equal(first.residual, second.residual)


def test_batches_are_small_enough_to_answer_a_cancel(model, make_geometry):
    a = np.ones((10, 256, 256), np.float32)
    finish(SliceEngine(model, "cpu").steps(a, a, slicings(make_geometry(a.shape), "axial")))
    assert model.batches == [1] * 10


def test_small_slices_are_taken_together(model, make_geometry):
    a = np.ones((40, 64, 64), np.float32)
    finish(SliceEngine(model, "cpu").steps(a, a, slicings(make_geometry(a.shape), "axial")))
    assert sorted(model.batches) == [8, 16, 16]


@pytest.mark.parametrize("axis", ["axial", "coronal", "three-plane"])
def test_of_slices_that_show_nothing_one_is_looked_at(axis, arrays, model, make_geometry):
    a, b = (x.copy() for x in arrays)
    for x in (a, b):
        x[[0, 4, 5, 10]] = 0
    b[4, 2, 2] = 0.1
    axes = slicings(make_geometry(a.shape), axis)

    maps = finish(SliceEngine(model, "cpu").steps(a, b, axes))

    wanted = np.mean([expected(model, a, b, slicing) for slicing in axes], axis=0)
    for found, want in zip(
        (maps.residual, maps.reliability, maps.arbitration), wanted, strict=True
    ):
        assert np.abs(found - want).max() < 1e-6
    if axis == "axial":
        network = type(model)()
        finish(SliceEngine(network, "cpu").steps(a, b, axes))
        assert sum(network.batches) == 9, "slices 5 and 10 are like slice 0"


def test_progress_ends_where_the_work_does(arrays, model, make_geometry):
    a, b = (x.copy() for x in arrays)
    a[6:], b[6:] = 0, 0
    axes = slicings(make_geometry(a.shape), "axial")

    fractions = [x.fraction for x in SliceEngine(model, "cpu").steps(a, b, axes)]

    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1)


def test_memory_is_not_fetched_anew_for_every_slice():
    """Without it a slice of 256 x 256 took 5000 faults, and a third longer."""
    resource = pytest.importorskip("resource")
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("only the GNU C library is known to give memory back at once")
    network = SliceEngine(load_model(), "cpu")
    slices = torch.rand(2, 1, 1, 256, 256)
    half, statistics = torch.full_like(slices[0], 0.5), joint_statistics(*slices)

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        network.batch(*slices, statistics, half)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert min(faults() for _ in range(6)) < 500


def test_the_number_of_cores_does_not_show(arrays, model, make_geometry, monkeypatch):
    a, b = (np.tile(x, (1, 8, 12)) for x in arrays)
    axes = slicings(make_geometry(a.shape), "axial")
    threads = torch.get_num_threads()
    found = []
    for cores in (1, 3):
        monkeypatch.setattr(workers, "usable_cores", lambda n=cores: n)
        torch.set_num_threads(cores)
        try:
            found.append(finish(SliceEngine(model, "cpu").steps(a, b, axes)))
            assert torch.get_num_threads() == cores
        finally:
            torch.set_num_threads(threads)
    assert np.array_equal(found[0].residual, found[1].residual)


def test_each_worker_computes_in_one_thread_and_leaves_the_callers_alone(monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: 3)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with workers.Workers(torch.device("cpu")) as pool:
            assert pool.count == 3
            seen = pool.map(
                lambda batch: (torch.get_num_threads(), get_ident()), [slice(k) for k in range(30)]
            )
        assert {count for count, _ in seen} == {1}
        assert get_ident() not in {thread for _, thread in seen}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)


def test_closing_stops_at_once(model, make_geometry, monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: 1)
    a = np.ones((40, 256, 256), np.float32)
    steps = SliceEngine(model, "cpu").steps(a, a, slicings(make_geometry(a.shape), "axial"))
    progress = next(steps)
    steps.close()
    assert model.batches == [1]
    assert progress.fraction == pytest.approx(1 / 40)


def test_no_torch_state_leaks_between_batches(arrays, model, make_geometry):
    steps = SliceEngine(model, "cpu").steps(*arrays, slicings(make_geometry((11, 14, 9)), "axial"))
    before = torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32
    next(steps)
    assert not torch.is_inference_mode_enabled()
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32) == before
    steps.close()


class Short(torch.nn.Module):
    """Runs out of memory above a number of slices, and on every device but the CPU."""

    def __init__(self, model, most: int, error: Exception) -> None:
        super().__init__()
        self.inner, self.most, self.error = model, most, error

    def forward(self, a, b, statistics=None, reliability=None):
        if len(a) > self.most or a.device.type != "cpu":
            raise self.error
        return self.inner(a, b)


OUT_OF_MEMORY = [
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 8 bytes"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.0 GB)"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda e: type(e).__name__)
def test_batches_are_halved_when_memory_runs_short(error, arrays, model, make_geometry):
    axes = slicings(make_geometry(arrays[0].shape), "axial")
    whole = finish(SliceEngine(model, "cpu").steps(*arrays, axes))
    model.batches.clear()
    short = SliceEngine(Short(model, 2, error), "cpu")
    maps = finish(short.steps(*arrays, axes))
    assert max(model.batches) == 2
    assert sum(model.batches) == 11
    assert np.abs(maps.residual - whole.residual).max() < 1e-6
    assert maps.notes == ["Memory ran short, so the slices were taken in smaller batches."]


def test_a_slice_too_large_for_the_memory_is_said(arrays, model, make_geometry):
    short = SliceEngine(Short(model, 0, OUT_OF_MEMORY[0]), "cpu")
    with pytest.raises(DeviceError, match="9 x 14 pixels"):
        finish(short.steps(*arrays, slicings(make_geometry(arrays[0].shape), "axial")))


def test_other_failures_of_the_network_are_not_taken_for_memory(arrays, model, make_geometry):
    short = SliceEngine(Short(model, 0, RuntimeError("shapes differ")), "cpu")
    with pytest.raises(RuntimeError, match="shapes differ"):
        finish(short.steps(*arrays, slicings(make_geometry(arrays[0].shape), "axial")))


def test_the_cpu_takes_over_from_a_gpu_without_room(arrays, make_geometry, monkeypatch):
    class Average(torch.nn.Module):
        def forward(self, a, b, statistics=None, reliability=None):
            return engine_maps((a + b) / 2)

    # The meta device computes nothing, which is enough of a GPU to run out of memory.
    monkeypatch.setattr(engine, "choose_device", lambda name: (torch.device("meta"), []))
    gpu = SliceEngine(Short(Average(), 99, OUT_OF_MEMORY[0]))
    maps = finish(gpu.steps(*arrays, slicings(make_geometry(arrays[0].shape), "axial")))
    assert maps.device == "cpu"
    assert maps.notes == ["The GPU has too little memory, so the CPU computed instead."]
    assert np.allclose(maps.residual, sum(arrays) / 2)


def engine_maps(x):
    class Maps:
        residual = reliability_a = arbitration = x

    return Maps


def allow_half_on_cpu(monkeypatch):
    monkeypatch.setattr(
        volume_pass,
        "half_precisions",
        lambda name, device: precision.half_precisions(name, torch.device("cuda")),
    )


def run(model, arrays, make_geometry, wanted):
    axes = slicings(make_geometry(arrays[0].shape), "axial")
    return finish(SliceEngine(model, "cpu", wanted).steps(*arrays, axes))


def test_half_precision_is_used_where_it_agrees(arrays, model, make_geometry, monkeypatch):
    exact = run(model, arrays, make_geometry, "float32")
    allow_half_on_cpu(monkeypatch)
    half = run(model, arrays, make_geometry, "auto")
    assert half.precision == "float16"
    difference = np.abs(half.residual - exact.residual).max()
    assert 0 < difference < 1 / 255
    assert half.residual.dtype == np.float32


class Weighted(torch.nn.Module):
    """One 1x1 convolution with large weights, and what is to be made of its result."""

    def __init__(self, weights: list[float], then) -> None:
        super().__init__()
        kernel = torch.tensor(weights, dtype=torch.float32).reshape(1, -1, 1, 1)
        self.weight = torch.nn.Parameter(kernel, requires_grad=False)
        self.then = then

    def forward(self, a, b, statistics=None, reliability=None):
        both = torch.cat([a, b], dim=1)
        return engine_maps(self.then(torch.nn.functional.conv2d(both, self.weight), a, b))


def test_half_precision_is_left_where_it_does_not(arrays, make_geometry, monkeypatch):
    allow_half_on_cpu(monkeypatch)
    difference_of_large_numbers = Weighted([900, 700], lambda x, a, b: x - 900 * a - 700 * b)
    for wanted, notes in (("auto", 0), ("float16", 1), ("bfloat16", 1)):
        maps = run(difference_of_large_numbers, arrays, make_geometry, wanted)
        assert maps.precision == "float32"
        assert len(maps.notes) == notes
        assert np.abs(maps.residual).max() < 1e-3


def test_half_precision_that_overflows_later_is_repeated(make_geometry, monkeypatch):
    allow_half_on_cpu(monkeypatch)
    a = np.full((9, 12, 12), 0.5, np.float32)
    a[3] = 0
    a[3, 5, 5] = 1  # leads beyond float16, in a slice with little else to see
    overflowing = Weighted([5e4, 5e4], lambda x, a, b: x - x + 0.5)
    maps = run(overflowing, (a, a), make_geometry, "auto")
    assert maps.precision == "float32"
    assert maps.notes == ["Half precision overflowed, so float32 was used."]
    assert (maps.residual == 0.5).all()


def test_half_precision_on_a_cpu_is_declined_plainly(arrays, model, make_geometry):
    maps = run(model, arrays, make_geometry, "bfloat16")
    assert maps.precision == "float32"
    assert maps.notes == ["bfloat16 acts on a GPU only, so float32 was used."]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("wanted", ["float32", "auto"])
def test_a_gpu_agrees_with_the_cpu(wanted, arrays, model, make_geometry):
    axes = slicings(make_geometry(arrays[0].shape), "three-plane")
    cpu = finish(SliceEngine(model, "cpu").steps(*arrays, axes))
    gpu = finish(SliceEngine(model, "cuda", wanted).steps(*arrays, axes))
    again = finish(SliceEngine(model, "cuda", wanted).steps(*arrays, axes))
    tolerance = 1e-5 if wanted == "float32" else 1 / 255
    assert np.abs(cpu.residual - gpu.residual).max() < tolerance
    assert np.array_equal(gpu.residual, again.residual)


def test_every_slice_is_fused_by_the_statistics_of_the_volumes(arrays, make_geometry, model):
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, a, b, statistics=None, reliability=None):
            seen.append(statistics)
            return model(a, b)

    finish(
        SliceEngine(Spy(), "cpu").steps(*arrays, slicings(make_geometry(arrays[0].shape), "axial"))
    )

    expected = torch.tensor([x.std(dtype=np.float64) for x in arrays]).float()
    assert seen
    for statistics in seen:
        torch.testing.assert_close(statistics.deviations, expected[None])
