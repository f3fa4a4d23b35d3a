"""The page of a case as PDF and PNG: one page, whole or not at all, legible in any language."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from WDualMineLib.casereport.case_file import write_case
from WDualMineLib.casereport.columns import pictures_of
from WDualMineLib.casereport.content import words_of
from WDualMineLib.casereport.sheet import SIZE, draw
from WDualMineLib.casereport.typeface import face, writable
from WDualMineLib.errors import InputError, OutputError


def test_a_pdf_has_one_page_of_a4(result, tmp_path) -> None:
    path = write_case(result, tmp_path / "case.pdf")
    data = path.read_bytes()
    assert data.startswith(b"%PDF-") and data.count(b"/Type /Page\n") == 1
    assert b"ller" not in data, "nothing of the patient in the file's own properties"


def test_a_png_shows_every_part_of_the_result(result, tmp_path) -> None:
    path = write_case(result, tmp_path / "case.png")
    with Image.open(path) as picture:
        assert picture.size == SIZE
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert np.ptp(pixels, axis=2).max() > 100, "colours of PET and of suspected faults"
    _, columns, through = pictures_of(result, words_of(result).doubts)
    assert [c.title for c in columns] == [
        "Fixed", "Moving", "Fused", "Fused in colour", "Suspected faults", "Arbitration",
    ]  # fmt: skip
    assert through == "the largest doubtful region"


def test_the_planes_go_through_the_largest_doubtful_region_and_show_it(result) -> None:
    doubts = words_of(result).doubts
    planes, columns, _ = pictures_of(result, doubts)
    faults = next(c for c in columns if c.title == "Suspected faults")
    for plane, picture in zip(planes, faults.pictures, strict=True):
        red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
        cyan = (blue > red + 60) & (green > red + 60)
        assert cyan.any(), f"the fault is not seen in the {plane.name} plane"


def test_without_doubts_or_sources_the_page_still_comes(result, tmp_path) -> None:
    bare = replace(result, inputs=None, volumes={"fused": result.fused})
    _, columns, through = pictures_of(bare, ())
    assert [c.title for c in columns] == ["Fused"] and through == "the centre of the body"
    assert write_case(bare, tmp_path / "case.png").is_file()


def test_a_page_that_is_too_full_says_so_and_keeps_its_footer(result) -> None:
    full = replace(result, notes=[f"Sentence {n} of very many." for n in range(200)])
    page = words_of(full)
    sheets = [
        np.asarray(draw(p, *pictures_of(full, page.doubts)))
        for p in (page, replace(page, footer=""))
    ]
    bottom = slice(SIZE[1] - 90, None)
    assert (sheets[0][bottom] != sheets[1][bottom]).any(), "the footer is drawn"
    assert (sheets[0][: bottom.start] == sheets[1][: bottom.start]).all()
    assert (sheets[1][bottom][20:] == 255).all(), "notes do not run over it"


def test_long_names_stay_on_the_page(result) -> None:
    source = replace(result.record.fixed, name="x" * 400)
    long = replace(result, record=replace(result.record, fixed=source))
    sheet = np.asarray(draw(words_of(long), *pictures_of(long, ())))
    assert (sheet[:, -40:] == 255).all(), "the margin is empty"


def test_what_the_font_lacks_is_escaped_and_never_a_box() -> None:
    missing = bytes(face(20).getmask("\uffff"))
    for text in ("Müller Žižek", "山田", "a\nb\x07", "مريم"):
        for character in writable(text):
            assert ord(character) < 128 or bytes(face(20).getmask(character)) != missing
    assert "\n" not in writable("a\nb")


def test_without_a_system_font_accents_go_and_the_rest_is_escaped(monkeypatch) -> None:
    from WDualMineLib.casereport import typeface

    monkeypatch.setattr(typeface, "_FACES", ())
    monkeypatch.setattr(typeface, "_beside_matplotlib", list)
    for cached in (typeface.face, typeface._drawn):
        cached.cache_clear()
    try:
        assert typeface.writable("Müller 山") == "Muller \\u5c71"
    finally:
        for cached in (typeface.face, typeface._drawn):
            cached.cache_clear()


def test_other_kinds_and_files_that_exist_are_refused(result, tmp_path) -> None:
    with pytest.raises(InputError, match=r"neither a \.pdf nor a \.png"):
        write_case(result, tmp_path / "case.docx")
    path = tmp_path / "case.pdf"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_case(result, path)
    assert path.read_text() == "mine"
    write_case(result, path, force=True)
    assert path.read_bytes().startswith(b"%PDF-")


def test_a_full_disk_leaves_no_half_page(result, tmp_path, little_room) -> None:
    with little_room(2000), pytest.raises(OutputError):
        write_case(result, tmp_path / "case.png")
    assert list(tmp_path.iterdir()) == []
