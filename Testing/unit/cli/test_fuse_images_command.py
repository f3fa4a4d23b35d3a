"""``wdualmine fuse-images``: what a reader of the written files finds."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from WDualMineLib.cli.evaluate import read_triple
from WDualMineLib.quality.information import mi
from WDualMineLib.quality.metrics import cc_ratio


@pytest.fixture
def fuse_images(run, weights, tmp_path):
    """Fuse folders ``a`` and ``b`` into ``out``; must succeed."""

    def fuse_images(*options: object) -> str:
        folders = (tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
        outcome = run("fuse-images", *folders, "--weights", weights, "--device", "cpu", *options)
        assert outcome.code == 0, outcome.err
        assert not list(tmp_path.rglob(".partial*"))
        return outcome.out + outcome.err

    return fuse_images


def ratio_on_disk(folder: Path, name: str) -> float:
    """CC / bound as ``wdualmine evaluate`` measures it."""
    return cc_ratio(*read_triple(name, *(folder / part / name for part in ("out", "a", "b"))))


def test_grey_pairs(fuse_images, save_image, tmp_path):
    for name, size in (("25015.png", (40, 32)), ("x.bmp", (17, 23)), ("y.tif", (16, 16))):
        save_image(f"a/{name}", size=size)
        save_image(f"b/{name}", size=size, seed=1)
    out = fuse_images()
    assert sorted(os.listdir(tmp_path / "out")) == ["25015.png", "x.bmp", "y.tif"]
    assert "evaluate" in out
    for name in os.listdir(tmp_path / "out"):
        image = Image.open(tmp_path / "out" / name)
        assert image.mode == "L"
        assert image.size == Image.open(tmp_path / "a" / name).size
        assert ratio_on_disk(tmp_path, name) >= 0.985 - 1e-9


@pytest.mark.parametrize("floor", [0.985, 0.999])
@pytest.mark.parametrize("coloured", ["a", "b", "both"])
def test_the_floor_holds_for_the_luminance_of_what_is_saved(
    fuse_images, save_image, tmp_path, floor, coloured
):
    for folder, seed in (("a", 0), ("b", 1)):
        save_image(f"{folder}/pet.png", seed=seed, colour=coloured in (folder, "both"))
    fuse_images("--correlation-floor", floor, "--strength", 2)
    assert Image.open(tmp_path / "out" / "pet.png").mode == "RGB"
    assert ratio_on_disk(tmp_path, "pet.png") >= floor - 1e-9


def test_saturated_colours_do_not_cost_the_floor(fuse_images, save_image, tmp_path):
    rng = np.random.default_rng(0)
    primaries = np.array([[255, 0, 0], [0, 0, 255], [255, 255, 0], [255, 255, 255], [0, 0, 0]])
    save_image("a/s.png", primaries[rng.integers(0, 5, (32, 32))].astype(np.uint8))
    save_image("b/s.png", rng.integers(0, 256, (32, 32), dtype=np.uint8))
    fuse_images("--correlation-floor", 0.995)
    assert ratio_on_disk(tmp_path, "s.png") >= 0.995 - 1e-9


def test_rounding_to_nearest_can_be_had(fuse_images, save_image, tmp_path):
    ramp = np.add.outer(np.arange(128), np.arange(128)) / 2
    save_image("a/r.png", ramp.astype(np.uint8))
    save_image("b/r.png", (ramp[::-1] * 1.7).astype(np.uint8))
    fuse_images()
    informed, *sources = read_triple("r.png", *(tmp_path / f / "r.png" for f in ("out", "a", "b")))
    fuse_images("--rounding", "nearest", "--force")
    nearest, *_ = read_triple("r.png", *(tmp_path / f / "r.png" for f in ("out", "a", "b")))

    assert 0 < np.abs(informed.astype(int) - nearest).max() <= 2
    assert mi(informed, *sources) > mi(nearest, *sources)
    assert ratio_on_disk(tmp_path, "r.png") >= 0.985 - 1e-9


def test_the_floor_holds_after_jpeg(fuse_images, save_image, tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("a", "b"):
        save_image(f"{folder}/n.jpg", rng.integers(0, 256, (24, 24), dtype=np.uint8))
    fuse_images("--correlation-floor", 0.99, "--strength", 2)
    assert ratio_on_disk(tmp_path, "n.jpg") >= 0.99 - 1e-9


def test_chroma_is_that_of_the_coloured_source(fuse_images, save_image, tmp_path):
    grey = np.full((24, 24), 90, np.uint8)
    grey[4:20, 4:20] = np.random.default_rng(0).integers(70, 110, (16, 16))
    colour = np.stack([grey + 30, grey, grey - 20], axis=-1).astype(np.uint8)
    save_image("a/c.png", colour)
    save_image("b/c.png", np.flipud(grey))
    fuse_images()
    fused = np.asarray(Image.open(tmp_path / "out" / "c.png").convert("YCbCr")).astype(int)
    wanted = np.asarray(Image.fromarray(colour).convert("YCbCr")).astype(int)
    assert np.abs(fused[..., 1:] - wanted[..., 1:]).max() <= 2


def test_swapping_the_folders_changes_nothing_but_the_maps(fuse_images, save_image, tmp_path):
    save_image("a/p.png", colour=True)
    save_image("b/p.png", seed=1)
    fuse_images("--maps")
    first = {p.relative_to(tmp_path / "out"): p for p in (tmp_path / "out").rglob("*.png")}
    images = {str(name): np.asarray(Image.open(path)).astype(int) for name, path in first.items()}
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "b").rename(tmp_path / "a")
    (tmp_path / "c").rename(tmp_path / "b")
    fuse_images("--maps", "--force")
    swapped = np.asarray(Image.open(tmp_path / "out" / "p.png")).astype(int)
    assert np.abs(swapped - images["p.png"]).max() <= 1
    reliability = np.asarray(Image.open(tmp_path / "out" / "reliability_a" / "p.png")).astype(int)
    assert np.abs(reliability - images["reliability_b/p.png"]).max() <= 1


def test_maps(fuse_images, save_image, tmp_path):
    save_image("a/p.png")
    save_image("b/p.png", seed=1)
    fuse_images("--maps")
    out = tmp_path / "out"
    assert sorted(os.listdir(out)) == ["arbitration", "p.png", "reliability_a", "reliability_b"]
    a, b = (
        np.asarray(Image.open(out / folder / "p.png")).astype(int)
        for folder in ("reliability_a", "reliability_b")
    )
    assert np.abs(a + b - 255).max() <= 1


def test_each_pair_is_fused_on_its_own(fuse_images, save_image, tmp_path):
    for number in range(3):
        save_image(f"a/{number}.png", seed=number)
        save_image(f"b/{number}.png", seed=number + 5)
    fuse_images()
    together = (tmp_path / "out" / "1.png").read_bytes()
    for name in ("0.png", "2.png"):
        for folder in ("a", "b", "out"):
            (tmp_path / folder / name).unlink()
    fuse_images("--force")
    assert (tmp_path / "out" / "1.png").read_bytes() == together


def test_empty_slices_pass(fuse_images, save_image, tmp_path):
    black = np.zeros((20, 20), np.uint8)
    save_image("a/top.png", black)
    save_image("b/top.png", black)
    save_image("a/next.png", size=(20, 20))
    save_image("b/next.png", black)
    fuse_images()
    assert not np.asarray(Image.open(tmp_path / "out" / "top.png")).any()
    assert np.asarray(Image.open(tmp_path / "out" / "next.png")).any()


@pytest.fixture
def images_refused(refused, weights, tmp_path):
    """Must fail, say every word, and leave the folder as it was."""

    def images_refused(*options: object, words: tuple[str, ...]) -> None:
        before = sorted(tmp_path.rglob("*"))
        folders = (tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
        message = refused("fuse-images", *folders, "--weights", weights, *options)
        for word in words:
            assert word in message
        assert sorted(tmp_path.rglob("*")) == before

    return images_refused


def test_missing_folder(images_refused, save_image):
    save_image("a/1.png")
    images_refused(words=("b does not exist",))


def test_no_images(images_refused, save_image, tmp_path):
    save_image("a/1.png")
    (tmp_path / "b").mkdir()
    images_refused(words=("b holds no images",))


def test_no_common_name(images_refused, save_image):
    save_image("a/1.png")
    save_image("b/2.png")
    images_refused(words=("1.png", "2.png", "same name"))


@pytest.mark.parametrize("extra,lacking", [("a", "b"), ("b", "a")])
def test_a_partner_is_missing(images_refused, save_image, extra, lacking):
    for name in ("a/1.png", "b/1.png", f"{extra}/2.png", f"{extra}/3.png"):
        save_image(name)
    images_refused(words=(f"{lacking} lacks 2.png (and 1 more)",))


def test_sizes_differ(images_refused, save_image):
    save_image("a/1.png", size=(40, 32))
    save_image("b/1.png", size=(32, 40))
    images_refused(words=("1.png", "40 x 32 and 32 x 40"))


def test_sixteen_bit(images_refused, save_image):
    save_image("a/1.png")
    save_image("b/1.png", np.zeros((32, 40), np.uint16))
    images_refused(words=("1.png", "8-bit"))


def test_not_an_image(images_refused, save_image, tmp_path):
    save_image("a/1.png")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.png").write_text("no image")
    images_refused(words=("1.png", "cannot be read"))


def test_nothing_is_replaced_unless_asked(images_refused, save_image, tmp_path):
    for name in ("a/1.png", "b/1.png"):
        save_image(name)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "1.png").write_text("mine")
    images_refused(words=("1.png", "--force"))
    assert (tmp_path / "out" / "1.png").read_text() == "mine"


@pytest.mark.parametrize(
    "option,value,word",
    [("--device", "gpu7", "gpu7"), ("--strength", "-1", "strength"), ("--weights", "no.pt", "no")],
)
def test_unknown_option_values(images_refused, save_image, option, value, word):
    for name in ("a/1.png", "b/1.png"):
        save_image(name)
    images_refused(option, value, words=(word,))
