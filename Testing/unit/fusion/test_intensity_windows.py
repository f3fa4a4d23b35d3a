"""Windows: the right one for each kind of volume, one affine map, nothing lost in silence."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.errors import InputError
from WDualMineLib.fusion.intensity import (
    CT_WINDOWS,
    Window,
    choose_window,
    count_not_finite,
    parse_window,
)
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

IDENTITY = (1.0, 0, 0, 0, 1, 0, 0, 0, 1)


def volume(array, modality="", name="scan", **attributes):
    array = np.asarray(array)
    size = array.shape[::-1]
    grid = Geometry(size, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), IDENTITY)
    return Volume(array, grid, name, modality, attributes)


def tissue(rng, shape=(20, 32, 32), air=-1000.0, fat=0.05):
    """HU of air, soft tissue, some fat and bone."""
    part = rng.random(shape)
    hu = np.full(shape, air)
    hu[part > 0.4] = rng.normal(35, 8, np.count_nonzero(part > 0.4))
    hu[part > 0.95] = 1000
    hu[(part > 0.4) & (part < 0.4 + fat)] = -100
    return hu.astype(np.float32)


@pytest.mark.parametrize("modality", ["", "CT"])
@pytest.mark.parametrize(("fat", "wanted"), [(0.03, "ct-brain"), (0.3, "ct-soft")])
def test_auto_knows_a_head_from_a_trunk_in_hounsfield_units(modality, fat, wanted):
    hu = tissue(np.random.default_rng(0), fat=fat)
    window = choose_window(volume(hu, modality), "auto")
    assert (window.name, window.units) == (wanted, "HU")
    assert (window.low, window.high) == CT_WINDOWS[wanted]


def test_a_ct_by_its_header_is_in_hounsfield_units_unless_its_values_contradict():
    stripped = np.zeros((20, 20, 20), np.float32)
    stripped[5:15, 5:15, 5:15] = np.linspace(10, 70, 1000).reshape(10, 10, 10)
    assert choose_window(volume(stripped, "CT"), "auto").units == "HU"
    assert choose_window(volume(stripped - 3, "CT"), (0, 80)).units == "HU"
    # As a scanner stored it, before it was rescaled.
    assert choose_window(volume(stripped + 1024, "CT"), "auto").units == ""
    # A name is no header.
    named = Volume(stripped, volume(stripped).geometry, "sub-01_ct")
    for other in (volume(stripped, ""), volume(stripped, "MR"), named):
        assert choose_window(other, "auto").units == ""


def test_auto_does_not_take_a_ct_template_for_hounsfield_units():
    # A published head template in units of its own, from 0 to 3790.
    template = (tissue(np.random.default_rng(1)) + 1000) * 1.9
    window = choose_window(volume(template), "auto")
    assert (window.name, window.units) == ("mr", "")
    shown = window.apply(template)
    assert np.median(shown[template > 0]) > 0.3


def test_auto_trusts_the_modality_over_the_values():
    hu = tissue(np.random.default_rng(2))
    assert choose_window(volume(hu, "MR"), "auto").name == "mr"
    assert choose_window(volume(hu, "PT"), "auto").name == "pet"


@pytest.mark.parametrize(
    ("modality", "name", "wanted"),
    [
        ("PT", "scan", "pet"),
        ("NM", "scan", "pet"),
        ("", "OldNorm_SPECT", "pet"),
        ("", "sub-01_FDG", "pet"),
        ("", "petra_T1", "mr"),
        ("MR", "pet_mr_T1", "mr"),
        ("", "scan", "mr"),
    ],
)
def test_auto_finds_emission_by_modality_then_by_name(modality, name, wanted):
    array = np.random.default_rng(3).gamma(2, 100, (8, 16, 16)).astype(np.float32)
    window = choose_window(volume(array, modality, name), "auto")
    assert window.name == wanted
    if wanted == "pet":
        assert window.low == 0


def test_the_air_of_an_mr_becomes_black_and_its_brightest_white():
    rng = np.random.default_rng(4)
    mr = np.abs(rng.normal(0, 8, (20, 32, 32)))
    mr[5:15, 8:24, 8:24] = rng.normal(500, 80, (10, 16, 16))
    mr[10, 10, 10] = 30_000  # a spike must not decide
    window = choose_window(volume(mr.astype(np.float32)), "auto")
    shown = window.apply(mr)
    air = np.ones(mr.shape, bool)
    air[5:15, 8:24, 8:24] = False
    assert (shown[air] == 0).mean() > 0.9
    assert 0.5 < np.median(shown[~air]) < 0.9
    assert 600 < window.high < 900


def test_all_columns_of_a_large_volume_are_looked_at():
    array = np.zeros((72, 128, 128), np.float32)
    array[..., 1::2] = 100 + np.arange(64)  # seen only if not every second column is
    window = choose_window(volume(array), "auto")
    assert 150 < window.high < 170


def test_negative_values_of_a_normalised_mr_are_kept_apart():
    z = np.random.default_rng(5).normal(0, 1, (10, 20, 20)).astype(np.float32)
    window = choose_window(volume(z, "MR"), "auto")
    assert window.low < -1
    assert window.high > 2


def test_units_survive_the_round_trip():
    hu = tissue(np.random.default_rng(6))
    window = choose_window(volume(hu), (-160, 240))
    shown = window.apply(hu)
    assert shown.dtype == np.float32
    inside = (hu > -160) & (hu < 240)
    assert np.abs(window.to_units(shown)[inside] - hu[inside]).max() < 1e-3
    assert set(np.unique(shown[~inside])) == {0, 1}


def test_the_volumes_own_units_are_named():
    array = np.random.default_rng(7).gamma(2, 100, (8, 16, 16))
    assert choose_window(volume(array, "PT", units="BQML"), "auto").units == "BQML"


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float64, ">i2", ">f4"])
def test_any_numeric_type_is_taken(kind):
    array = np.arange(1000, dtype=np.float32).reshape(10, 10, 10) % 200
    shown = Window(50, 150, "explicit").apply(array.astype(kind))
    assert np.allclose(shown, np.clip((array - 50) / 100, 0, 1), atol=1e-6)


def test_what_is_not_finite_becomes_the_low_end_and_is_counted():
    array = np.linspace(0, 1, 1000, dtype=np.float32).reshape(10, 10, 10)
    array[0, 0, :4] = (np.nan, np.inf, -np.inf, np.nan)
    array[9, 9, 9] = np.inf
    scan = volume(array)
    assert count_not_finite(scan) == 5
    window = choose_window(scan, "auto")
    assert 0.9 < window.high <= 1
    shown = window.apply(array)
    assert not shown[0, 0, :4].any()
    assert shown[9, 9, 9] == 0
    assert np.isfinite(shown).all()


def test_something_small_on_a_constant_ground_is_seen():
    array = np.full((64, 64, 64), 7.0, np.float32)
    array[30, 30, 30] = 8
    window = choose_window(volume(array), "auto")
    assert (window.low, window.high) == (7, 8)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((4, 5, 6)), "constant"),
        (np.full((4, 5, 6), 3, np.int16), "constant"),
        (np.full((4, 5, 6), np.nan), "no finite voxel"),
        (np.where(np.eye(5)[None] > 0, np.nan, 2.0), "constant"),
    ],
)
def test_a_volume_that_shows_nothing_is_refused_by_name(array, says):
    with pytest.raises(InputError, match=says) as error:
        choose_window(volume(array, name="my scan"), "auto")
    assert "my scan" in str(error.value)


def test_a_window_beside_the_values_is_refused():
    array = np.linspace(0, 1, 125).reshape(5, 5, 5)
    for window in ((2, 3), (-5, -1), "ct-bone"):
        if window == "ct-bone":
            array = array - 2000
        with pytest.raises(InputError, match="leaves nothing"):
            choose_window(volume(array), window)


@pytest.mark.parametrize("text", ["-160,240", " -160 , 240 ", (-160, 240), [-160.0, 240.0]])
def test_explicit_windows_are_read(text):
    assert parse_window(text) == (-160.0, 240.0)


@pytest.mark.parametrize(
    "text", ["bone", "1;2", "1,2,3", "", "5,5", "9,1", "nan,1", "0,inf", (1,), None, 5]
)
def test_other_windows_are_refused(text):
    with pytest.raises(InputError):
        parse_window(text)


@pytest.mark.parametrize(("modality", "name"), [("PT", "pet"), ("MR", "mr")])
def test_what_lies_beyond_a_window_that_nobody_chose_keeps_its_order(modality, name):
    rng = np.random.default_rng(8)
    array = rng.uniform(0, 4, (24, 40, 40)).astype(np.float32)
    array[10, 10, :30] = np.linspace(4.5, 12, 30)  # a hot tumour, and rare
    window = choose_window(volume(array, modality), "auto")
    assert window.name == name
    assert window.high < 4.2
    shown = window.apply(array)
    assert (np.diff(shown[10, 10, :30]) > 1e-4).all()
    assert shown.max() == pytest.approx(1)
    affine = shown < window.knee
    assert affine.mean() > 0.7
    expected = (array - window.low) / (window.high - window.low)
    assert np.abs(shown - np.clip(expected, 0, None))[affine].max() < 1e-6
    positive = shown > 0
    assert np.allclose(window.to_units(shown)[positive], array[positive], rtol=1e-3)


def test_windows_that_somebody_chose_cut_off_where_they_end():
    hu = tissue(np.random.default_rng(9))
    for wanted in ("ct-soft", (0.0, 80.0)):
        window = choose_window(volume(hu), wanted)
        shown = window.apply(hu)
        assert window.knee == 1
        assert (shown[hu >= window.high] == 1).all()
