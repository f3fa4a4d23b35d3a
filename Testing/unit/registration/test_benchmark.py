"""``wdualmine bench registration``: exact truth, honest sums, curves, and one small run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from phantom import grid, scan
from PIL import Image
from WDualMineLib.cli.bench import registration_error as bench_registration
from WDualMineLib.cli.bench.registration_pairs import Pair, pairs
from WDualMineLib.cli.bench.registration_roc import as_text, count_verdicts, describe, draw
from WDualMineLib.lab.registration_trials.displacements import (
    HARD,
    USUAL,
    errors_mm,
    in_header,
    random_pose,
    targets_of,
)
from WDualMineLib.lab.registration_trials.impostors import IMPOSTORS
from WDualMineLib.lab.registration_trials.peers import NEEDS, PEERS
from WDualMineLib.lab.registration_trials.trials import OURS, Trial, posed, run_trial, summarise
from WDualMineLib.registration.poses import about, rotation
from WDualMineLib.registration.preparation import prepare
from WDualMineLib.registration.verdict import RULES
from WDualMineLib.volumes.resampling import to_image

POINTS = np.random.default_rng(0).uniform(-80, 80, (50, 3))


@pytest.mark.parametrize("limits", [USUAL, HARD])
def test_poses_fill_their_range_and_no_more(limits) -> None:
    rng = np.random.default_rng(0)
    centre = np.array([5.0, -20.0, 40.0])
    poses = [random_pose(limits, centre, rng) for _ in range(300)]
    shifts = np.array([m[:3, :3] @ centre + m[:3, 3] - centre for m in poses])
    assert 0.95 * limits.shift_mm < np.abs(shifts).max() <= limits.shift_mm
    assert all(np.linalg.det(m[:3, :3]) == pytest.approx(1.0) for m in poses)


@pytest.mark.parametrize("carry", ["upright", "in_header"])
def test_a_displaced_volume_shows_each_point_where_the_truth_says(ct, carry) -> None:
    truth, displaced = posed(ct, USUAL, [4])
    if carry == "in_header":
        displaced = in_header(ct, truth, np.array([0.3, 0.5, 0.6]))
    before, after = to_image(ct), to_image(displaced)
    rng = np.random.default_rng(1)
    inside = prepare(ct).body_points
    points = inside[rng.choice(len(inside), 300)]
    moved = points @ truth[:3, :3].T + truth[:3, 3]
    values = [
        [image.EvaluateAtPhysicalPoint(p) for p in where.tolist()]
        for image, where in ((before, points), (after, moved))
    ]
    assert np.corrcoef(values)[0, 1] > 0.97
    again, _ = posed(ct, USUAL, [4])
    np.testing.assert_array_equal(again, truth)


def test_target_points_are_the_corners_and_the_inside_of_the_body(mr) -> None:
    points = targets_of(mr)
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose(high - low, (2 * 78, 2 * 98 + 12, 2 * 88), atol=14)
    assert len(points) > 500
    shifted = about(np.eye(3), np.zeros(3), np.array([3.0, 4.0, 0.0]))
    np.testing.assert_allclose(errors_mm(shifted, np.eye(4), points), 5.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of itk's own wrappers
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_called_right(name) -> None:
    """Each convention of directions, centres and angles was got right: the pose comes out."""
    near = about(rotation(np.radians([4.0, -5.0, 6.0])), np.zeros(3), np.array([6.0, -4.0, 5.0]))
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"{name} is of the extra [bench]")
    fixed, moving = scan("MR", grid()), scan("CT", grid((3.0, 3.5, 4.0)), near)
    trial = run_trial(name, fixed, moving, near, targets_of(fixed), 1)
    assert np.median(trial.errors) < 3.0
    assert trial.verdict == ""


def _trial(shift: float, verdict: str, **figures: float) -> Trial:
    left = about(np.eye(3), np.zeros(3), np.array([shift, 0.0, 0.0]))
    return Trial(errors_mm(left, np.eye(4), POINTS), left, 2.0, 1.0, verdict, [], figures)


def test_sums_tell_offset_from_spread_and_silent_from_flagged() -> None:
    trials = [
        _trial(1.0, "good"),
        _trial(3.0, "doubtful"),
        _trial(40.0, "failed"),
        _trial(50.0, "good"),
        Trial(np.full(50, np.inf), None, 2.0, 1.0, "failed"),
    ]
    row = summarise(trials, POINTS)
    assert (row["cases"], row["failures"], row["silent"], row["doubts"]) == (5, 3, 1, 1)
    assert row["offset_mm"] == pytest.approx(2.0)
    assert row["spread_mm"] == pytest.approx(1.0)
    assert row["median_mm"] == pytest.approx(40.0)
    assert row["seconds"] == 2.0


FIGURES = {
    "agreement_mm": 0.3,
    "searches": 2.0,
    "mi_before": 0.2,
    "mi_after": 0.9,
    "overlap": 0.95,
    "background": 0.3,
    "mirror": 0.98,
    "size_difference": 0.02,
    "size_gain": 0.01,
    "parts_mm": 1.0,
    "turn_degrees": 12.0,
    "shift_mm": 15.0,
}


@pytest.fixture
def right() -> list[Trial]:
    return [_trial(1, "good", **FIGURES | {"background": b}) for b in (0.2, 0.3, 0.45)]


@pytest.fixture
def wrong() -> dict[str, list[Trial]]:
    return {
        "scrambled": [_trial(60, "failed", **FIGURES | {"background": b}) for b in (0.4, 0.7)],
        "mirrored": [_trial(1, "failed", **FIGURES | {"mirror": 1.2})],
        "noise": [Trial(np.full(50, np.inf), None, 1.0, 1.0, "failed")],  # refused: no figures
    }


def test_each_rule_has_its_curve(right, wrong) -> None:
    rows = describe(right, wrong)
    assert list(rows) == [rule.name for rule in RULES]
    row = rows["background"]
    assert row["auc"] == pytest.approx(5 / 6)  # of 6 pairs of cases, one is the wrong way round
    assert row["doubtful"]["right_above"] == pytest.approx(1 / 3)
    assert row["doubtful"]["wrong_above"] == pytest.approx(1 / 2)
    assert [above for _, above, _ in row["curve"]] == pytest.approx([2 / 3, 1 / 3, 1 / 3, 0, 0])
    # Mirrored volumes count for their own rule, and for no other.
    assert rows["mirror"]["auc"] == 1.0
    assert rows["agreement_mm"]["auc"] == 0.5


def test_nothing_wrong_measured_gives_no_curve(right) -> None:
    assert describe(right, {}) == {}
    assert count_verdicts(right) == {"good": 3, "doubtful": 0, "failed": 0}


def test_the_curves_as_table_and_picture(right, wrong, tmp_path) -> None:
    rows = describe(right, wrong)
    lines = as_text(rows).splitlines()
    assert len(lines) == 2 + len(RULES)
    background = next(line for line in lines if "background" in line)
    assert "0.833" in background and "33% / 50%" in background
    draw(rows).savefig(tmp_path / "roc.png")
    picture = np.asarray(Image.open(tmp_path / "roc.png").convert("RGB"))
    assert min(picture.shape[:2]) > 400 and picture.std() > 10


def test_every_pair_tells_what_it_needs() -> None:
    names = [pair.name for pair in pairs()]
    assert len(names) == len(set(names)) == 9
    for name in ("CT-PET thigh", "part MR-whole PET", "MR-CT simulated", "MR-SPECT template"):
        assert name in names
    assert all(pair.files for pair in pairs() if "template" in pair.name)


@pytest.fixture
def one_pair(monkeypatch, mr, ct, tmp_path) -> None:
    """The benchmark on a pair that lies aligned, one that is missing, and one impostor a pair."""
    aligned = Pair("phantom", "exact", lambda: (mr, scan("CT", grid())))
    absent = Pair("absent", "none", lambda: (mr, ct), (tmp_path / "absent.nii",))
    monkeypatch.setattr(bench_registration, "pairs", lambda: [aligned, absent])
    monkeypatch.setattr(bench_registration, "strangers", lambda: iter(()))
    few = {"shuffled": IMPOSTORS["shuffled"]}
    monkeypatch.setattr(bench_registration, "IMPOSTORS", few)


def test_without_any_pair_it_says_so_and_fails(command, monkeypatch) -> None:
    absent = Pair("absent", "-", lambda: None, (Path("nowhere.nii"),))
    monkeypatch.setattr(bench_registration, "pairs", lambda: [absent, absent])
    outcome = command("bench", "registration", "--cases", 1)
    assert outcome.code == 2
    assert "None of the 2 pairs is here" in outcome.err and "WDUALMINE_SHARED" in outcome.err


def test_a_small_run_prints_and_writes_its_figures(command, one_pair, tmp_path) -> None:
    files = tmp_path / "figures.json", tmp_path / "roc.png"
    outcome = command(
        "bench", "registration", "--cases", 1, "--hard", 1, "--json", files[0], "-o", files[1]
    )
    assert outcome.code == 0
    assert "absent: SKIPPED" in outcome.out
    table = [line.split() for line in outcome.out.splitlines() if OURS in line]
    assert [row[0] for row in table] == ["wdualmine", "usual", "hard"]
    figures = json.loads(files[0].read_text())
    rows = figures["pairs"]["phantom"]
    for name in ("usual", "hard"):
        row = rows[name][OURS]
        assert row["failures"] == row["silent"] == 0
        assert row["median_mm"] < 1.0
        assert row["trials"][0]["verdict"] == "good"
    assert figures["impostors"][0]["kind"] == "shuffled"
    assert figures["impostors"][0]["verdict"] == "failed"
    assert figures["verdict"]["counts"]["right alignment"]["good"] == 2
    assert figures["verdict"]["figures"]["background"]["auc"] == 1.0
    assert files[1].stat().st_size > 10_000
    assert set(tmp_path.iterdir()) == set(files)


def test_a_pair_of_ones_own(command, one_pair, pair) -> None:
    options = ("--pairs", "absent", "--cases", 0, "--no-impostors")
    outcome = command("bench", "registration", *options, "--own", *pair)
    assert outcome.code == 0
    assert "mr.nrrd / ct.nrrd (aligned as it lies)" in outcome.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--with", "guesswork"), "'guesswork' is not a known method"),
        (("--pairs", "knee"), "No pair's name holds 'knee'"),
        (("--cases", "-1"), "must not be negative"),
        (("--threads", "0"), "must not be negative"),
    ],
)
def test_options_that_make_no_sense_are_refused(command, one_pair, options, words) -> None:
    outcome = command("bench", "registration", *options)
    assert outcome.code == 2
    assert words in outcome.err


def test_a_peer_that_is_not_installed_is_named(command, one_pair, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "itk", None)
    monkeypatch.setattr(bench_registration, "find_spec", lambda name: None)
    outcome = command("bench", "registration", "--with", "elastix")
    assert outcome.code == 2
    assert "elastix is not installed" in outcome.err and "pip install" in outcome.err


def test_nothing_is_replaced_unasked(command, one_pair, tmp_path) -> None:
    (tmp_path / "roc.png").write_text("mine")
    outcome = command("bench", "registration", "-o", tmp_path / "roc.png")
    assert outcome.code == 2 and "--force" in outcome.err
    assert (tmp_path / "roc.png").read_text() == "mine"
