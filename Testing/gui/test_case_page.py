"""The page of a case from the panel: measured, with the verdict, and nothing of the patient."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")


@pytest.fixture
def pages(monkeypatch) -> list:
    """Words of the pages that are drawn."""
    from WDualMineLib.casereport import case_file

    drawn = []
    words_of = case_file.words_of

    def spy(result, notes=()):
        drawn.append(words_of(result, notes))
        return drawn[-1]

    monkeypatch.setattr(case_file, "words_of", spy)
    return drawn


def write(driver, session, folder):
    driver.ui.caseFolderButton.setProperty("directory", str(folder))
    driver.click("caseButton")
    driver.wait_until(lambda: not session.running)


def test_a_page_of_the_result_is_written_and_no_file_replaced(
    fused, session, tmp_path, pages, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(fused, session, "new")
    path = tmp_path / "new" / "wdualmine-case.pdf"
    assert path.read_bytes().startswith(b"%PDF-"), fused.text("caseLabel")
    assert "The page is written." in fused.text("caseLabel")
    assert "MRHead and CTHead" in pages[0].title
    measures = next(s for s in pages[0].right if s.heading == "Measures")
    assert {"MI", "SSIM", "Qabf"} <= {name for name, _ in measures.rows}
    before = path.read_bytes()
    write(fused, session, "new")
    assert path.read_bytes() == before and (tmp_path / "new" / "wdualmine-case-2.pdf").is_file()
    fused.ui.caseSection.setProperty("collapsed", False)
    fused.screenshot("panel-case")


def test_patient_and_verdict_come_from_the_scene_and_go_when_anonymised(
    fused, session, tmp_path, pages, monkeypatch, volumes
) -> None:
    from types import SimpleNamespace

    import slicer
    from WDualMineLib.scene.result.dicom_origin import INSTANCES

    told = {"0010,0010": "Doe^Jane", "0010,0020": "X1", "0010,0030": "19700101", "0010,0040": "F"}
    database = SimpleNamespace(
        isOpen=True, fileForInstance=lambda uid: uid, fileValue=lambda path, tag: told.get(tag, "")
    )
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    volumes[0].SetAttribute(INSTANCES, "1.2.3")
    write(fused, session, tmp_path)
    assert pages[0].whose == "Doe, Jane, ID X1, born 19700101"
    fused.ui.caseAnonymiseCheck.setChecked(True)
    write(fused, session, tmp_path)
    said = repr(pages[1]).lower()
    assert not any(word in said for word in ("doe", "jane", "x1,", "mrhead", "cthead"))


def test_a_source_that_was_deleted_is_told_in_the_panel(
    fused, session, scene, volumes, tmp_path
) -> None:
    scene.RemoveNode(volumes[1])
    write(fused, session, tmp_path)
    assert "is not in the scene any more" in fused.text("caseLabel")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(fused, session, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    write(fused, session, blocked)
    assert fused.text("caseLabel") and "written." not in fused.text("caseLabel")
