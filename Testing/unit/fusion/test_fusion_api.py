"""The whole path from two volumes to a result, with bad input refused on the way."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import WDualMineLib
from WDualMineLib.errors import InputError, WeightsError
from WDualMineLib.fusion import workers
from WDualMineLib.fusion.colour import luminance
from WDualMineLib.fusion.preview import fuse_slice
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.fusion.slices import Slicing
from WDualMineLib.pipeline.run import fuse, fuse_steps
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

CPU = FusionSettings(device="cpu")


def test_the_result_is_complete_and_on_the_fixed_grid(make_pair, model):
    fixed, moving = make_pair()
    settings = replace(CPU, correlation_floor=0.9)
    result = fuse(fixed, moving, settings, model=model)
    maps = (result.fused, result.reliability_fixed, result.reliability_moving, result.arbitration)
    for volume in maps:
        assert volume.geometry is fixed.geometry
        assert volume.array.dtype == np.float32
        assert volume.array.min() >= 0
        assert volume.array.max() <= 1
    total = result.reliability_fixed.array + result.reliability_moving.array
    assert np.allclose(total, 1, atol=1e-6)
    assert result.colour is None
    assert result.settings is settings
    assert result.notes == []
    json.dumps(result.measures, allow_nan=False)
    assert all(type(v) in (int, float, str, bool) for v in result.measures.values())


def test_fused_is_the_average_and_the_residual_where_the_floor_is_off(make_pair, model):
    fixed, moving = make_pair()
    result = fuse(fixed, moving, replace(CPU, strength=0.5, correlation_floor=0), model=model)
    a, b = result.pair.fixed, result.pair.moving
    assert np.array_equal(a, np.clip(fixed.array / 80, 0, 1))
    air = (a == 0) & (b == 0)
    wanted = (a + b) / 2 + 0.5 * result.residual
    # Half of this residual leaves the unit range nowhere, and comes near its dark end seldom.
    assert wanted.max() <= 1
    fits = ~air & (wanted > (a + b) / 8)
    assert fits.sum() > 0.9 * (~air).sum()
    assert np.abs(result.fused.array - wanted)[fits].max() < 1e-6
    assert not result.fused.array[air].any()
    assert np.array_equal(result.average, (a + b) / 2)
    assert air.any()
    assert np.abs(result.residual[air]).max() > 0  # the network is not silent there, the result is
    plain = fuse(fixed, moving, replace(CPU, strength=0, correlation_floor=0), model=model)
    assert np.array_equal(plain.fused.array, result.average)


def test_the_floor_holds_for_the_file(make_pair, model, tmp_path):
    fixed, moving = make_pair()
    result = fuse(fixed, moving, replace(CPU, correlation_floor=0.995), model=model)
    assert result.measures["cc_over_bound_before_floor"] < 0.995
    written = read_volume(write_volume(result.fused, tmp_path / "fused.nrrd"))
    a, b = result.pair.fixed, result.pair.moving
    r = np.corrcoef([np.float64(x).ravel() for x in (written.array, a, b)])
    cc, bound = (r[0, 1] + r[0, 2]) / 2, np.sqrt((1 + r[1, 2]) / 2)
    assert cc >= 0.995 * bound - 1e-9
    assert result.measures["cc"] == pytest.approx(cc, abs=1e-9)
    assert result.measures["cc_bound"] == pytest.approx(bound, abs=1e-9)
    assert result.measures["floor_met"]
    assert written.geometry == fixed.geometry
    assert not written.array[(a == 0) & (b == 0)].any()


def test_the_way_back_to_units_is_in_the_attributes(make_pair, model):
    fixed, moving = make_pair()
    result = fuse(fixed, moving, replace(CPU, fixed_window=(-200, 300)), model=model)
    attributes = result.fused.attributes
    low, high = attributes["fixed_window_low"], attributes["fixed_window_high"]
    assert (low, high, attributes["fixed_units"]) == (-200, 300, "HU")
    inside = (fixed.array > low) & (fixed.array < high)
    units = low + (high - low) * result.pair.fixed
    assert np.abs(units - fixed.array)[inside].max() < 1e-3
    assert attributes["moving_window"] == "mr"
    assert attributes["moving_name"] == moving.name


def test_a_new_look_needs_no_network_and_equals_a_new_fusion(make_pair, model):
    pair = make_pair()
    first = fuse(*pair, replace(CPU, colour="PET-Heat"), model=model)
    calls = len(model.batches)
    look = first.with_look(strength=1.7, correlation_floor=0.99)
    assert len(model.batches) == calls
    settings = replace(CPU, colour="PET-Heat", strength=1.7, correlation_floor=0.99)
    fresh = fuse(*pair, settings, model=model)
    assert look.settings == settings
    assert np.array_equal(look.fused.array, fresh.fused.array)
    assert np.array_equal(look.colour.array, fresh.colour.array)
    assert look.fused.attributes == fresh.fused.attributes
    for name in ("cc", "floor_kept", "flicker", "cc_over_bound_in_colour"):
        assert look.measures[name] == fresh.measures[name]
    assert not np.array_equal(look.fused.array, first.fused.array)
    assert look.reliability_fixed is first.reliability_fixed
    assert np.array_equal(look.with_look(1.0, 0.985).fused.array, first.fused.array)
    with pytest.raises(InputError):
        first.with_look(strength=3)


@pytest.mark.parametrize("axis", ["axial", "coronal", "three-plane"])
def test_the_order_of_storage_does_not_matter(axis, make_pair, model):
    fixed, moving = make_pair()
    wanted = fuse(fixed, moving, replace(CPU, axis=axis), model=model)

    def stored_otherwise(volume: Volume) -> Volume:
        # K, J, I become I, K, J, and the new first axis runs backwards.
        g = volume.geometry
        array = np.ascontiguousarray(volume.array.transpose(2, 0, 1)[::-1])
        directions = g.direction_matrix[:, [1, 2, 0]] * (1, 1, -1)
        origin = g.ijk_to_lps @ (g.size[0] - 1, 0, 0, 1)
        geometry = Geometry(
            (g.size[1], g.size[2], g.size[0]),
            (g.spacing[1], g.spacing[2], g.spacing[0]),
            tuple(origin[:3]),
            tuple(directions.ravel()),
        )
        return Volume(array, geometry, volume.name, volume.modality)

    other = fuse(*map(stored_otherwise, (fixed, moving)), replace(CPU, axis=axis), model=model)
    for volume in ("fused", "reliability_fixed", "arbitration"):
        back = getattr(other, volume).array[::-1].transpose(1, 2, 0)
        assert np.abs(back - getattr(wanted, volume).array).max() < 1e-6
    assert other.measures["flicker"] == pytest.approx(wanted.measures["flicker"], rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 16, 16), (16, 1, 16), (16, 16, 16), (5, 17, 1), (3, 40, 7)])
@pytest.mark.parametrize("axis", ["axial", "three-plane"])
def test_any_size_works(shape, axis, make_geometry, model):
    rng = np.random.default_rng(0)
    pair = [Volume(rng.random(shape, np.float32), make_geometry(shape), n) for n in ("a", "b")]
    result = fuse(*pair, replace(CPU, axis=axis), model=model)
    assert result.fused.array.shape == shape
    if shape[0] == 1:
        assert result.measures["flicker"] is None


def test_left_handed_and_sheared_grids_work(make_pair, model):
    for direction in (np.diag([1.0, 1, -1]), [[1, 0, 0], [0, 1, 0.33], [0, 0, 0.94]]):
        fixed, moving = make_pair(direction=direction)
        result = fuse(fixed, moving, CPU, model=model)
        assert result.fused.geometry == fixed.geometry


def test_moving_is_brought_to_the_fixed_grid(make_pair, model):
    fixed, moving = make_pair((12, 18, 16))
    # Every second column and row of the same field of view, by half the field in K.
    g = moving.geometry
    coarse = Volume(
        moving.array[:6, ::2, ::2].copy(),
        Geometry((8, 9, 6), (2.5, 3.0, 3.0), g.origin, g.direction),
        "coarse MR",
        "MR",
    )
    result = fuse(fixed, coarse, CPU, model=model)
    assert result.fused.geometry == fixed.geometry
    assert np.allclose(
        result.pair.moving[0, ::2, ::2], result.pair.moving_window.apply(coarse.array)[0], atol=1e-5
    )
    assert not result.pair.moving[8:].any()
    assert any("coarse MR was resampled to the grid of" in note for note in result.notes)
    assert any("%" in note and "counts as black" in note for note in result.notes)


def test_outside_its_field_of_view_the_moving_volume_is_black(make_pair, model):
    fixed, moving = make_pair()
    g = moving.geometry
    part = Volume(moving.array[:6] + 500, replace(g, size=(*g.size[:2], 6)), "half of an MR", "MR")
    result = fuse(fixed, part, replace(CPU, moving_window=(0, 1500)), model=model)
    assert result.pair.moving[:6].min() > 0.3
    assert not result.pair.moving[6:].any()


def test_voxels_that_are_not_finite_are_replaced_and_reported(make_pair, model):
    fixed, moving = make_pair()
    moving.array[4, 5, 6:9] = (np.nan, np.inf, -np.inf)
    result = fuse(fixed, moving, replace(CPU, correlation_floor=0), model=model)
    assert np.isfinite(result.fused.array).all()
    assert not result.pair.moving[4, 5, 6:9].any()
    assert len(result.notes) == 1
    assert result.notes[0].startswith("3 voxels of MR of a phantom are NaN or infinite")

    shifted = replace(moving.geometry, origin=tuple(x + 0.3 for x in moving.geometry.origin))
    result = fuse(fixed, Volume(moving.array, shifted, "shifted", "MR"), CPU, model=model)
    assert np.isfinite(result.pair.moving).all()
    assert any(note.startswith("3 voxels of shifted") for note in result.notes)
    # They darken what lies between them and their neighbours, but blot nothing out.
    whole = moving.array.copy()
    whole[4, 5, 6:9] = 300
    sound = fuse(fixed, Volume(whole, shifted, "shifted", "MR"), CPU, model=model).pair.moving
    assert (result.pair.moving[sound > 0] == 0).mean() < 0.005


def test_what_reading_told_is_passed_on(make_pair, model):
    fixed, moving = make_pair()
    told = replace(fixed, name="ct", notes=("tilted", "uneven"))
    settings = replace(CPU, correlation_floor=0)
    assert fuse(told, moving, settings, model=model).notes == ["tilted", "uneven"]


def test_colour_has_the_fused_luminance(make_pair, model):
    fixed, moving = make_pair()
    result = fuse(fixed, moving, replace(CPU, colour="hot"), model=model)
    assert result.colour.geometry == fixed.geometry
    assert result.colour.array.dtype == np.uint8
    assert np.abs(luminance(result.colour.array) - result.fused.array).max() < 1.5 / 255
    assert result.measures["cc_over_bound_in_colour"] > 0.984
    assert result.fused.attributes["luminance_of_colours"] == "moving"
    colourful = np.ptp(result.colour.array.astype(int), axis=-1) > 20
    assert colourful[(moving.array > 150) & (result.fused.array < 0.8)].mean() > 0.9
    assert not colourful[result.pair.moving == 0].any()


def test_the_functional_volume_gives_the_colour_even_if_it_is_the_fixed_one(make_pair, model):
    ct, mr = make_pair()
    pet = Volume(mr.array, mr.geometry, "pet", "PT")
    result = fuse(pet, ct, replace(CPU, colour="PET-Heat"), model=model)
    assert result.fused.attributes["luminance_of_colours"] == "fixed"


def test_progress_rises_to_one_and_may_stop_the_work(make_pair, model):
    pair = make_pair()
    seen = []
    fuse(*pair, CPU, progress=seen.append, model=model)
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert all(step.message for step in seen)

    def interrupt(step):
        if step.fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuse(*pair, CPU, progress=interrupt, model=model)


def test_closing_the_generator_cancels(make_pair, model, monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: 2)
    steps = fuse_steps(*make_pair((40, 256, 256)), CPU, model=model)
    while next(steps).fraction < 0.2:
        pass
    steps.close()
    assert sum(model.batches) < 12


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda v: np.zeros_like(v), "constant"),
        (lambda v: np.full_like(v, np.nan), "no finite voxel"),
        (lambda v: np.stack([v] * 3, axis=-1), "colour volume"),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_bad_volumes_are_refused_before_the_network_is_loaded(spoil, says, which, make_pair):
    pair = list(make_pair())
    pair[which] = Volume(spoil(pair[which].array), pair[which].geometry, "bad one")
    with pytest.raises(InputError, match=says) as error:
        fuse(*pair, replace(CPU, weights="no such file"))
    assert "bad one" in str(error.value)


def test_volumes_apart_are_refused(make_pair, model):
    fixed, moving = make_pair()
    far = replace(moving.geometry, origin=(500.0, 0.0, 0.0))
    with pytest.raises(InputError, match="overlap"):
        fuse(fixed, Volume(moving.array, far, "elsewhere"), CPU, model=model)


def test_volumes_that_share_nothing_but_air_are_refused(make_pair, model):
    fixed, moving = make_pair()
    moving.array[..., -3:] = 0
    aside = replace(moving.geometry, origin=(-20.1 - 1.25 * 14, 11.7, 5.03))
    with pytest.raises(InputError, match="one value where the two volumes overlap"):
        fuse(fixed, Volume(moving.array, aside, "aside"), CPU, model=model)


def test_a_ct_window_on_other_units_is_questioned(make_pair, model):
    fixed, moving = make_pair()
    result = fuse(fixed, moving, replace(CPU, moving_window="ct-soft"), model=model)
    assert "Hounsfield" in result.notes[0]


def test_wrong_weights_and_tables_are_refused(make_pair):
    with pytest.raises(WeightsError, match="nowhere"):
        fuse(*make_pair(), replace(CPU, weights="nowhere.pt"))
    with pytest.raises(InputError, match="colour table"):
        fuse(*make_pair(), replace(CPU, colour="no such table"))


def test_a_floor_that_leaves_little_of_the_network_is_said(make_pair):
    class Noise(torch.nn.Module):
        def forward(self, a, b, statistics=None, reliability=None):
            noise = torch.rand(a.shape, generator=torch.Generator().manual_seed(0)) - 0.5

            class Maps:
                residual = noise
                reliability_a = arbitration = torch.full_like(a, 0.5)

            return Maps

    result = fuse(*make_pair(), replace(CPU, strength=2.0, correlation_floor=0.999), model=Noise())
    assert result.measures["floor_kept"] < 0.25
    assert "kept only" in result.notes[-1]
    assert "kept only" not in "".join(result.with_look(strength=0).notes)


def test_the_shipped_network_keeps_its_promises(make_pair):
    fixed, moving = make_pair((6, 30, 27))
    result = WDualMineLib.fuse(fixed, moving, WDualMineLib.FusionSettings(device="cpu"))
    assert result.measures["cc_over_bound"] >= 0.985 - 1e-9
    swapped = WDualMineLib.fuse(moving, fixed, WDualMineLib.FusionSettings(device="cpu"))
    assert np.abs(swapped.fused.array - result.fused.array).max() < 1e-4
    difference = swapped.reliability_fixed.array - result.reliability_moving.array
    assert np.abs(difference).max() < 1e-4


def test_a_slice_by_itself_is_that_of_the_volume(make_pair, model):
    from WDualMineLib.fusion.engine import SliceEngine

    fixed, moving = make_pair()
    # At half the strength nothing is beyond white, of which the slice knows only its own.
    result = fuse(fixed, moving, replace(CPU, strength=0.5, correlation_floor=0), model=model)
    slicing = Slicing.of(fixed.geometry, "axial")
    a, b = (slicing.stack(x)[5] for x in (result.pair.fixed, result.pair.moving))
    engine = SliceEngine(model, "cpu")
    one = fuse_slice(a, b, engine, strength=0.5, correlation_floor=0)
    assert np.abs(one.fused - slicing.stack(result.fused.array)[5]).max() < 1e-6
    reliability = slicing.stack(result.reliability_fixed.array)[5]
    assert np.abs(one.reliability - reliability).max() < 1e-6
    assert one.floor.kept == 1

    floored = fuse_slice(a, b, engine, correlation_floor=0.99, levels=255)
    assert floored.floor.cc_over_bound >= 0.99 - 1e-9


def test_the_floor_holds_in_the_head_too_and_the_report_says_so(make_pair, model):
    result = fuse(*make_pair(), CPU, model=model)
    a, b, fused = result.pair.fixed, result.pair.moving, result.fused.array
    head = (a > 0) | (b > 0)
    r = np.corrcoef([np.float64(x[head]) for x in (fused, a, b)])
    bound = np.sqrt((1 + r[1, 2]) / 2)
    assert (r[0, 1] + r[0, 2]) / 2 >= 0.985 * bound - 1e-9
    assert result.measures["floor_met"] and result.measures["floor_met_in_head"]
    off = result.with_look(correlation_floor=0.5).measures
    assert off["cc_over_bound_in_head"] < 0.985


def test_a_slice_of_a_volume_gets_the_promise_of_volumes_and_an_image_its_own(make_pair, model):
    from WDualMineLib.fusion.engine import SliceEngine
    from WDualMineLib.network.statistics import joint_statistics

    result = fuse(*make_pair(), CPU, model=model)
    volumes = [torch.from_numpy(x)[None] for x in (result.pair.fixed, result.pair.moving)]
    statistics = joint_statistics(*volumes)
    engine = SliceEngine(model, "cpu")
    # Without the ring of the skull, where the sources would be each other's opposites.
    a, b = (x[0, 5, 6:12, 5:11].numpy() for x in volumes)
    a, b = (np.pad(x, 4) for x in (a, b))
    of_volume = fuse_slice(a, b, engine, statistics=statistics)
    assert of_volume.floor.met and of_volume.floor.met_in_head
    image = fuse_slice(a, b, engine)
    assert image.floor.met and not image.floor.met_in_head
