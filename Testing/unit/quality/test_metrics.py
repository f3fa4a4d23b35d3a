from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.quality.metrics import METRICS, ag, measure_pair, sf


def test_every_measure_is_finite_and_named(pair, fused):
    measures = measure_pair(fused, *pair)
    assert tuple(measures) == METRICS
    assert METRICS == ("CC", "CC/bound", "MI", "SSIM", "Qabf", "VIF", "SCD", "SF", "AG", "EN")
    assert all(isinstance(value, float) and np.isfinite(value) for value in measures.values())


def test_bytes_and_floats_measure_alike(pair, fused):
    floats = measure_pair(fused, *pair)
    as_bytes = measure_pair(*(image.astype(np.uint8) for image in (fused, *pair)))
    assert as_bytes == pytest.approx(floats, abs=1e-9)


def test_swapping_the_sources_changes_nothing(pair, fused):
    a, b = pair
    assert measure_pair(fused, a, b) == pytest.approx(measure_pair(fused, b, a), abs=1e-9)


def test_spatial_frequency_and_average_gradient_of_a_ramp():
    ramp = 3.0 * np.arange(20)[None, :] + 4.0 * np.arange(15)[:, None]
    assert sf(ramp) == pytest.approx(5)
    assert ag(ramp) == pytest.approx(5 / np.sqrt(2))


def test_average_gradient_does_not_wrap_around_in_bytes():
    falling = np.tile(np.array([250, 200, 10], np.uint8), (3, 1))
    assert ag(falling) == pytest.approx(ag(falling.astype(float)))
    assert sf(falling) == pytest.approx(np.sqrt((50**2 + 190**2) / 2))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="one shape"):
        measure_pair(np.zeros((8, 8)), np.zeros((8, 9)), np.zeros((8, 8)))
    with pytest.raises(ValueError, match="2-D"):
        measure_pair(*[np.zeros((3, 8, 8))] * 3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (5, 4), (16, 16), (20, 300)])
def test_images_of_any_size_are_measured_as_far_as_they_can_be(shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.uint8)
    measures = measure_pair(*images)
    assert np.isfinite([measures[name] for name in ("MI", "Qabf", "EN")]).all()
    assert np.isfinite(measures["SSIM"]) == (min(shape) >= 7)
    assert np.isfinite(measures["VIF"]) == (min(shape) >= 17)
    assert np.isfinite(measures["AG"]) == np.isfinite(measures["SF"]) == (min(shape) >= 2)


@pytest.mark.filterwarnings("error")
def test_constant_images_are_undefined_without_a_warning():
    flat = np.full((20, 20), 9, np.uint8)
    measures = measure_pair(flat, flat, flat)
    undefined = {name for name, value in measures.items() if np.isnan(value)}
    assert undefined == {"CC", "CC/bound", "VIF", "SCD"}
