"""Colour: PIL's YCbCr, tables by name or array, luminance that survives."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from WDualMineLib.errors import InputError
from WDualMineLib.fusion.colour import (
    chroma,
    colour_table,
    colourise,
    hold_luminance,
    luminance,
    table_indices,
    to_rgb,
)


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def test_luminance_and_chroma_are_those_of_pil(rgb):
    ycbcr = np.asarray(Image.fromarray(rgb).convert("YCbCr"), np.float64)
    # PIL cuts off to 8 bits, and computes with 6 bits after the point.
    for ours, pils in (
        (luminance(rgb) * 255, ycbcr[..., 0]),
        (chroma(rgb / 255) * 255 + 128, ycbcr[..., 1:]),
    ):
        assert (ours - pils).min() > -0.1
        assert (ours - pils).max() < 1.1


def test_luminance_is_the_same_for_floats_and_bytes(rgb):
    assert np.allclose(luminance(rgb), luminance(rgb / 255), atol=1e-6)


def test_colours_come_back(rgb):
    back = to_rgb(luminance(rgb / 255), chroma(rgb / 255))
    assert np.abs(back.astype(int) - rgb).max() <= 1


def test_a_colour_that_does_not_exist_keeps_its_luminance_and_hue():
    y = np.linspace(0, 1, 101)
    red = np.broadcast_to(chroma(np.array([1.0, 0, 0])), (101, 2))
    rgb = to_rgb(y, red)
    assert np.abs(luminance(rgb) - y).max() < 1 / 255
    assert (rgb[..., 0] >= rgb[..., 1]).all()
    assert (np.abs(rgb[..., 1].astype(int) - rgb[..., 2]) <= 1).all()
    assert not rgb[0].any()
    assert (rgb[-1] == 255).all()


def test_pet_heat_runs_from_black_to_white_in_even_steps_of_luminance():
    table = colour_table("PET-Heat")
    assert table.shape == (256, 3)
    assert not table[0].any()
    assert (table[-1] == 1).all()
    assert np.allclose(luminance(table), np.linspace(0, 1, 256), atol=1e-9)
    assert np.array_equal(table, colour_table("pet-heat"))


def test_matplotlib_tables_are_found_by_name():
    from matplotlib import colormaps

    assert np.allclose(colour_table("hot"), colormaps["hot"](np.linspace(0, 1, 256))[:, :3])
    assert np.array_equal(colour_table("HOT"), colour_table("hot"))


def test_a_table_of_any_length_is_taken():
    table = colour_table([[0, 0, 0], [1, 0.5, 0]])
    assert table.shape == (256, 3)
    assert np.allclose(table[51], [0.2, 0.1, 0])


@pytest.mark.parametrize(
    "table",
    [
        "no such table",
        [[0, 0, 0]],
        np.zeros((4, 4)),
        [[0, 0, 0], [255, 0, 0]],
        [[0, 0, np.nan]] * 2,
    ],
)
def test_other_tables_are_refused(table):
    with pytest.raises(InputError):
        colour_table(table)


def test_a_volume_is_coloured_by_its_functional_part():
    rng = np.random.default_rng(1)
    y, uptake = rng.random((2, 70, 70, 70), dtype=np.float32)
    y[0], uptake[1] = 0, 0
    table = colour_table("PET-Heat")
    rgb = colourise(y, table_indices(uptake), table)
    assert rgb.shape == (*y.shape, 3)
    assert rgb.dtype == np.uint8
    assert np.abs(luminance(rgb) - y).max() < 1 / 255
    assert not rgb[0].any()
    # Where there is no uptake there is no colour.
    assert (np.ptp(rgb[1].astype(int), axis=-1) == 0).all()


def test_files_have_the_same_luminance_for_readers_that_round_and_that_cut_off():
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (200, 200)).astype(np.uint8)
    rounded = to_rgb(levels / np.float32(255), rng.uniform(-0.3, 0.3, (200, 200, 2)))

    held = hold_luminance(rounded, levels)

    y = held @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_array_equal(np.rint(y), levels)
    assert (np.floor(y + 1e-6) == levels).mean() > 0.93
    assert (np.floor(rounded @ np.array([0.299, 0.587, 0.114]) + 1e-6) == levels).mean() < 0.9
    step = held.astype(int) - rounded
    assert step.min() == 0 and step.max() == 1
