"""``wdualmine batch`` in one process: what it takes, what it refuses, what it does again."""

from __future__ import annotations

import json
import os
import shutil
import time

import numpy as np
import pytest
import SimpleITK as sitk

from .conftest import CORRUPT

IN_THIS_PROCESS = ("--workers", 0)


@pytest.fixture
def batch(run, tmp_path):
    """Run a batch without Dask into ``out``."""

    def batch(source, *options):
        return run("batch", source, "-o", tmp_path / "out", *IN_THIS_PROCESS, *options)

    return batch


@pytest.fixture
def batch_refused(batch, tmp_path):
    """A batch that must be refused before it leaves anything; its last line of words."""

    def batch_refused(source, *options):
        code, _, err = batch(source, *options)
        assert code == 2, err
        assert not (tmp_path / "out").exists()
        return err.splitlines()[-1]

    return batch_refused


def write_rows(path, *rows):
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_study_is_what_the_command_writes(batch, run, studies, tmp_path):
    """The same voxels, settings, measures and notes; no second truth."""
    source = studies(1, {0: {"moving-window": "0,150", "share": "yes", "axis": "coronal"}})
    assert batch(source).code == 0
    volumes = source.parent / "0_fixed.nii.gz", source.parent / "0_moving.nii.gz"
    code = run("fuse", *volumes, "-o", tmp_path / "one", "--moving-window", "0,150", "--share",
               "--axis", "coronal").code  # fmt: skip
    assert code == 0
    one, other = tmp_path / "one", tmp_path / "out" / "studies" / "s0"
    extra = {"study.json", "page.html", "thumbnail.jpg"}
    assert {p.name for p in other.iterdir()} == {p.name for p in one.iterdir()} | extra
    for path in one.glob("*.nrrd"):
        voxels = [sitk.GetArrayFromImage(sitk.ReadImage(str(f / path.name))) for f in (one, other)]
        assert np.array_equal(*voxels), path.name
    reports = [json.loads((f / "report.json").read_text()) for f in (one, other)]
    for key in ("settings", "weights", "notes", "fixed", "moving", "registration", "libraries"):
        assert reports[0][key] == reports[1][key], key
    assert reports[0]["measures"]["qabf"] == reports[1]["measures"]["qabf"]


def test_failures_are_told_and_stop_nobody(batch, studies, table, tmp_path, simple_network):
    source = studies(4, {2: {"timeout": "0.000001"}})
    (source.parent / "1_fixed.nii.gz").write_bytes(CORRUPT)
    code, out, err = batch(source)
    assert code == 4
    rows = table(tmp_path / "out")
    assert [row["state"] for row in rows.values()] == ["done", "failed", "failed", "done"]
    assert "1_fixed.nii.gz" in rows["s1"]["words"] and ".partial" not in rows["s1"]["words"]
    assert "time limit" in rows["s2"]["words"]
    assert "s1 (row 3) failed" in err and "2 done, 2 failed" in out

    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "studies").rglob("*")}
    code, out, _ = batch(source)
    assert code == 4 and "2 done before, 2 failed before" in out
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "studies").rglob("*")} == before

    # Mended: the file, and the limit.
    shutil.copy(source.parent / "0_fixed.nii.gz", source.parent / "1_fixed.nii.gz")
    source.write_text(source.read_text().replace("0.000001", "100"))
    code, out, _ = batch(source)
    assert code == 0 and "2 done, 2 done before" in out
    assert not list((tmp_path / "out" / ".batch" / "failures").iterdir())


def test_retry_failed_without_mending(batch, studies, tmp_path, simple_network):
    source = studies(1)
    (source.parent / "0_moving.nii.gz").write_bytes(CORRUPT)
    assert batch(source).code == 1
    assert "1 failed before" in batch(source).out
    assert "1 failed." in batch(source, "--retry", "failed").out


@pytest.mark.parametrize("what", ["voxels", "settings", "output cut", "output gone", "marker"])
def test_what_is_not_whole_or_not_of_now_is_done_again(
    batch, studies, save, tmp_path, simple_network, what
):
    source = studies(2)
    assert batch(source).code == 0
    folder, options = tmp_path / "out" / "studies" / "s0", ()
    if what == "voxels":
        save("other.nii.gz", seed=7).replace(source.parent / "0_fixed.nii.gz")
    elif what == "settings":
        options = ("--strength", "0.5")
    elif what == "output cut":
        content = (folder / "fused.nrrd").read_bytes()
        (folder / "fused.nrrd").write_bytes(content[:-5])
    elif what == "output gone":
        (folder / "overview.png").unlink()
    else:
        (folder / "study.json").write_text("{")
        options = ("--force",)
    done = "2 done" if what == "settings" else "1 done, 1 done before"
    assert done in batch(source, *options).out
    assert "2 done before" in batch(source, *options).out


def test_a_new_date_alone_is_no_change(batch, studies, simple_network):
    source = studies(1)
    batch(source)
    os.utime(source.parent / "0_fixed.nii.gz", (1, 1))
    assert "1 done before" in batch(source).out


def test_verify_reads_what_has_the_right_size(batch, studies, tmp_path, simple_network):
    source = studies(1)
    batch(source)
    path = tmp_path / "out" / "studies" / "s0" / "fused.nrrd"
    path.write_bytes(bytes(path.stat().st_size))
    assert "1 done before" in batch(source).out
    assert "1 done." in batch(source, "--verify").out


def test_a_failing_repetition_leaves_the_old_result(batch, studies, tmp_path, simple_network):
    source = studies(1)
    batch(source)
    before = (tmp_path / "out/studies/s0/fused.nrrd").read_bytes()
    (source.parent / "0_fixed.nii.gz").write_bytes(CORRUPT)
    assert batch(source).code == 1
    assert (tmp_path / "out/studies/s0/fused.nrrd").read_bytes() == before
    assert not list((tmp_path / "out/studies").glob(".*"))


def test_an_old_colour_volume_does_not_stay_beside_the_new_result(
    batch, studies, tmp_path, simple_network
):
    source = studies(1)
    batch(source, "--colour", "PET-Heat")
    assert (tmp_path / "out/studies/s0/fused_colour.nrrd").exists()
    assert "1 done." in batch(source).out
    assert not (tmp_path / "out/studies/s0/fused_colour.nrrd").exists()


def test_dry_run_shows_and_leaves_nothing(batch, studies, tmp_path):
    source = studies(3)
    code, out, _ = batch(source, "--dry-run")
    assert code == 0 and "3 studies, 3 to run, 0 refused" in out and "s2" in out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("fixed,other", "a,b"), ("row 1", "no column moving")),
        (("fixed,moving",), ("header and no rows",)),
        (("fixed,moving,colour-map", "a,b,c"), ("row 1", "'colour-map'", "no option")),
        (("fixed,moving", "0_fixed.nii.gz"), ("row 2", "1 cells")),
        (("fixed,moving", "0_fixed.nii.gz,gone.nii"), ("row 2", "gone.nii does not exist")),
        (("fixed,moving", ",0_moving.nii.gz"), ("row 2", "no fixed volume")),
        (("fixed,moving", "../fixed.nii.gz,0_moving.nii.gz"), ("row 2", "outside", "--root")),
        (("fixed,moving", "0_fixed.nii.gz,0_fixed.nii.gz"), ("row 2", "both the fixed and")),
        (("name,fixed,moving", "../x,0_fixed.nii.gz,0_moving.nii.gz"), ("row 2", "the name")),
        (("fixed,moving,axis", "0_fixed.nii.gz,0_moving.nii.gz,up"), ("row 2", "slice axis 'up'")),
        (("fixed,moving,strength", "0_fixed.nii.gz,0_moving.nii.gz,x"), ("row 2", "strength")),
        (("fixed,moving,share", "0_fixed.nii.gz,0_moving.nii.gz,maybe"), ("row 2", "yes or no")),
        (("fixed,moving,timeout", "0_fixed.nii.gz,0_moving.nii.gz,-1"), ("row 2", "timeout")),
        (("fixed,moving,colour", "0_fixed.nii.gz,0_moving.nii.gz,nosuch"), ("row 2", "nosuch")),
        (("fixed,moving,kind", "0_fixed.nii.gz,0_moving.nii.gz,CT"), ("row 2", "--dicom")),
        (("fixed,moving,registration", "0_fixed.nii.gz,0_moving.nii.gz,no.tfm"), ("no.tfm",)),
        (("fixed,moving,weights", "0_fixed.nii.gz,0_moving.nii.gz,no.pt"), ("row 2", "no.pt")),
    ],
)  # fmt: skip
def test_bad_rows_are_refused_by_their_number(batch_refused, studies, rows, words):
    source = write_rows(studies(1), *rows)
    said = batch_refused(source)
    assert all(word in said for word in words), said


def test_duplicate_names_also_where_capitals_count_for_nothing(batch_refused, studies):
    source = studies(2)
    source.write_text(source.read_text().replace("s1,", "S0,"))
    said = batch_refused(source)
    assert "row 3" in said and "row 2" in said


def test_all_that_is_wrong_is_said_at_once(batch, studies, tmp_path):
    source = write_rows(studies(1), "fixed,moving", "a,b", "0_fixed.nii.gz,0_moving.nii.gz", "c,d")
    code, _, err = batch(source)
    assert code == 2 and "row 2: " in err and "row 4: " in err and "2 of 3 studies" in err


def test_two_subjects_are_not_paired_by_mistake(batch_refused, studies):
    source = studies(1)
    for name, subject in (
        ("0_fixed.nii.gz", "sub-01_T1w.nii.gz"),
        ("0_moving.nii.gz", "sub-02_ct.nii.gz"),
    ):
        (source.parent / name).rename(source.parent / subject)
    write_rows(source, "fixed,moving", "sub-01_T1w.nii.gz,sub-02_ct.nii.gz")
    assert "different subjects: sub-01 and sub-02" in batch_refused(source)


def test_a_folder_above_the_list_may_be_called_as_it_likes(batch, studies, tmp_path):
    source = studies(1)
    source.parent.rename(tmp_path / "sub-cohort")
    (tmp_path / "sub-cohort" / "0_moving.nii.gz").rename(
        tmp_path / "sub-cohort" / "sub-1_ct.nii.gz"
    )
    listed = write_rows(
        tmp_path / "sub-cohort" / "list.csv", "fixed,moving", "0_fixed.nii.gz,sub-1_ct.nii.gz"
    )
    assert batch(listed, "--dry-run").code == 0


def test_spreadsheets_of_europe(batch, studies):
    """Semicolons, a byte order mark, Windows line ends, an empty row at the end."""
    source = studies(1)
    source.write_bytes(
        b"\xef\xbb\xbfName;Fixed;Moving\r\ns0;0_fixed.nii.gz;0_moving.nii.gz\r\n;;\r\n"
    )
    assert "1 studies, 1 to run" in batch(source, "--dry-run").out


def test_a_folder_that_no_batch_wrote_stays(batch, studies, tmp_path, simple_network):
    source = studies(1)
    mine = tmp_path / "out" / "studies" / "s0" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    code, _, err = batch(source)
    assert code == 2 and "row 2" in err and "no batch wrote" in err and mine.exists(), err


def test_volumes_among_the_results_are_refused(batch, studies, tmp_path, simple_network):
    source = studies(1)
    batch(source)
    listed = write_rows(tmp_path / "list.csv", "name,fixed,moving",
                        "s1,out/studies/s0/fused.nrrd,volumes/0_moving.nii.gz")  # fmt: skip
    code, _, err = batch(listed)
    assert code == 2 and "among the results" in err


def test_no_room_ends_the_batch_and_goes_on_later(batch, studies, tmp_path, little_room, table,
                                                  simple_network):  # fmt: skip
    source = studies(3)
    with little_room(20_000):
        code, _, err = batch(source)
    assert code == 1 and "ended early" in err and "no room on the disk" in err
    assert [row["state"] for row in table(tmp_path / "out").values()] == [
        "failed", "waiting", "waiting"]  # fmt: skip
    assert not list((tmp_path / "out" / "studies").iterdir())
    assert batch(source).code == 0


def test_output_that_cannot_be_written_is_refused(run, studies, tmp_path, little_room):
    source = studies(1)
    (tmp_path / "file").write_text("")
    code, _, err = run("batch", source, "-o", tmp_path / "file", *IN_THIS_PROCESS)
    assert code == 2 and "is a file" in err
    with little_room(1000):
        code, _, err = run("batch", source, "-o", tmp_path / "out", *IN_THIS_PROCESS)
    assert code == 2 and "no room on the disk" in err


def test_two_batches_in_one_folder(batch, studies, tmp_path, simple_network):
    fcntl = pytest.importorskip("fcntl", reason="needs POSIX locks")
    source = studies(1)
    batch(source)
    with (tmp_path / "out" / ".batch" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, _, err = batch(source, "--strength", "0.3")
    assert code == 2 and "Another batch is at work" in err


def test_remains_of_killed_runs_are_tidied(batch, studies, tmp_path, simple_network):
    source = studies(2)
    batch(source)
    home = tmp_path / "out" / "studies"
    # Killed between the two renamings, and in the middle of a study.
    (home / "s0").rename(home / ".before-s0")
    (home / ".partial-0123abcd" / "s1").mkdir(parents=True)
    os.utime(home / ".partial-0123abcd", (1, 1))
    assert batch(source).code == 0
    assert sorted(p.name for p in home.iterdir()) == ["s0", "s1"]


def test_anonymised_studies_name_no_file(batch, studies, tmp_path, simple_network):
    source = studies(1, {0: {"dicom": "yes", "anonymise": "yes"}})
    for name in ("fixed", "moving"):
        (source.parent / f"0_{name}.nii.gz").rename(source.parent / f"Doe_Jane_{name}.nii.gz")
    source.write_text(source.read_text().replace("0_", "Doe_Jane_"))
    code, _, err = batch(source)
    assert code == 0, err
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            # Three letters alone come about by chance in compressed voxels and pictures.
            assert b"Doe_Jane" not in path.read_bytes(), path
    assert "1 done before" in batch(source).out


def test_ten_thousand_rows_are_planned_in_seconds(batch, studies):
    source = studies(1)
    rows = [f"n{n},0_fixed.nii.gz,0_moving.nii.gz,{n / 10000}" for n in range(10_000)]
    write_rows(source, "name,fixed,moving,strength", *rows)
    # Processor time, which a busy machine leaves as it is.
    started = time.process_time()
    code, out, _ = batch(source, "--dry-run")
    assert code == 0 and "10000 studies, 10000 to run" in out
    assert time.process_time() - started < 20


def test_bids_pairs_and_derivatives(batch, run, save, tmp_path, simple_network):
    root = tmp_path / "bids"
    for name, kind in (("anat/sub-1_T1w", 0), ("anat/sub-1_T2w", 2), ("pet/sub-1_trc-FDG_pet", 1)):
        path = root / "sub-1" / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        save("some.nii.gz", seed=kind).replace(path)
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    out = root / "derivatives" / "wdualmine"
    assert run("batch", root, "-o", out, *IN_THIS_PROCESS).code == 0
    images = sorted(p.name for p in (out / "sub-1" / "anat").glob("*.nii.gz"))
    assert images[0] == "sub-1_space-individual_desc-fusedPetTrcFDG_T1w.nii.gz"
    assert len(images) == 4
    sidecar = json.loads((out / "sub-1/anat" / images[0].replace(".nii.gz", ".json")).read_text())
    assert sidecar["SpatialReference"] == "bids:raw:sub-1/anat/sub-1_T1w.nii.gz"
    assert sidecar["Sources"][1] == "bids:raw:sub-1/pet/sub-1_trc-FDG_pet.nii.gz"
    assert sidecar["WDualMine"]["Options"]["moving_window"] == "pet"
    assert json.loads((out / "dataset_description.json").read_text())["DatasetLinks"]

    (out / "sub-1" / "anat" / images[0]).unlink()
    assert "1 done." in run("batch", root, "-o", out, *IN_THIS_PROCESS).out
    code, _, err = run("batch", root, "-o", root, *IN_THIS_PROCESS)
    assert code == 2 and "is another dataset" in err


def test_the_official_validator_accepts_the_derivatives(run, save, tmp_path, simple_network):
    """bids-validator-deno, from PyPI."""
    import subprocess
    import sys
    from pathlib import Path

    program = Path(sys.executable).with_name("bids-validator-deno")
    if not program.exists():
        pytest.skip("bids-validator-deno is not installed (pip install 'wdualmine[dev]')")
    root = tmp_path / "bids"
    for name, seed in (("anat/sub-1_ses-2_T1w", 0), ("pet/sub-1_ses-2_trc-FDG_pet", 1)):
        path = root / "sub-1" / "ses-2" / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        save("some.nii.gz", seed=seed).replace(path)
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    out = root / "derivatives" / "wdualmine"
    assert run("batch", root, "-o", out, "--share", *IN_THIS_PROCESS).code == 0
    done = subprocess.run([program, out, "--format", "json"], capture_output=True, text=True)
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert not [issue for issue in issues if issue["severity"] == "error"], issues
    assert done.returncode == 0
