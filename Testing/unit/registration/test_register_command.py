"""``wdualmine register`` on files: what it writes, says and answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import phantom
import pytest
import SimpleITK as sitk
from WDualMineLib.lab.registration_trials.impostors import mirrored
from WDualMineLib.registration.transforms import matrix_of, rigid_transform

OUTPUTS = {"moving_registered.nrrd", "transform.tfm", "overview.png", "report.json"}


def test_a_good_alignment_writes_everything(command, pair, pose, tmp_path) -> None:
    outcome = command("register", *pair, "-o", tmp_path / "out")
    assert outcome.code == 0
    assert "alignment is good" in outcome.out.splitlines()[-1]
    assert {p.name for p in (tmp_path / "out").iterdir()} == OUTPUTS
    transform = sitk.ReadTransform(str(tmp_path / "out" / "transform.tfm"))
    corners = np.array([[x, y, z, 1] for x in (-60, 60) for y in (-80, 80) for z in (-70, 70)])
    wrong = corners @ (matrix_of(transform) - pose).T
    assert np.linalg.norm(wrong, axis=1).max() < 1.0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["verdict"] == "good" and report["reasons"]
    assert report["mi_after_bits"] > report["mi_before_bits"]
    np.testing.assert_allclose(report["fixed_to_moving_lps_mm"], matrix_of(transform), atol=1e-6)
    fixed = sitk.ReadImage(str(pair[0]))
    moved = sitk.ReadImage(str(tmp_path / "out" / "moving_registered.nrrd"))
    assert moved.GetSize() == fixed.GetSize()
    assert moved.GetOrigin() == pytest.approx(fixed.GetOrigin())


def test_doubtful_goes_on_and_says_so_last(command, pair, tmp_path) -> None:
    """The volumes as they lie, 20 mm and 18 degrees from where they belong."""
    outcome = command("register", *pair, "-o", tmp_path / "out", "--kind", "none")
    assert outcome.code == 0
    last = outcome.err.splitlines()[-1]
    assert last.startswith("WARNING") and "doubtful" in last and "fit better" in last
    assert {p.name for p in (tmp_path / "out").iterdir()} == OUTPUTS
    assert json.loads((tmp_path / "out" / "report.json").read_text())["verdict"] == "doubtful"


def _failing(kind: str, save) -> tuple[Path, Path, tuple]:
    """(fixed, moving, options) that cannot be aligned."""
    mr, ct = phantom.scan("MR", phantom.grid()), phantom.scan("CT", phantom.grid())
    if kind == "no overlap":
        away = rigid_transform(np.eye(4), np.zeros(3))
        away.SetTranslation((900.0, 0.0, 0.0))
        path = save(mr, "fixed.nrrd").with_name("away.tfm")
        sitk.WriteTransform(away, str(path))
        return (
            path.with_name("fixed.nrrd"),
            save(ct, "moving.nrrd"),
            ("--kind", "none", "--initial", path),
        )
    if kind == "another body part":
        return save(mr, "fixed.nrrd"), save(phantom.limb("CT"), "moving.nrrd"), ()
    flipped = mirrored(ct, np.random.default_rng(0))
    return save(mr, "fixed.nrrd"), save(flipped, "moving.nrrd"), ()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("no overlap", "field of view"),
        ("another body part", "body part"),
        ("mirrored", "mirrored"),
    ],
)
def test_failed_is_exit_code_3_and_leaves_only_the_report(
    command, save, tmp_path, kind, word
) -> None:
    fixed, moving, options = _failing(kind, save)
    outcome = command("register", fixed, moving, "-o", tmp_path / "out", *options)
    assert outcome.code == 3
    message = outcome.err.splitlines()[-1]
    assert "could not be aligned" in message and word in message
    assert "Check that both volumes" in message
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["report.json"]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["verdict"] == "failed"
    assert any(word in reason for reason in report["reasons"])


def test_failed_leaves_nothing_of_an_earlier_run(command, save, tmp_path) -> None:
    """Else its volume would lie beside a report that is not its own."""
    fixed, moving, options = _failing("no overlap", save)
    out = tmp_path / "out"
    out.mkdir()
    for name in (*OUTPUTS, "notes.txt"):
        (out / name).write_text("earlier")
    outcome = command("register", fixed, moving, "-o", out, *options, "--force")
    assert outcome.code == 3
    assert {p.name for p in out.iterdir()} == {"report.json", "notes.txt"}
    assert json.loads((out / "report.json").read_text())["verdict"] == "failed"


def test_equal_seeds_write_equal_transforms(command, pair, tmp_path) -> None:
    for name in "ab":
        options = ("--seed", 5, "--threads", 1)
        assert command("register", *pair, "-o", tmp_path / name, *options).code == 0
    a, b = ((tmp_path / name / "transform.tfm").read_bytes() for name in "ab")
    assert a == b


def test_nothing_is_replaced_unasked(command, pair, tmp_path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "transform.tfm").write_text("mine")
    outcome = command("register", *pair, "-o", out)
    assert outcome.code == 2 and "--force" in outcome.err
    assert [p.read_text() for p in out.iterdir()] == ["mine"]


def test_an_interrupt_leaves_nothing(command, pair, tmp_path, monkeypatch) -> None:
    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "WDualMineLib.cli.pictures.registration_overview.write_overview", interrupted
    )
    outcome = command("register", *pair, "-o", tmp_path / "new" / "out")
    assert outcome.code == 130 and "stopped" in outcome.err
    assert not (tmp_path / "new").exists()
