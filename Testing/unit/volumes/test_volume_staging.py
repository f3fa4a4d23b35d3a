"""A group of files arrives together or not at all."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from WDualMineLib.errors import OutputError
from WDualMineLib.volumes.staging import check_destination, interrupts_held, staged_folder


def fill(folder: Path) -> None:
    (folder / "maps").mkdir()
    (folder / "fused.nrrd").write_text("new")
    (folder / "maps" / "a.png").write_text("new")


def tree(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize("present", [False, True])
def test_files_arrive(tmp_path, present):
    out = tmp_path / "deep" / "out"
    if present:
        out.mkdir(parents=True)
        (out / "other.txt").write_text("kept")
    with staged_folder(out) as folder:
        fill(folder)
        assert not (out / "fused.nrrd").exists()
    assert tree(out) == sorted(
        ["fused.nrrd", "maps", "maps/a.png"] + (["other.txt"] if present else [])
    )
    assert os.listdir(tmp_path / "deep") == ["out"]


def test_new_folder_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").mkdir()
    with staged_folder(tmp_path / "out") as folder:
        fill(folder)
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("present", [False, True])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_an_exception_leaves_nothing(tmp_path, present, failure):
    out = tmp_path / "deep" / "out"
    if present:
        out.mkdir(parents=True)
    with pytest.raises(failure), staged_folder(out) as folder:
        fill(folder)
        raise failure
    assert tree(tmp_path) == (["deep", "deep/out"] if present else [])


def test_existing_files_are_refused_together(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "a.png").write_text("old")
    with pytest.raises(OutputError, match="--force"), staged_folder(tmp_path) as folder:
        fill(folder)
    assert tree(tmp_path) == ["maps", "maps/a.png"]
    assert (tmp_path / "maps" / "a.png").read_text() == "old"
    with staged_folder(tmp_path, force=True) as folder:
        fill(folder)
    assert (tmp_path / "maps" / "a.png").read_text() == "new"
    assert tree(tmp_path) == ["fused.nrrd", "maps", "maps/a.png"]


def test_a_failed_move_is_undone(tmp_path, monkeypatch):
    (tmp_path / "fused.nrrd").write_text("old")
    rename = Path.rename

    def fails_late(self: Path, target: Path) -> Path:
        if Path(target).name == "a.png" and ".partial" not in str(target):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_late)
    with pytest.raises(OutputError, match="no room"), staged_folder(tmp_path, force=True) as folder:
        fill(folder)
    assert (tmp_path / "fused.nrrd").read_text() == "old"
    assert not list(tmp_path.rglob("a.png"))
    assert not list(tmp_path.glob(".partial*"))


@pytest.mark.parametrize("name", ["out", "out/deeper/still"])
def test_destination_is_a_file(tmp_path, name):
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="is a file"), staged_folder(tmp_path / name):
        raise AssertionError("the body must not run")


def test_destination_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="may not be written"):
        check_destination(tmp_path / "out")


def test_existing_files_are_found_before_the_work(tmp_path):
    (tmp_path / "fused.nrrd").write_text("old")
    check_destination(tmp_path, ["other.nrrd"])
    check_destination(tmp_path, ["fused.nrrd"], force=True)
    with pytest.raises(OutputError, match=r"fused\.nrrd exists already \(and 1 more\)"):
        (tmp_path / "report.json").touch()
        check_destination(tmp_path, ["fused.nrrd", "report.json"])


def test_an_interrupt_waits_for_the_move():
    steps = []
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        signal.raise_signal(signal.SIGINT)
        steps.append("finished")
    assert steps == ["finished"]
