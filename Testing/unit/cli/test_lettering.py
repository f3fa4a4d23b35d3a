"""Names in pictures: text stays text, in any script."""

from __future__ import annotations

import warnings

import pytest
from WDualMineLib.cli.pictures.lettering import legible
from WDualMineLib.cli.pictures.page import new_page, save_page, short, write

NAMES = ["$x_$^", r"\frac{", "뇌", "脳 T1", "a\nb\tc", "M\udcfcller", "n" * 300, "\u202eevil", "𝔸"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_drawn_without_a_warning(tmp_path, name):
    figure, page = new_page(3, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write(page, 1, 1, short(name))
        write(page, 1, 0.5, name, rotation=90)
        save_page(figure, tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 100


def test_what_no_font_has_becomes_an_escape():
    assert legible("T1 ±µ") == "T1 ±µ"
    assert legible("\U000f0000") == "\\U000f0000"
    assert legible("a\tb") == "a\\tb"


def test_long_names_are_cut():
    assert short("n" * 300) == "n" * 25 + "…"
    assert short("n" * 26) == "n" * 26
