"""The tables follow the ones of matplotlib that they were sampled from."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib import palettes

matplotlib = pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    ("table", "name"), [(palettes.RELIABILITY, "viridis"), (palettes.ARBITRATION, "berlin")]
)
def test_the_table_is_within_six_levels_of_its_model(table: np.ndarray, name: str) -> None:
    if name not in matplotlib.colormaps:
        pytest.skip(f"matplotlib {matplotlib.__version__} has no {name}")
    model = matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3] * 255
    assert table.shape == (256, 3) and table.dtype == np.uint8
    assert np.abs(table - model).max() < 6
    assert np.abs(table - model).mean() < 1.5


def test_lightness_orders_reliability_and_mirrors_arbitration() -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(palettes.RELIABILITY @ weights) > -0.6).all(), "up to rounding"
    arbitration = palettes.ARBITRATION @ weights
    assert arbitration.argmin() in range(110, 146)
    assert min(arbitration[0], arbitration[-1]) > 5 * arbitration.min()
