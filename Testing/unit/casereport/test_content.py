"""What the page of a case says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from WDualMineLib.casereport.content import NOT_FOR_DIAGNOSIS, Page, words_of
from WDualMineLib.pipeline.anonymous import anonymous


def rows_of(page: Page, heading: str) -> list[tuple[str, str]]:
    (section,) = (s for s in (*page.left, *page.right) if s.heading == heading)
    return list(section.rows)


def all_words(page: Page) -> str:
    sections = [
        " ".join([s.heading, *(word for row in s.rows for word in row)])
        for s in (*page.left, *page.right)
    ]
    return " ".join([page.title, page.whose, *sections, page.footer])


def test_sources_windows_and_settings_are_told(result) -> None:
    page = words_of(result)
    assert page.title == "Fusion of T1 of Müller and FDG"
    fixed = dict(rows_of(page, "Fixed volume"))
    assert fixed["Voxels"] == "40 x 44 x 20" and fixed["Spacing"] == "2 x 2 x 4 mm"
    assert fixed["Window"] == "0 to 100"
    assert dict(rows_of(page, "Moving volume"))["Modality"] == "PET"
    settings = dict(rows_of(page, "Settings"))
    assert settings["Correlation floor"] == "0.985" and settings["Colour"] == "PET-Heat"
    assert ("", "The GPU was not used.") in rows_of(page, "Notes")
    assert NOT_FOR_DIAGNOSIS in page.footer and "abababababab" in page.footer


def test_a_doubtful_verdict_is_said_aloud_with_its_reason(result) -> None:
    rows = rows_of(words_of(result), "Alignment")
    assert ("Verdict", "DOUBTFUL alignment: look at it before use") in rows
    assert ("", "two starts disagree by 7 mm") in rows
    assert ("Overlap", "93 %") in rows
    assert ("Mutual information", "0.20 before, 0.60 after") in rows


def test_measures_that_there_are_stand_with_their_units(result) -> None:
    with_more = replace(result, measures=result.measures | {"mi": 3.25, "ssim": None})
    rows = dict(rows_of(words_of(with_more), "Measures"))
    assert rows["MI"] == "3.250 bit" and "SSIM" not in rows
    assert rows["CC / bound"] == f"{result.measures['cc_over_bound']:.4f}"


def test_doubtful_regions_are_listed_largest_first_with_place_and_figures(result) -> None:
    page = words_of(result)
    first, second = rows_of(page, "Where it is doubtful")
    assert first[0] == "In the fixed" and second[0] == "In the moving"
    # 6 x 10 x 10 voxels of 16 cubic mm, centred on (-11, -15, 126) mm in LPS.
    assert first[1].startswith("9.6 ml, reliability 0.10, at R 1")
    assert " A 1" in first[1] and " S 12" in first[1]
    assert second[1].startswith("0.5 ml, reliability 0.05")


def test_a_result_without_a_mark_is_not_called_sound(result) -> None:
    reliability = result.reliability_fixed
    quiet = dict(result.volumes) | {
        "reliability_fixed": replace(reliability, array=reliability.array * 0 + 0.5)
    }
    (row,) = rows_of(words_of(replace(result, volumes=quiet)), "Where it is doubtful")
    assert "Nothing is flagged" in row[1] and "no certificate" in row[1]
    gone = {name: v for name, v in result.volumes.items() if not name.startswith("reliability")}
    (row,) = rows_of(words_of(replace(result, volumes=gone)), "Where it is doubtful")
    assert row[1].startswith("Unknown")


def test_whose_it_is_stands_on_the_page_and_is_gone_when_anonymised(result) -> None:
    page = words_of(result)
    assert page.whose == "Müller, Änne, ID P-4711, born 19501224"
    nameless = words_of(anonymous(result, ()))
    said = all_words(nameless).lower()
    for word in ("müller", "änne", "4711", "1950", "t1 of", "fdg"):
        assert word not in said, word
    assert "anonymised" in said and "Fusion of fixed and moving" in nameless.title


@pytest.mark.parametrize("told", [True, False])
def test_two_patients_are_called_so(result, told) -> None:
    both = replace(result, record=replace(result.record, different_patients=told))
    assert ("DIFFERENT PATIENTS" in words_of(both).whose) == told
