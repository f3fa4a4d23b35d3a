"""The colours of the maps: seen by everyone where something was found, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib import palettes
from WDualMineLib.fusion.colour import PET_HEAT, colour_table

matplotlib = pytest.importorskip("matplotlib")

_VALUES = np.linspace(0, 1, 256)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_AS_SEEN_BY = {
    "everyone": np.eye(3),
    # Machado et al., "A physiologically-based model for simulation of color vision deficiency",
    # IEEE TVCG 2009, table 1, severity 1; for linear RGB.
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of linear RGB (..., 3)."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.moveaxis(
        np.clip(rgb, 0, 1) @ to_xyz.T / (0.9505, 1.0, 1.089), -1, 0
    )  # fmt: skip
    f = [np.where(v > 0.008856, np.cbrt(v), 7.787 * v + 16 / 116) for v in (x, y, z)]
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], axis=-1)


def seen(rgb: np.ndarray, by: str) -> np.ndarray:
    """CIE L*a*b* of sRGB in [0, 1] with that colour vision."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return lab(linear @ _AS_SEEN_BY[by].T)


@pytest.mark.parametrize(
    ("table", "name"), [(palettes.ARBITRATION, "berlin"), (palettes.SHARE, "PRGn")]
)
def test_the_table_is_within_six_levels_of_its_model(table: np.ndarray, name: str) -> None:
    if name not in matplotlib.colormaps:
        pytest.skip(f"matplotlib {matplotlib.__version__} has no {name}")
    model = matplotlib.colormaps[name](_VALUES)[:, :3] * 255
    assert table.shape == (256, 3) and table.dtype == np.uint8
    assert np.abs(table - model).max() < 6
    assert np.abs(table - model).mean() < 1.5


def test_lightness_mirrors_arbitration() -> None:
    arbitration = palettes.ARBITRATION @ _LUMINANCE
    assert arbitration.argmin() in range(110, 146)
    assert min(arbitration[0], arbitration[-1]) > 5 * arbitration.min()


def test_nothing_is_seen_where_nothing_was_found() -> None:
    table, alpha = palettes.SUSPICION, palettes.SUSPICION[:, 3] / 255
    assert table.shape == (256, 4) and table.dtype == np.uint8
    assert not alpha[(_VALUES >= 0.4) & (_VALUES <= 0.6)].any()
    assert (alpha[(_VALUES < 0.395) | (_VALUES > 0.605)] > 0).all()
    assert alpha[[0, 50, 205, 255]] == pytest.approx(0.85, abs=0.02)
    assert (np.diff(alpha[:128]) <= 0).all() and (np.diff(alpha[128:]) >= 0).all()


def test_hues_stay_with_the_source_in_the_map_of_the_moving_one() -> None:
    assert np.array_equal(palettes.SUSPICION_OF_MOVING, palettes.SUSPICION[::-1])


@pytest.mark.parametrize("by", _AS_SEEN_BY)
def test_hues_stand_out_with_any_colour_vision(by: str) -> None:
    """From each other, and each laid over all greys and over PET; 2.3 can just be seen."""
    fixed, moving = palettes.SUSPICION[[0, 255], :3] / 255
    greys = np.repeat(_VALUES[:, None], 3, axis=1)
    for below in (greys, colour_table(PET_HEAT), matplotlib.colormaps["hot"](_VALUES)[:, :3]):
        over = [0.85 * hue + 0.15 * below for hue in (fixed, moving)]
        apart = np.linalg.norm(seen(over[0], by) - seen(over[1], by), axis=1)
        assert apart.min() > 20, "cyan and magenta"
        for hue in over:
            assert np.linalg.norm(seen(hue, by) - seen(below, by), axis=1).min() > 10


def test_a_map_is_laid_over_a_picture_by_its_transparency() -> None:
    grey = np.array([0.0, 0.5, 1.0, 0.25])
    picture = palettes.over(grey, np.array([0.5, 0.45, 0.55, 0.0]), palettes.SUSPICION)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture[:3], [[0] * 3, [128] * 3, [255] * 3])
    hue, alpha = palettes.SUSPICION[0, :3], palettes.SUSPICION[0, 3] / 255
    assert picture[3] == pytest.approx(alpha * hue + (1 - alpha) * 0.25 * 255, abs=0.51)


@pytest.mark.parametrize("by", _AS_SEEN_BY)
def test_shares_are_told_from_each_other_and_from_faults(by: str) -> None:
    moving, even, fixed = seen(palettes.SHARE[[64, 128, 191]] / 255, by)
    for one, other in ((moving, even), (fixed, even), (moving, fixed)):
        assert np.linalg.norm(one - other) > 10
