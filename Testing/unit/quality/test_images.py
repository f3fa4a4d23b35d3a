from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.errors import InputError
from WDualMineLib.quality.images import list_images, read_luminance


def write(path, array):
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=array.ndim == 3), str(path))


def test_grey_is_read_as_it_is(tmp_path):
    array = np.arange(256, dtype=np.uint8).reshape(8, 32)
    write(tmp_path / "grey.png", array)
    assert np.array_equal(read_luminance(tmp_path / "grey.png"), array)


def test_colour_becomes_rounded_full_range_luma(tmp_path):
    colours = np.array([[[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    write(tmp_path / "rgb.png", colours)
    assert read_luminance(tmp_path / "rgb.png").tolist() == [[255, 76, 150, 29]]


def test_luma_agrees_with_pillow(tmp_path):
    image = pytest.importorskip("PIL.Image")
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    write(tmp_path / "rgb.png", colours)
    expected = np.asarray(image.fromarray(colours).convert("YCbCr"))[..., 0].astype(int)
    assert np.abs(read_luminance(tmp_path / "rgb.png") - expected).max() <= 1


def test_alpha_is_ignored(tmp_path):
    colours = np.full((4, 5, 4), 80, np.uint8)
    colours[..., 3] = 7
    write(tmp_path / "rgba.png", colours)
    assert (read_luminance(tmp_path / "rgba.png") == 80).all()


def test_what_cannot_be_measured_names_the_file(tmp_path):
    write(tmp_path / "deep.png", np.zeros((8, 8), np.uint16))
    (tmp_path / "text.png").write_text("not an image")
    for name, reason in (
        ("deep.png", "16-bit"),
        ("text.png", "cannot be read"),
        ("absent.png", "does not exist"),
    ):
        with pytest.raises(InputError, match=f"{name}.*{reason}"):
            read_luminance(tmp_path / name)


def test_a_folder_lists_its_images_by_name(tmp_path):
    for name in ("b.png", "a.PNG", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert list(list_images(tmp_path)) == ["a.PNG", "b.png"]


def test_a_folder_without_images_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    for folder, reason in (
        (tmp_path, "holds no images"),
        (tmp_path / "no", "does not exist"),
        (tmp_path / "file", "is not a folder"),
    ):
        with pytest.raises(InputError, match=reason):
            list_images(folder)
