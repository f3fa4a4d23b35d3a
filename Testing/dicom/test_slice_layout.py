"""What the headers of a series tell of a volume that another program stacked from its files."""

from __future__ import annotations

import pytest
from WDualMineLib.dicom.slice_layout import layout_of

EVEN = [(10.0, -20.0, 30.0 + 2.5 * k) for k in range(6)]


def at(depths, shear: float = 0.0):
    return [(10.0, -20.0 + shear * z, 30.0 + z) for z in depths]


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        (EVEN, ""),
        (EVEN[::-1], ""),
        (EVEN[:1], ""),
        (at([0, 2.5, 5, 7.5, 10, 12.5], shear=0.3), "the gantry was tilted by 16.7 degrees"),
        (at([0, 2.5, 5, 8.3, 11.6, 14.9]), "its slice gaps vary from 2.50 to 3.30 mm"),
        (at([0, 2.5, 5, 15, 17.5, 20]), "the series misses slices: 10.00 mm lie between"),
        (at([0, 2.5, 2.5, 5, 5, 7.5]), "2 of its 6 images lie where another one does"),
    ],
)
def test_the_fault_is_named(synthetic, tmp_path, positions, words) -> None:
    folder = synthetic(positions=positions).write(tmp_path / "series")
    found = layout_of(sorted(folder.iterdir()))
    assert found.size == (5, 6, len(positions))
    assert found.fault.startswith(words) and bool(found.fault) == bool(words)


def test_orientations_that_are_mixed(synthetic, tmp_path) -> None:
    turned = {3: {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}}
    folder = synthetic(positions=EVEN, slice_changes=turned).write(tmp_path / "series")
    assert "mixes orientations" in layout_of(sorted(folder.iterdir())).fault


def test_headers_that_tell_nothing(synthetic, tmp_path) -> None:
    folder = synthetic(changes={"ImagePositionPatient": None}).write(tmp_path / "series")
    assert layout_of(sorted(folder.iterdir())) is None
    (tmp_path / "empty.dcm").write_bytes(b"")
    assert layout_of([tmp_path / "empty.dcm"]) is None
