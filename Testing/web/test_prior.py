"""A prior study beside the current one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

from WDualMineLib.dicom.context import Patient
from WDualMineLib.errors import InputError
from WDualMineLib.web.catalogue import Folders
from WDualMineLib.web.prior import OTHER_FRAME, UNKNOWN_FRAME, BesidePrior, frame_warning
from WDualMineLib.web.study import Study, describe, study_of


class Only:
    fusing = None

    def __init__(self, study: Study) -> None:
        self.study = study

    def rows(self):
        return []

    def open(self, _number):
        return self.study, describe(self.study)


def patient(name: str, number: str = "") -> Patient:
    return Patient(patient_id=number, name=name)


def test_both_are_told_and_opened_once(study, folder, sources) -> None:
    beside = BesidePrior(Only(study), Folders(folder, [sources[0].parent], anonymise=False))
    both, told = beside.open(0)
    assert both.result is study.result and both.prior is not None
    assert told["prior"]["title"] == told["title"] and told["prior"]["warning"] == UNKNOWN_FRAME
    assert [part["name"] for part in told["prior"]["parts"]] == [p["name"] for p in told["parts"]]
    assert beside.open(0)[0] is both
    assert [words for words, *_ in both.both((1.0, 0.9))] == ["", "Prior: "]
    assert both.both((1.0, 0.9))[1][2] == both.prior.own_look


@pytest.mark.parametrize(
    ("frames", "warning"),
    [
        (("1.2", "1.2"), ""),
        (("1.2", "1.3"), OTHER_FRAME),
        (("", "1.2"), UNKNOWN_FRAME),
        (("", ""), UNKNOWN_FRAME),
    ],
)
def test_it_says_where_frames_of_reference_differ(study, frames, warning: str) -> None:
    ours, theirs = (replace(study, frame_of_reference=frame) for frame in frames)
    assert frame_warning(ours, theirs) == warning


def test_the_frame_is_that_of_the_fixed_series(fused) -> None:
    result, fixed, moving = fused
    series = replace(fixed, context=SimpleNamespace(frame_of_reference_uid="1.2.3"))
    assert study_of(result, series, moving, anonymise=False).frame_of_reference == "1.2.3"
    assert study_of(result, fixed, moving, anonymise=False).frame_of_reference == ""


@pytest.mark.parametrize("anonymise", [False, True])
def test_two_patients_are_not_shown_as_one(fused, anonymise: bool) -> None:
    result, fixed, moving = fused
    record = result.record

    def of(name: str) -> Study:
        named = replace(record, fixed=replace(record.fixed, patient=patient(name)))
        return study_of(replace(result, record=named), fixed, moving, anonymise=anonymise)

    with pytest.raises(InputError, match="another patient: patient name differ") as told:
        BesidePrior(Only(of("Doe^J")), Only(of("Roe^R"))).open(0)
    assert "Doe" not in str(told.value) and "Roe" not in str(told.value)
    assert BesidePrior(Only(of("Doe^J")), Only(of("DOE^J^^"))).open(0)[0].prior is not None


def test_who_is_anonymised_is_told_of_neither(folder, sources) -> None:
    allowed = [sources[0].parent]
    both = [Folders(folder, allowed, anonymise=True) for _ in range(2)]
    assert "Doe" not in repr(BesidePrior(*both).open(0)[1])
