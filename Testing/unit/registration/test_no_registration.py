"""``--registration none``: believed where both series carry one frame of reference."""

from __future__ import annotations

import pytest
from shared_data import shared
from WDualMineLib.cli.alignment import align
from WDualMineLib.cli.inputs import read_source
from WDualMineLib.registration.api import register
from WDualMineLib.registration.result import Verdict
from WDualMineLib.registration.settings import RegistrationSettings


def _align(fixed, moving, *frames: str):
    return align(fixed, moving, "none", lambda progress: None, frames)


def test_one_frame_of_reference_needs_no_word(mr, ct) -> None:
    alignment = _align(mr, ct, "1.2.3", "1.2.3")
    assert alignment.moving is ct and alignment.transform is None
    assert alignment.warning == ""
    assert alignment.report == {"kind": "none", "same_frame_of_reference": True}


def test_two_frames_of_reference_are_told_last(mr, ct) -> None:
    alignment = _align(mr, ct, "1.2.3", "1.2.4")
    assert alignment.moving is ct
    assert "different frames of reference" in alignment.warning
    assert "--registration rigid" in alignment.warning
    assert alignment.report["same_frame_of_reference"] is False


@pytest.mark.parametrize("frames", [(), ("1.2.3",), ("1.2.3", "")])
def test_where_nothing_is_known_the_user_is_believed(mr, ct, frames) -> None:
    assert _align(mr, ct, *frames).warning == ""


def test_ct_and_pet_of_one_scanner_are_believed_and_found_good() -> None:
    sources = [read_source(shared("dicom/sts_008_ct_pt_mr", m), None, "") for m in ("CT", "PET")]
    frames = [source.context.frame_of_reference_uid for source in sources]
    fixed, moving = (source.volume for source in sources)
    assert _align(fixed, moving, *frames).report["same_frame_of_reference"] is True
    judged = register(fixed, moving, RegistrationSettings(kind="none"))
    assert judged.verdict is not Verdict.FAILED, judged.reasons
    assert judged.overlap > 0.9
