"""One patient at two resolutions: equal maps are found equal, others are not."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.lab.truth.cases import cropped
from WDualMineLib.lab.truth.resolution import at_millimetres, compare_resolutions, halve
from WDualMineLib.progress import finish

pytest.importorskip("torchio", reason="the faults by physics need torchio, of the extra [truth]")


def test_halving_is_the_mean_of_four() -> None:
    x = np.arange(32, dtype=np.float32).reshape(2, 4, 4)
    halved = halve(x)
    assert halved.shape == (2, 2, 2)
    assert halved[1, 0, 1] == x[1, :2, 2:].mean()


def test_a_case_at_one_millimetre_shows_the_same(case) -> None:
    # An odd number of pixels is left by the tissue's box.
    odd = cropped(case, (slice(None), slice(1, None), slice(3, None)))
    fine = at_millimetres(odd, 1.0)
    assert fine.spacing == (2.0, 1.0, 1.0)
    assert all(side % 2 == 0 for side in fine.sources[0].shape[1:])
    volumes = [c.tissue.sum() * np.prod(c.spacing) for c in (case, fine)]
    assert volumes[1] == pytest.approx(volumes[0], rel=0.1)


def test_maps_of_the_intensities_alone_hardly_change(case) -> None:
    def pointwise(a, b, spacing):
        fixed = 0.5 + 0.3 * (a - b)
        return fixed, 1 - fixed

    rows = finish(compare_resolutions(pointwise, [case]))
    assert [row.condition for row in rows] == ["sound", "void", "shading"]
    assert all(row.mean < 1e-6 for row in rows)
    assert all(0.5 < row.stripes < 2 for row in rows)


def test_maps_that_depend_on_the_grid_are_seen(case) -> None:
    def by_pixel(a, b, spacing):
        fixed = np.full(a.shape, 0.5 if spacing[1] < 1.5 else 0.2, np.float32)
        return fixed, 1 - fixed

    (row,) = [r for r in finish(compare_resolutions(by_pixel, [case])) if r.condition == "sound"]
    assert row.mean == pytest.approx(0.3)
    assert row.percentile_99 == pytest.approx(0.3)
