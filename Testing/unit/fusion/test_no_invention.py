"""The shipped network on phantoms: what is in neither source does not appear, and air stays air."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch")

from WDualMineLib.fusion.engine import SliceEngine
from WDualMineLib.fusion.preview import fuse_slice
from WDualMineLib.network.statistics import joint_statistics
from WDualMineLib.network.weights import load_model

SIDE = 160


@pytest.fixture(scope="module")
def engine():
    return SliceEngine(load_model(), "cpu")


def head(level):
    rows, columns = np.indices((SIDE, SIDE)) - SIDE / 2
    return np.where(np.hypot(rows / 0.9, columns) < 0.42 * SIDE, level, 0).astype(np.float32)


def text(background, ink):
    image = Image.fromarray(np.rint(background * 255).astype(np.uint8))
    ImageDraw.Draw(image).text((50, 60), "CT 12 mm\nR     L", fill=int(ink * 255))
    return np.asarray(image, dtype=np.float32) / 255


def checkerboard(background, ink):
    rows, columns = np.indices(background.shape)
    squares = ((rows // 8 + columns // 8) % 2 == 0) & (background > 0)
    return np.where(squares, ink, background).astype(np.float32)


def gradient(image):
    return np.hypot(*np.gradient(image.astype(np.float64)))


def quiet(*images, reach=4):
    """Where no image has an edge within ``reach`` pixels."""
    edges = np.max([gradient(image) for image in images], axis=0) > 0
    padded = np.pad(edges, reach)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1,) * 2)
    return ~windows.any(axis=(2, 3))


PHANTOMS = {
    "both blank": (head(0.3), head(0.6)),
    "text beside blank": (text(head(0.3), 0.8), head(0.5)),
    "blank beside dark text": (head(0.4), text(head(0.6), 0.2)),
    "checkerboard beside blank": (checkerboard(head(0.3), 0.7), head(0.5)),
    "checkerboard beside text": (checkerboard(head(0.3), 0.5), text(head(0.5), 0.9)),
    "nothing beside text": (head(0.0), text(head(0.5), 0.9)),
}


@pytest.mark.parametrize("name", PHANTOMS)
def test_no_structure_where_neither_source_has_one(engine, name):
    a, b = PHANTOMS[name]

    fused = fuse_slice(a, b, engine).fused

    away = quiet(a, b)
    assert away.mean() > 0.1
    assert gradient(fused)[away].max() < 4 / 255
    assert fused[(a == 0) & (b == 0)].max() == 0


@pytest.mark.parametrize("name", ["text beside blank", "nothing beside text"])
def test_structure_of_one_source_is_shown(engine, name):
    a, b = PHANTOMS[name]

    fused = fuse_slice(a, b, engine).fused

    source = a if "text beside" in name else b
    edges = gradient(source) > 0.05
    edges &= ~(gradient(head(1.0)) > 0)
    assert np.corrcoef(gradient(fused)[edges], gradient(source)[edges])[0, 1] > 0.9


def test_a_slice_beyond_the_other_volume_is_shown_as_it_is(engine):
    (a, b), (c, d) = PHANTOMS["nothing beside text"], PHANTOMS["text beside blank"]
    volumes = (torch.from_numpy(np.stack(pair))[None] for pair in ((a, c), (b, d)))

    fused = fuse_slice(a, b, engine, statistics=joint_statistics(*volumes)).fused

    assert gradient(fused)[quiet(a, b)].max() < 4 / 255
    edges = gradient(b) > 0.05
    assert np.corrcoef(gradient(fused)[edges], gradient(b)[edges])[0, 1] > 0.9


def test_the_result_follows_the_window_smoothly(engine):
    rng = np.random.default_rng(0)
    raw_a = checkerboard(head(0.5), 0.8) * (1 + 0.05 * rng.standard_normal((SIDE, SIDE)))
    raw_b = text(head(0.4), 0.9) * (1 + 0.05 * rng.standard_normal((SIDE, SIDE)))
    fused = []
    for width in np.linspace(1.0, 1.1, 6):
        a, b = (np.clip(x / w, 0, 1).astype(np.float32) for x, w in ((raw_a, width), (raw_b, 1)))
        fused.append(fuse_slice(a, b, engine).fused)

    steps = [np.abs(x - y).mean() for x, y in pairwise(fused)]

    # A fiftieth of the window at a time: the mean of a fused head moves by less than a fiftieth.
    assert max(steps) < 0.02
    assert max(steps) < 3 * np.median(steps)
