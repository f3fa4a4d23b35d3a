"""``wdualmine report``: a result folder to one page."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from WDualMineLib.casereport import case_file


@pytest.fixture
def told(monkeypatch) -> list:
    """The pages that were drawn: (words, columns)."""
    pages = []

    def draw(page, planes, columns, through):
        pages.append((page, [column.title for column in columns]))
        return Image.new("RGB", (20, 20), "white")

    monkeypatch.setattr(case_file, "draw", draw)
    return pages


@pytest.fixture
def folder(run, save, weights, tmp_path):
    fixed, moving = save("Doe_mr.nrrd", seed=0), save("Doe_pet.nrrd", seed=1)
    code, _, err = run(
        "fuse", fixed, moving, "-o", tmp_path / "out", "--weights", weights, "--device", "cpu"
    )
    assert code == 0, err
    return tmp_path / "out"


def test_a_page_with_the_sources_where_they_still_are(run, folder, told, tmp_path) -> None:
    code, out, err = run("report", folder, "-o", tmp_path / "case.pdf")
    assert (code, out) == (0, f"{tmp_path / 'case.pdf'}\n"), err
    assert (tmp_path / "case.pdf").read_bytes().startswith(b"%PDF-")
    ((page, columns),) = told
    assert columns[:3] == ["Fixed", "Moving", "Fused"] and "Doe_mr" in page.title


def test_a_source_that_went_away_or_changed_is_not_shown_and_that_is_said(
    run, folder, told, tmp_path, save
) -> None:
    moved = (tmp_path / "Doe_pet.nrrd").rename(tmp_path / "elsewhere.nrrd")
    code, _, err = run("report", folder, "-o", tmp_path / "a.png")
    assert code == 0 and "not at" in err and told[0][1][0] == "Fused"
    assert any("The sources are not shown" in row[1] for s in told[0][0].left for row in s.rows)
    assert run("report", folder, "-o", tmp_path / "b.png", "--moving", moved).code == 0
    assert told[1][1][:2] == ["Fixed", "Moving"]
    other = save("other.nrrd", seed=5)
    code, _, err = run("report", folder, "-o", tmp_path / "c.png", "--moving", other)
    assert code == 0 and "is not what" in err and told[2][1][0] == "Fused"


def test_anonymised_nothing_tells_whose_it_is(run, folder, told, tmp_path) -> None:
    (tmp_path / "Doe_pet.nrrd").unlink()
    assert run("report", folder, "-o", tmp_path / "case.png", "--anonymise").code == 0
    assert "doe" not in repr(told[0][0]).lower()


def test_an_earlier_page_in_the_folder_is_replaced_and_parts_never(
    run, folder, refused, told
) -> None:
    assert run("report", folder, "-o", folder / "case.png").code == 0
    assert "exists already" in refused("report", folder, "-o", folder / "case.png")
    assert run("report", folder, "-o", folder / "case.png", "--force").code == 0
    assert "neither" in refused("report", folder, "-o", folder / "fused.nrrd", "--force")


def test_no_result_is_refused_in_one_line(refused, tmp_path) -> None:
    assert "holds no fused.nrrd" in refused("report", tmp_path, "-o", tmp_path / "case.pdf")


def test_the_page_is_drawn_for_real(run, folder, tmp_path) -> None:
    assert run("report", folder, "-o", tmp_path / "case.png").code == 0
    with Image.open(tmp_path / "case.png") as picture:
        assert np.asarray(picture.convert("L")).std() > 5
