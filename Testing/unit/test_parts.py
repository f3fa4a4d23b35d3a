"""What the parts of a result are called, in lists and in legends."""

from __future__ import annotations

import pytest
from WDualMineLib.pipeline.parts import FUSED, MAPS, RELIABILITY_FIXED, short_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("MRHead", "MRHead"),
        ("3: CT HEAD", "CT HEAD"),
        ("301: eT1W_3D_TFE_SENSE_GADO sag", "eT1W_3D_TFE_SENSE_G…"),
        ("5: CT HEAD W/O CONT.  5.0 H31s", "CT HEAD W/O CONT.…"),
        ("12: ", "12:"),
        ("2024-01-05", "2024-01-05"),
    ],
)
def test_names_of_series_are_short_in_those_of_results(name, short) -> None:
    assert short_name(name) == short and len(short) <= 20


def test_a_list_of_results_can_be_read() -> None:
    pair = "301: eT1W_3D_TFE_SENSE_GADO sag", "2: CT HEAD W/O CONT.  5.0 H31s"
    assert FUSED.title_for(*pair) == "eT1W_3D_TFE_SENSE_G… + CT HEAD W/O CONT.… fused"
    assert RELIABILITY_FIXED.title_for(*pair).endswith("reliability of eT1W_3D_TFE_SENSE_G…")


def test_legends_have_short_lines_that_say_both_ends() -> None:
    for part in MAPS:
        first, high, low = part.legend.splitlines()
        assert first and max(map(len, (first, high, low))) <= 18
        assert high.startswith("1: ") and len(high) > 3
        assert low.startswith("0: ") and len(low) > 3
