"""Compiled loops compute what the network says: held against the plain formulation of it."""

import pytest

numba = pytest.importorskip("numba", reason="compiled loops need numba")

import torch
from plain_network import fused_plainly
from test_fast_formulation import head, some_network
from WDualMineLib.lab.training.ablation import WHOLE, WITHOUT
from WDualMineLib.network.compiled import loops, readiness
from WDualMineLib.network.model import DualMineNetwork
from WDualMineLib.network.statistics import joint_statistics
from WDualMineLib.network.weights import load_model
from WDualMineLib.progress import finish


@pytest.fixture(scope="module", autouse=True)
def loaded():
    readiness.prepare()
    assert finish(readiness.waited_for(0.0)), readiness.problem()


def given(size, count=2, seed=3):
    """Slices, the statistics of their volumes, and a reliability that convicts both somewhere."""
    a, b = head(*size, seed, count)
    statistics = joint_statistics(a.flatten()[None], b.flatten()[None])
    coarse = torch.rand(count, 1, 3, 3)
    reliability = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic").clamp(0, 1)
    return a, b, statistics, reliability


def in_double(statistics):
    return type(statistics)(*(x.double() for x in statistics))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(96, 64), (17, 33), (64, 5), (1, 1), (2, 70), (130, 130)])
@pytest.mark.parametrize("model", ["shipped", "other"])
def test_loops_agree_with_the_plain_formulation(model, size, layout, monkeypatch):
    network = load_model() if model == "shipped" else some_network("haar")
    network = network.to(memory_format=layout)
    a, b, statistics, reliability = given(size)
    with torch.no_grad():
        wanted = network(a, b, statistics, reliability)
        plain = fused_plainly(network, a, b, statistics, reliability)
        with readiness.used(True), monkeypatch.context() as patch:
            patch.delattr(DualMineNetwork, "_fused")
            found = network(
                *(x.contiguous(memory_format=layout) for x in (a, b)), statistics, reliability
            )
        exact = fused_plainly(
            network.double(), a.double(), b.double(), in_double(statistics), reliability.double()
        )

    # Weights at random make much of the last bit of a number: of it no more than the modules do.
    for one, other, truth, plainly in zip(
        (found.residual, found.arbitration),
        (wanted.residual, wanted.arbitration),
        exact,
        plain,
        strict=True,
    ):
        rounding = (other - truth).abs().max()
        assert (one - truth).abs().max() < max(1e-4, 3 * rounding)
        if model == "shipped":
            assert (one - plainly).abs().max() < 1e-4
    assert torch.equal(found.reliability_a, wanted.reliability_a)


def test_a_part_of_each_slice_may_be_air_and_each_may_have_its_own_statistics():
    network = load_model()
    a, b, _, reliability = given((80, 96), count=3)
    a[:, :, 50:], b[:, :, 50:], a[1], b[1] = 0, 0, 0, 0
    statistics = joint_statistics(a, b)
    with torch.inference_mode():
        wanted = network(a, b, statistics, reliability)
        with readiness.used(True):
            found = network(a, b, statistics, reliability)

    torch.testing.assert_close(found.residual, wanted.residual, atol=1e-4, rtol=0)
    assert not found.residual[1].any() and found.residual[0].abs().max() > 0.05


def test_without_a_given_reliability():
    network = load_model()
    a, b, statistics, _ = given((40, 56))
    with torch.inference_mode():
        wanted = network(a, b, statistics)
        with readiness.used(True):
            found = network(a, b, statistics)

    torch.testing.assert_close(found.residual, wanted.residual, atol=1e-4, rtol=0)


def test_what_is_not_a_number_does_no_harm():
    network = load_model()
    a, b, statistics, reliability = given((32, 32))
    # Expectations are not to be looked up: the library refuses such an index.
    reliability[:] = 0.5
    a[0, 0, 16, 16], b[1, 0, 3, 4], b[1, 0, 5, 5] = torch.nan, torch.inf, 1e30

    with torch.inference_mode(), readiness.used(True):
        network(a, b, statistics, reliability)


def test_inputs_are_left_as_they_are():
    network = load_model()
    inputs = given((32, 48))
    before = [x.clone() for x in (*inputs[:2], *inputs[2], inputs[3])]
    with torch.inference_mode(), readiness.used(True):
        network(*inputs)

    for x, y in zip((*inputs[:2], *inputs[2], inputs[3]), before, strict=True):
        assert torch.equal(x, y)


@pytest.mark.parametrize(
    "case", ["not wanted", "derivatives", "double", "half", "other wavelet", "meta", "exchanged"]
)
def test_where_loops_cannot_stand_in_the_modules_compute(case, monkeypatch):
    network = some_network("db2" if case == "other wavelet" else "haar")
    a, b, statistics, reliability = given((16, 16))
    if case == "exchanged":
        name = next(name for name in WITHOUT if name != WHOLE)
        network = WITHOUT[name](network.config).requires_grad_(False)
    if case == "double":
        network = network.double()
        a, b, reliability = (x.double() for x in (a, b, reliability))
        statistics = in_double(statistics)
    if case == "meta":
        network = network.to("meta")
        a, b, reliability = (x.to("meta") for x in (a, b, reliability))
        statistics = statistics.to("meta")

    def must_not(*_):
        raise AssertionError("loops were taken")

    monkeypatch.setattr(readiness, "_fused", must_not)
    with (
        torch.set_grad_enabled(case == "derivatives"),
        readiness.used(case != "not wanted"),
        torch.autocast("cpu", torch.bfloat16, enabled=case == "half"),
    ):
        network(a, b, statistics, reliability)


@pytest.mark.parametrize("change", ["weights", "statistics"])
def test_what_a_volume_s_slices_share_is_not_kept_too_long(change):
    network = some_network("haar")
    a, b, statistics, reliability = given((24, 40))
    with torch.inference_mode(), readiness.used(True):
        before = network(a, b, statistics, reliability)
    if change == "weights":
        with torch.no_grad():
            network.decoder.transfer.last.bias.add_(0.1)
    else:
        statistics = statistics._replace(deviations=statistics.deviations.flip(1))
    with torch.inference_mode():
        wanted = network(a, b, statistics, reliability)
        with readiness.used(True):
            found = network(a, b, statistics, reliability)

    assert (found.residual - wanted.residual).abs().max() < 2e-3
    assert (found.residual - before.residual).abs().max() > 4e-3


@pytest.mark.parametrize("name", [name for name in WITHOUT if name != WHOLE])
def test_ablation_lacks_its_part_with_loops_too(name):
    torch.manual_seed(1)
    network = WITHOUT[name](some_network("haar").config).requires_grad_(False)
    inputs = given((32, 32))
    with torch.inference_mode():
        wanted = network(*inputs)
        with readiness.used(True):
            found = network(*inputs)

    torch.testing.assert_close(found.residual, wanted.residual, atol=1e-4, rtol=0)


def test_functions_are_those_of_the_library():
    x = torch.linspace(-30, 30, 60001)
    for name, wanted, tolerance in (
        ("exp", torch.exp(x.double()), 2e-6),
        ("sigmoid", torch.sigmoid(x.double()), 2e-6),
    ):
        found = torch.tensor([getattr(loops, name)(value) for value in x.numpy()])
        assert ((found - wanted) / wanted).abs().max() < tolerance, name
    found = torch.tensor([loops.log(value) for value in torch.exp(x).numpy()])
    torch.testing.assert_close(found.double(), x.double(), atol=2e-6, rtol=0)
    found = torch.tensor([loops.tanh(value) for value in x.numpy()])
    torch.testing.assert_close(found.double(), torch.tanh(x.double()), atol=2e-7, rtol=0)
    assert loops.tanh(x.numpy().dtype.type(0)) == 0, "air must stay air"


def test_where_nothing_can_be_kept_loops_are_compiled_all_the_same(monkeypatch):
    njit = numba.njit

    def nowhere_to_keep(*functions, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available for file")
        return njit(*functions, **options)

    monkeypatch.setattr(numba, "njit", nowhere_to_keep)

    assert loops.compiled(lambda x: x + x)(2.5) == 5.0


def test_loading_draws_no_random_numbers(monkeypatch):
    torch.manual_seed(7)
    state = torch.get_rng_state()
    monkeypatch.setattr(readiness, "_fused", None)

    readiness._load()

    assert readiness.ready() and torch.equal(torch.get_rng_state(), state)
