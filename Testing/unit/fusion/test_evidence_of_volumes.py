"""Evidence of whole volumes: one patient, one map, whatever the grid, the order, the slabs."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from WDualMineLib.fusion import evidence, evidence_grid
from WDualMineLib.fusion.evidence import reliability_steps, slab_scores
from WDualMineLib.fusion.evidence_grid import EvidenceGrid
from WDualMineLib.network.evidence import Evidence
from WDualMineLib.network.weights import load_model
from WDualMineLib.progress import finish


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = Evidence((4, 6, 8, 8)).eval()
    # At its start everything is sound; these tests want a map with something in it.
    torch.nn.init.zeros_(network.direct.bias)
    return network


def volumes(shape=(40, 48, 56)):
    places = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = sum(x**2 for x in places) < 1.2
    a = inside * (0.5 + 0.3 * np.sin(6 * places[2] + 2 * places[0]))
    b = inside * (0.4 + 0.3 * np.cos(5 * places[1]))
    return a.astype(np.float32), b.astype(np.float32)


def reliability(network, a, b, spacing):
    result = np.empty(a.shape, np.float32)
    finish(reliability_steps(network, a, b, spacing, result))
    return result


@pytest.mark.parametrize(
    ("spacing", "group", "rows"),
    [((0.5, 0.5, 0.5), 4, 24), ((1.0, 1.0, 1.0), 2, 48), ((5.0, 2.0, 1.0), 1, 96),
     ((3.0, 10.0, 10.0), 1, 192)],
)  # fmt: skip
def test_slices_are_brought_to_a_millimetre_in_plane_and_about_two_across(spacing, group, rows):
    grid = EvidenceGrid.of((40, 48, 56), spacing)

    assert (grid.group, grid.rows) == (group, rows)
    assert grid.distance == pytest.approx(group * spacing[0])


@pytest.mark.parametrize("shape", [(1, 16, 16), (2, 7, 300), (16, 16, 16), (5, 1, 1)])
@pytest.mark.parametrize("spacing", [(0.2, 0.2, 0.2), (1.0, 1.0, 1.0), (10.0, 10.0, 10.0)])
def test_any_size_and_spacing(network, shape, spacing):
    rng = np.random.default_rng(0)
    a, b = rng.random((2, *shape)).astype(np.float32)

    found = reliability(network, a, b, spacing)

    assert found.shape == shape and found.min() >= 0 and found.max() <= 1


def test_volumes_too_small_to_compare_places_are_not_judged(network):
    a, b = np.random.default_rng(0).random((2, 16, 16, 16)).astype(np.float32)

    assert (reliability(network, a, b, (2.0, 2.0, 2.0)) == 0.5).all()
    assert (reliability(network, a, b, (3.0, 3.0, 3.0)) != 0.5).any()


def test_small_slices_are_judged_beside_large_ones(network):
    a, b = volumes((12, 64, 64))
    a[0, :, :28] = b[0, :, :28] = a[0, :, 36:] = b[0, :, 36:] = 0

    found = reliability(network, a, b, (2.0, 1.0, 1.0))

    assert (found[0] != 0.5).any()


def test_a_volume_that_lies_the_other_way_round_is_judged_alike(network):
    a, b = volumes()

    found = reliability(network, a, b, (1.0, 1.0, 1.0))
    turned = reliability(network, a[:, ::-1, ::-1], b[:, ::-1, ::-1], (1.0, 1.0, 1.0))

    assert np.ptp(found) > 0.01
    np.testing.assert_allclose(turned[:, ::-1, ::-1], found, atol=2e-3)


def test_other_planes_are_looked_at_where_they_show_enough(network, monkeypatch):
    looked = []
    scores = evidence.slab_scores

    def noting(network, a, b, grid, *rest):
        looked.append((grid.slices, round(grid.distance)))
        return scores(network, a, b, grid, *rest)

    monkeypatch.setattr(evidence, "slab_scores", noting)
    a, b = volumes((40, 48, 56))

    def planes(spacing):
        looked.clear()
        reliability(network, a, b, spacing)
        return set(looked)

    assert planes((2.0, 2.0, 2.0)) == {(40, 2), (48, 4), (56, 4)}
    assert planes((5.0, 5.0, 5.0)) == {(40, 5), (48, 5), (56, 5)}, "cubes show all planes alike"
    assert planes((5.0, 2.0, 2.0)) == {(40, 5)}, "thick slices"
    assert planes((1.0, 2.0, 2.0)) == {(40, 2)}, "a thin slab"


def test_air_is_exactly_one_half(network):
    a, b = volumes()

    found = reliability(network, a, b, (1.0, 1.0, 1.0))

    assert (found[(a == 0) & (b == 0)] == 0.5).all()
    assert (found[a > 0] != 0.5).any()


def test_slabs_do_not_show(network, monkeypatch):
    a, b = volumes()
    whole = reliability(network, a, b, (2.0, 1.0, 1.0))

    monkeypatch.setattr(evidence, "_SLAB_PIXELS", 0)
    monkeypatch.setattr(evidence, "_FEWEST", 5)

    np.testing.assert_allclose(reliability(network, a, b, (2.0, 1.0, 1.0)), whole, atol=5e-4)


@pytest.mark.parametrize("spacing", [(0.5, 1.5, 1.5), (1.1, 1.0, 1.0), (4.0, 0.7, 0.9)])
def test_slices_averaged_in_parts_are_those_averaged_at_once(network, spacing, monkeypatch):
    a, b = volumes((41, 48, 56))
    wanted = reliability(network, a, b, spacing)

    # A group of slices at a time.
    monkeypatch.setattr(evidence_grid, "_TOGETHER", 1)

    assert np.array_equal(reliability(network, a, b, spacing), wanted)
    assert np.ptp(wanted) > 0.01, "nothing was compared"


def test_the_same_patient_on_a_finer_grid():
    network = load_model().evidence
    a, b = volumes((24, 40, 40))
    # Something to be suspected, for a map that is 1/2 everywhere would prove nothing.
    faulty = np.zeros(a.shape, bool)
    faulty[8:16, 12:28, 12:28] = True
    noise = np.random.default_rng(0).normal(0, 0.25, a.shape)
    a = (a + faulty * noise).clip(0, 1).astype(np.float32)
    fine = [
        F.interpolate(torch.from_numpy(x)[None, None], scale_factor=2, mode="trilinear").numpy()
        for x in (a, b)
    ]

    of_coarse = slab_scores(network, a, b, EvidenceGrid.of(a.shape, (2.0,) * 3), 0, 24)[0].float()
    x, y = (x[0, 0] for x in fine)
    of_fine = slab_scores(network, x, y, EvidenceGrid.of(x.shape, (1.0,) * 3), 0, 24)[0].float()

    # Two pixels of 2 mm are a cell.
    a, b = (x[:, ::2, ::2] for x in (a, b))
    tissue = torch.from_numpy((a > 0) | (b > 0))
    coarse, same = (s[0][tissue] for s in (of_coarse, of_fine))
    fault = torch.from_numpy(faulty[:, ::2, ::2])
    assert of_coarse[0][fault].mean() > coarse.mean() + 0.2
    assert torch.corrcoef(torch.stack([coarse, same]))[0, 1] > 0.85


def test_exchanging_the_volumes_exchanges_the_maps(network):
    a, b = volumes()

    forward = reliability(network, a, b, (2.0, 1.0, 1.0))
    backward = reliability(network, b, a, (2.0, 1.0, 1.0))

    np.testing.assert_allclose(forward + backward, 1, atol=2e-3)


def test_progress_is_told_and_closing_stops(network):
    a, b = volumes()
    steps = reliability_steps(network, a, b, (2.0, 1.0, 1.0), np.empty(a.shape, np.float32))

    step = next(steps)
    steps.close()

    assert 0 < step.fraction <= 1 and "Looked for faults" in step.message
