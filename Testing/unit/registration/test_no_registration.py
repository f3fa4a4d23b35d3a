"""``--registration none``: believed where both series carry one frame of reference."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from shared_data import shared
from WDualMineLib.dicom.context import Patient
from WDualMineLib.pipeline.alignment import Alignment, align_steps
from WDualMineLib.pipeline.request import Request
from WDualMineLib.pipeline.sources import read
from WDualMineLib.progress import finish
from WDualMineLib.registration.api import register
from WDualMineLib.registration.registration_result import Verdict
from WDualMineLib.registration.registration_settings import RegistrationSettings


def _align(fixed, moving, *frames: str | None) -> Alignment:
    """As they lie, with series that carry these frames of reference; None for no DICOM."""
    found = [
        replace(
            volume,
            context=None
            if frame is None
            else SimpleNamespace(
                frame_of_reference_uid=frame, patient=Patient("P-1"), series_uid=""
            ),
        )
        for volume, frame in zip((fixed, moving), frames, strict=True)
    ]
    return finish(align_steps(Request(*found)))


def test_one_frame_of_reference_needs_no_word(mr, ct) -> None:
    alignment = _align(mr, ct, "1.2.3", "1.2.3")
    assert alignment.transform is None and alignment.verdict is None
    assert alignment.warning == ""
    assert alignment.report() == {"kind": "none", "same_frame_of_reference": True}


def test_two_frames_of_reference_are_told_last(mr, ct) -> None:
    alignment = _align(mr, ct, "1.2.3", "1.2.4")
    assert "different frames of reference" in alignment.warning
    assert "--registration rigid" in alignment.warning
    assert alignment.report()["same_frame_of_reference"] is False


@pytest.mark.parametrize("frames", [(None, None), ("1.2.3", None), ("1.2.3", "")])
def test_where_nothing_is_known_the_user_is_believed(mr, ct, frames) -> None:
    assert _align(mr, ct, *frames).warning == ""


def test_ct_and_pet_of_one_scanner_are_believed_and_found_good() -> None:
    fixed, moving = (read(shared("dicom/sts_008_ct_pt_mr", m)) for m in ("CT", "PET"))
    alignment = finish(align_steps(Request(fixed, moving)))
    assert alignment.report()["same_frame_of_reference"] is True
    judged = register(fixed, moving, RegistrationSettings(kind="none"))
    assert judged.verdict is not Verdict.FAILED, judged.reasons
    assert judged.overlap > 0.9
