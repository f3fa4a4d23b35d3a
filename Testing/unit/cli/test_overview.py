"""The picture of a fusion: a panel for every volume and plane, with scales and letters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from WDualMineLib.cli.pictures.fusion_overview import draw_overview, write_overview
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.network.model import DualMineNetwork
from WDualMineLib.pipeline.run import fuse
from WDualMineLib.volumes.reading import read_volume


@pytest.fixture
def result_of(save):
    def result_of(colour: str | None = None, size=(24, 20, 12)):
        torch.manual_seed(0)
        volumes = (read_volume(save(f"{n}.nrrd", size=size, seed=n)) for n in range(2))
        settings = FusionSettings(
            colour=colour, device="cpu", moving_window="pet" if colour else (10, 150)
        )
        return fuse(*volumes, settings, model=DualMineNetwork().eval())

    return result_of


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("colour,columns", [(None, 5), ("PET-Heat", 6)])
def test_panels_scales_and_letters(result_of, colour, columns):
    figure = draw_overview(result_of(colour))
    scales = columns - (1 if colour else 0)
    # The suspected faults lie over the fused volume.
    assert len(figure.axes[0].images) == 3 * (columns + 1) + scales
    written = texts(figure)
    for letter in "RLAPSI":
        assert letter in written
    assert written.count("A") == 2 and written.count("S") == 2
    assert any("Fixed: 0" in text for text in written)
    assert any("CC / bound 0.9" in text for text in written)
    assert {"0 frequency", "1 spatial", "0 fault in fixed", "1 in moving"} <= set(written)
    assert "Suspected faults\nover the fused volume" in written
    if not colour:
        assert {"10", "150"} <= set(written)


def test_panels_keep_their_physical_shape(result_of):
    figure = draw_overview(result_of())
    width, height = figure.get_size_inches()
    assert figure.axes[0].get_xlim() == (0, width) and figure.axes[0].get_ylim() == (0, height)
    left, right, bottom, top = figure.axes[0].images[0].get_extent()
    # The axial plane of 24 x 20 voxels of 1.0 x 1.25 mm.
    assert (top - bottom) / (right - left) == pytest.approx(20 * 1.25 / 24, rel=0.05)


def test_the_functional_source_is_shown_in_its_colours(result_of):
    moving = draw_overview(result_of("PET-Heat")).axes[0].images[4]
    red, _, blue, _ = moving.get_cmap()(0.5)
    assert red > 2 * blue


def test_suspicion_is_drawn_over_the_fused_volume_and_nowhere_else(result_of):
    result = result_of()
    shape = result.fused.array.shape
    reliability = np.full(shape, 0.5, np.float32)
    reliability[:, :, : shape[2] // 3] = 0.05  # the patient's right, on the left of the page
    volumes = dict(result.volumes)
    volumes["reliability_fixed"] = volumes["reliability_fixed"].with_array(reliability)
    images = draw_overview(replace(result, volumes=volumes)).axes[0].images
    # Of each column an image a plane, of this one two, and its scale.
    first = 3 * (3 + 1)
    below, over = (image for image in images[first : first + 2])
    assert below.get_cmap()(0.5)[:3] == pytest.approx((0.5,) * 3, abs=0.01)
    rgba = over.to_rgba(over.get_array())
    third = rgba.shape[1] // 3
    assert (rgba[:, : third - 1, 3] > 0.8).all() and not rgba[:, third + 1 :, 3].any()
    assert (rgba[:, : third - 1, :3] == over.get_cmap()(0.0)[:3]).all()


def test_the_share_has_a_column_of_its_own(result_of):
    result = result_of()
    volumes = {**result.volumes, "share": result.arbitration}
    figure = draw_overview(replace(result, volumes=volumes))
    assert {"Share of\nthe fixed volume", "0 moving", "1 fixed"} <= set(texts(figure))


def test_a_single_slice_is_one_row(result_of, tmp_path):
    result = result_of(size=(64, 60, 1))
    assert len(draw_overview(result).axes[0].images) == 6 + 5
    write_overview(tmp_path / "o.png", result)
    pixels = imread(tmp_path / "o.png")
    assert pixels.shape[1] > 1200 and np.ptp(pixels) > 0.9
