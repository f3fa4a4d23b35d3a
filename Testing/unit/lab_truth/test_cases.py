"""Cases are windowed as ``fuse`` does it, and what is cropped stays in its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.lab.truth.cases import bounded, make_case
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

EYE = (1, 0, 0, 0, 1, 0, 0, 0, 1)


def _pair() -> tuple[Volume, Volume, Volume]:
    rng = np.random.default_rng(0)
    body = np.zeros((12, 40, 44), np.float32)
    body[2:10, 12:30, 10:35] = 1
    shown = body * rng.uniform(200, 900, body.shape)
    grid = Geometry((44, 40, 12), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0), EYE)
    fixed = Volume(shown.astype(np.float32), grid, "t1", "MR")
    coarse = Geometry((11, 10, 9), (4.0, 4.0, 4.0), (1.5, 1.5, 0.5), EYE)
    uptake = rng.uniform(1, 7, (9, 10, 11)).astype(np.float32)
    mask = np.zeros(uptake.shape, np.uint8)
    mask[3:6, 4:6, 4:7] = 1
    return fixed, Volume(uptake, coarse, "pet", "PT"), Volume(mask, coarse, "tumour")


def test_a_case_is_what_fuse_makes_of_the_volumes() -> None:
    fixed, moving, tumour = _pair()
    case = make_case("x", "T1+PET", "test", fixed, moving, lesion=tumour)
    pair = prepare(fixed, moving, FusionSettings())
    assert case.modalities == ("T1", "PET")
    assert case.spacing == (3.0, 1.0, 1.0)
    for source, whole in zip(case.sources, (pair.fixed, pair.moving), strict=True):
        assert np.isin(source, whole).all()
    # In its own units, not in those of the window.
    assert case.uptake.max() > 5
    there, here = (x.sum() * v for x, v in ((tumour.array, 64), (case.lesion, 3)))
    assert 0.8 * there < here < 1.2 * there


def test_cropping_keeps_voxels_where_they_are(case) -> None:
    small = bounded(case, largest=8 * 40 * 36)
    assert len(small.sources[0]) < len(case.sources[0])
    there = small.geometry.ijk_to_lps @ (2, 3, 4, 1)
    i, j, k = np.rint(np.linalg.inv(case.geometry.ijk_to_lps) @ there)[:3].astype(int)
    for x, y in zip(small.sources, case.sources, strict=True):
        assert x.shape == small.geometry.array_shape
        assert x[4, 3, 2] == y[k, j, i]
    assert small.lesion[4, 3, 2] == case.lesion[k, j, i]
    assert small.lesion.any()


def test_air_far_from_the_tissue_goes_and_tissue_does_not(case) -> None:
    wide = replace(
        case,
        sources=tuple(np.pad(x, ((0, 0), (30, 30), (30, 30))) for x in case.sources),
        geometry=replace(case.geometry, size=(96, 100, 24)),
        lesion=None,
        uptake=None,
    )
    small = bounded(wide)
    assert small.tissue.sum() == wide.tissue.sum()
    assert small.tissue.shape[1] < 60
