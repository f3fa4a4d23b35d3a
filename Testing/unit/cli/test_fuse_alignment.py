"""What the verdict on an alignment means for ``wdualmine fuse --registration``."""

from __future__ import annotations

import json

import pytest
import SimpleITK as sitk
from WDualMineLib.progress import Progress
from WDualMineLib.registration.registration_result import RegistrationResult, Verdict
from WDualMineLib.volumes.resampling import resample_to


@pytest.fixture
def verdict(monkeypatch):
    """Let registration come to this verdict, on the volumes as they lie."""

    def verdict(kind: Verdict) -> None:
        def register_steps(fixed, moving, settings):
            yield Progress(0.5, "Aligning")
            return RegistrationResult(
                sitk.Euler3DTransform(),
                resample_to(moving, fixed.geometry),
                kind,
                ["two starts disagree by 7 mm"],
                overlap=0.9,
                mi_before=0.1,
                mi_after=0.4,
                seconds={"total": 1.0},
                settings=settings,
            )

        monkeypatch.setattr("WDualMineLib.registration.api.register_steps", register_steps)

    return verdict


@pytest.fixture
def fuse(run, save, weights, tmp_path):
    def fuse():
        pair = save("ct.nrrd"), save("mr.nrrd", seed=1)
        options = ("--registration", "rigid", "--weights", weights, "--device", "cpu")
        return run("fuse", *pair, "-o", tmp_path / "out", *options)

    return fuse


def test_good_goes_on_without_a_word(fuse, verdict, tmp_path):
    verdict(Verdict.GOOD)
    outcome = fuse()
    assert outcome.code == 0 and "WARNING" not in outcome.err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["registration"]["verdict"] == "good"
    assert "transform.tfm" in report["outputs"]
    assert sitk.ReadTransform(str(tmp_path / "out" / "transform.tfm")).GetDimension() == 3


def test_doubtful_goes_on_and_says_so_last(fuse, verdict):
    verdict(Verdict.DOUBTFUL)
    outcome = fuse()
    assert outcome.code == 0
    last = outcome.err.splitlines()[-1]
    assert "doubtful" in last and "two starts disagree by 7 mm" in last


def test_failed_stops(fuse, verdict, tmp_path):
    verdict(Verdict.FAILED)
    outcome = fuse()
    assert outcome.code == 3
    assert outcome.err.count("\n") == 1 and "could not be aligned" in outcome.err
    assert not (tmp_path / "out").exists()
