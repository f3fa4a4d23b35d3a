"""The brain window is for heads alone: by header, name, size and content; else soft tissue."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from WDualMineLib.fusion.body_region import BODY_PART, Region, region_of, told_region
from WDualMineLib.fusion.intensity import choose_window, shows_a_head
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

UPRIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)


def values(fat: float, bone: float, seed: int = 0) -> np.ndarray:
    """HU of air, soft tissue, and shares of all tissue that are fat and bone."""
    rng = np.random.default_rng(seed)
    part = rng.random((24, 32, 32))
    hu = rng.normal(35, 8, part.shape)
    hu[part < fat] = -100
    hu[part > 1 - bone] = 900
    hu[:, :, :12] = -1000
    return hu.astype(np.float32)


def scan(hu, name="Series 3", part="", slices_mm=5.0, **more) -> Volume:
    grid = Geometry(hu.shape[::-1], (1.0, 1.0, slices_mm), (0, 0, 0), UPRIGHT)
    context = SimpleNamespace(body_part=part) if part else None
    return Volume(hu, grid, name, "CT", more, context=context)


HEAD, LIMB, LEAN = values(0.1, 0.18), values(0.4, 0.04), values(0.15, 0.04)


@pytest.mark.parametrize(
    ("volume", "wanted"),
    [
        (scan(HEAD), "ct-brain"),
        (scan(values(0.0, 0.0)), "ct-brain"),  # the skull was removed
        (scan(LIMB), "ct-soft"),
        (scan(LEAN), "ct-soft"),  # unknown: not a head for certain
        (scan(LEAN, part="HEAD"), "ct-brain"),
        (scan(LEAN, **{BODY_PART: "BRAIN"}), "ct-brain"),
        (scan(LEAN, name="CT Head W/O"), "ct-brain"),
        (scan(HEAD, part="PELVIS"), "ct-soft"),
        (scan(HEAD, name="thigh_left"), "ct-soft"),
        (scan(LIMB, part="HEAD"), "ct-soft"),  # the wrong protocol was chosen at the scanner
        (scan(LIMB, name="CTHead"), "ct-soft"),
        (scan(HEAD, part="HEAD", slices_mm=30.0), "ct-soft"),  # 72 cm: the whole body
    ],
    ids=str,
)
def test_the_window_that_auto_chooses(volume, wanted) -> None:
    assert choose_window(volume, "auto").name == wanted
    assert shows_a_head(volume) == (wanted == "ct-brain")


def test_a_header_counts_more_than_a_name_and_both_together_mean_nothing() -> None:
    assert told_region(scan(HEAD, name="brain", part="CHEST")) is Region.BODY
    assert told_region(scan(HEAD, part="HEADNECK")) is Region.BODY
    assert told_region(scan(HEAD, name="head and neck")) is None
    assert told_region(scan(HEAD, name="Headache protocol")) is None


def test_nothing_of_tissue_is_no_head() -> None:
    assert region_of(scan(HEAD), np.empty(0, np.float32)) is Region.BODY


def test_patients_at_hand_get_the_window_of_their_body_part() -> None:
    from pathlib import Path

    import WDualMineLib as wd

    data = Path(__file__).parents[5] / "shared" / "data"
    limbs = sorted((data / "volumes" / "sts").glob("STS_*/CT_image.nii.gz"))
    head = data / "dicom" / "ct_head_ge_gantrytilt"
    if not limbs or not head.is_dir():
        pytest.skip(f"no patients in {data}")
    for path in [*limbs, data / "dicom" / "sts_008_ct_pt_mr" / "CT"]:
        assert not shows_a_head(wd.read(path)), path
    assert shows_a_head(wd.read(head))
