"""Scores of several planes put together and smoothed: what is silent takes no part."""

import pytest
import torch
from WDualMineLib.fusion.score_maps import SHARPENED, gaussian, of_planes, smoothed
from WDualMineLib.network.evidence import SILENT

CELLS = (3.0, 4.0, 4.0)


def test_planes_count_by_their_weights():
    planes = [(torch.full((2, 4, 4, 4), 3.0), 2.0), (torch.full((2, 4, 4, 4), -3.0), 1.0)]

    assert torch.allclose(of_planes(planes, (4, 4, 4)), torch.tensor(1.0))


def test_a_plane_that_is_silent_says_nothing_of_that_place():
    own, other = torch.full((2, 4, 4, 4), 3.0), torch.full((2, 2, 4, 4), -3.0)
    own[:, 0], other[:, 0] = SILENT, SILENT

    found = of_planes([(own, 2.0), (other, 1.0)], (4, 4, 4))

    assert (found[:, 0] == SILENT).all(), "silent in both"
    assert torch.allclose(found[:, 3], torch.tensor(1.0))
    assert found[:, 1:].min() >= 1.0 - 1e-6, "what is silent is not averaged in"


def test_slices_of_a_fault_are_suspected_alike():
    scores = torch.zeros(2, 9, 4, 4)
    scores[0, 4] = 10

    across = gaussian(scores, 1, 1.0)

    assert across[0, :, 0, 0].sum() == pytest.approx(10, rel=0.01)
    assert across[0, 3:6, 0, 0].min() > 2 and not across[1].any()
    assert torch.equal(gaussian(scores, 1, 0.1), scores), "far apart: left as they are"


def test_what_is_suspected_all_around_is_suspected_more_than_a_single_place():
    single, region = torch.full((2, 2, 12, 40, 40), -4.0)
    single[0, 6, 20, 20] = region[0, :, 10:30, 10:30] = 2.0
    tissue = torch.ones(12, 40, 40)

    alone, together = (smoothed(x, tissue, CELLS)[0, 6, 20, 20] for x in (single, region))

    assert together > alone + 4
    assert torch.allclose(
        smoothed(single, tissue, CELLS)[1], torch.tensor(SHARPENED * -4.0), atol=1e-4
    )


def test_air_around_takes_no_part():
    scores = torch.full((2, 12, 40, 40), -8.0)
    tissue = torch.zeros(12, 40, 40)
    tissue[:, 16:24, 16:24] = 1
    scores[:, :, 16:24, 16:24] = 2.0

    found = smoothed(scores, tissue, CELLS)[:, 6, 20, 20]

    assert torch.allclose(found, torch.tensor(SHARPENED * 2.0), atol=1e-3)


def test_silent_places_stay_silent():
    scores = torch.full((2, 12, 8, 8), 2.0)
    scores[:, :6] = SILENT

    found = smoothed(scores, torch.ones(12, 8, 8), CELLS)

    assert (found[:, :6] == SILENT).all() and found[:, 11].min() > 1.5
