from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from WDualMineLib.progress import finish
from WDualMineLib.quality import volume_measures
from WDualMineLib.quality.edges import qabf
from WDualMineLib.quality.information import mi
from WDualMineLib.quality.pearson import cc, cc_ratio
from WDualMineLib.quality.similarity import ssim
from WDualMineLib.quality.volume_measures import VOLUME_METRICS, flicker, measure_volume_steps


@pytest.fixture
def levels():
    """Fused and two sources, (6, 24, 20) uint8, the first slice air."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 6, 24, 20))
    noise = rng.integers(-9, 10, a.shape)
    fused = np.clip((a + b) // 2 + noise, 0, 255)
    volumes = np.stack([fused, a, b]).astype(np.uint8)
    volumes[:, 0] = 0
    return volumes


def measure(fused, a, b, axis=0):
    return finish(measure_volume_steps(fused, a, b, axis))


def test_the_whole_is_measured_over_all_voxels(levels):
    whole = measure(*levels / 255.0).whole
    assert tuple(whole) == VOLUME_METRICS
    assert whole["CC"] == pytest.approx(cc(*levels), abs=1e-10)
    assert whole["CC/bound"] == pytest.approx(cc_ratio(*levels), abs=1e-10)
    assert whole["MI"] == pytest.approx(mi(*levels), abs=1e-10)


def test_slices_are_measured_as_images_and_air_is_left_out(levels):
    measures = measure(*levels / 255.0)
    for name, function in (("CC", cc), ("MI", mi), ("SSIM", ssim), ("Qabf", qabf)):
        expected = [function(*levels[:, k]) for k in range(1, 6)]
        assert measures.slices[name][1:] == pytest.approx(expected, abs=1e-10)
        assert np.isnan(measures.slices[name][0])
    assert measures.whole["SSIM"] == pytest.approx(np.nanmean(measures.slices["SSIM"]))


def test_a_volume_of_one_slice_is_that_image(levels):
    measures = measure(*levels[:, 2:3] / 255.0)
    assert measures.whole["Qabf"] == pytest.approx(qabf(*levels[:, 2]), abs=1e-12)
    assert np.isnan(measures.flicker)


def test_qabf_of_the_whole_weighs_slices_by_their_gradients(levels):
    # With a margin of air, slices laid side by side have the gradients that each has alone.
    volumes = levels[:, 1:].copy()
    volumes[:, :, [0, -1], :] = volumes[:, :, :, [0, -1]] = 0
    volumes[1:, 1:3] //= 8
    measures = measure(*volumes / 255.0)
    side_by_side = [np.concatenate(list(volume)) for volume in volumes]
    assert measures.whole["Qabf"] == pytest.approx(qabf(*side_by_side), abs=1e-12)
    assert abs(measures.whole["Qabf"] - measures.slices["Qabf"].mean()) > 0.01


def test_slices_run_along_the_axis_asked_for(levels):
    volumes = levels / 255.0
    turned = measure(*(np.moveaxis(volume, 0, 2) for volume in volumes), axis=2)
    straight = measure(*volumes)
    assert turned.whole == pytest.approx(straight.whole)
    assert turned.flicker == pytest.approx(straight.flicker)


def test_flicker_counts_change_that_the_sources_do_not_have():
    ramp = np.arange(8.0)[:, None, None] * np.ones((8, 4, 4))
    jumping = ramp + np.where(np.arange(8) % 2, 3.0, -3.0)[:, None, None]
    assert flicker(ramp, ramp, ramp) == pytest.approx(1)
    assert flicker(jumping, ramp, ramp) > 4
    assert flicker(np.zeros((8, 4, 4)), ramp, ramp) == 0
    assert np.isnan(flicker(ramp, ramp * 0, ramp * 0))


def test_progress_rises_and_the_work_can_be_stopped(levels):
    steps = measure_volume_steps(*levels / 255.0)
    fractions = [next(steps).fraction for _ in range(6)]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    steps.close()


def test_only_air_is_undefined_and_shapes_must_agree():
    zeros = np.zeros((3, 9, 9))
    assert all(
        np.isnan(value)
        for name, value in measure(zeros, zeros, zeros).whole.items()
        if name != "MI"
    )
    with pytest.raises(ValueError, match="one shape"):
        measure(zeros, zeros, zeros[1:])


def test_the_number_of_cores_does_not_show(monkeypatch):
    volumes = np.random.default_rng(3).random((3, 7, 20, 24), dtype=np.float32)
    found = []
    for cores in (1, 3):
        monkeypatch.setattr(volume_measures, "usable_cores", lambda n=cores: n)
        found.append(finish(volume_measures.measure_volume_steps(*volumes, axis=1)))

    assert found[0].whole == found[1].whole and found[0].flicker == found[1].flicker
    for name in volume_measures.VOLUME_METRICS:
        np.testing.assert_array_equal(found[0].slices[name], found[1].slices[name])


def test_flicker_is_that_of_what_is_measured():
    volumes = np.random.default_rng(4).random((3, 5, 16, 16), dtype=np.float32)

    measured = finish(volume_measures.measure_volume_steps(*volumes)).flicker

    levels = [np.rint(x * 255).astype(np.uint8) for x in volumes]
    assert measured == pytest.approx(volume_measures.flicker(*levels), rel=1e-6)


def test_memory_does_not_grow_with_the_slices(monkeypatch):
    monkeypatch.setattr(volume_measures, "usable_cores", lambda: 2)

    def peak(count):
        volumes = np.random.default_rng(5).random((3, count, 48, 48), dtype=np.float32)
        tracemalloc.start()
        measure(*volumes)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # Levels of the volumes alone, kept as 8 bit, would take 2 MB more. The least of three counts,
    # for what is freed late in this process would count otherwise.
    few, many = (min(peak(count) for _ in range(3)) for count in (320, 620))
    assert many - few < 1e6
