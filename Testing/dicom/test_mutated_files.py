"""500 damaged files into the reader: each is refused with a reason, or read as it truly says.

A file that was changed may still be a valid file that says something else; no reader can know. So
a volume is *wrong* if it contradicts what pydicom, asked independently, finds in the files: another
place or another value for any voxel, or a slice that is absent without a word in the notes.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from WDualMineLib.dicom.files import write_file
from WDualMineLib.dicom.headers import damaged
from WDualMineLib.dicom.read import DicomSeries, read_series
from WDualMineLib.errors import InputError

ROUNDS = 25
FILES = 20
SECONDS = 5.0
"""No file may take longer; they take milliseconds."""


def _truncate(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data))]


def _flip_bits(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _flip_in_header(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randint(1, 3)):
        data[chance.randrange(128, min(1200, len(data)))] = chance.randrange(256)
    return data


def _overwrite(data: bytearray, chance: random.Random) -> bytearray:
    start, size = chance.randrange(len(data)), chance.randint(1, 64)
    filling = chance.choice([bytes(size), b"\xff" * size, chance.randbytes(size)])
    data[start : start + size] = filling
    return data


def _insert(data: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(data))
    data[start:start] = chance.randbytes(chance.randint(1, 16))
    return data


def _remove(data: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 16)]
    return data


def _digit(data: bytearray, chance: random.Random) -> bytearray:
    """One digit of a number in text becomes another: the subtlest damage there is."""
    places = [i for i in range(300, len(data)) if chr(data[i]).isdigit()]
    data[chance.choice(places)] = ord(chance.choice("0123456789.-"))
    return data


_MUTATIONS = (_truncate, _flip_bits, _flip_in_header, _overwrite, _insert, _remove, _digit)
_EXTREMES = (0, -1, 1, 65535, 255, 2**31 - 1, -(2**31))
_TEXTS = ("", "0", "-1", "1e30", "nan", "abc", "1\\2", "1\\2\\3\\4", "99999999999", "\\", "inf")


def _change_element(path: Path, chance: random.Random) -> None:
    """Through pydicom: an element deleted or given an extreme value, the file well-formed."""
    dataset = pydicom.dcmread(path)
    element = chance.choice(list(dataset))
    if chance.random() < 0.3:
        del dataset[element.tag]
    elif element.VR in ("US", "SS", "UL"):
        bits = 16 if element.VR != "UL" else 32
        dataset[element.tag]._value = (
            chance.choice(_EXTREMES) % 2**bits // (element.VR == "SS" or 1)
        )
    elif element.VR == "OW":
        dataset[element.tag]._value = element.value[: chance.randrange(len(element.value))]
    else:
        element.VR = "UN"  # written as it is, whatever the text
        dataset[element.tag]._value = chance.choice(_TEXTS).encode()
    try:
        write_file(dataset, path)
    except Exception:  # not every change can be written; those files stay as they are
        return


def _base(synthetic, kind: str, folder: Path) -> Path:
    if kind == "ct":
        return synthetic(changes={"SliceLocation": "0"}).write(folder)
    if kind == "pet":
        slopes = {k: {"RescaleSlope": f"0.{k + 1}3"} for k in range(4)}
        return synthetic("PT", slice_changes=slopes, changes={"NumberOfSlices": 4}).write(folder)
    tilt = (1.0, 0.0, 0.0, 0.0, 0.94, -0.341174)
    return synthetic("CT", orientation=tilt, shape=(12, 4)).write(folder)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_crash_no_hang_no_wrong_volume(synthetic, tmp_path: Path, round_: int) -> None:
    chance = random.Random(f"mutations {round_}")
    kind = ("ct", "pet", "tilt")[round_ % 3]
    pristine = _base(synthetic, kind, tmp_path / "pristine")
    originals = {path.name: path.read_bytes() for path in sorted(pristine.iterdir())}
    whole = read_series(pristine)
    for _ in range(FILES):
        victim = pristine / chance.choice(list(originals))
        if chance.random() < 0.3:
            _change_element(victim, chance)
        else:
            mutate = chance.choice(_MUTATIONS)
            victim.write_bytes(mutate(bytearray(originals[victim.name]), chance))
        started = time.process_time()
        try:
            read = read_series(pristine)
        except InputError as error:
            assert error.what and error.remedy
        else:
            _require_true(read, pristine, whole)
        assert time.process_time() - started < SECONDS
        victim.write_bytes(originals[victim.name])


def _require_true(read: DicomSeries, folder: Path, whole: DicomSeries) -> None:
    """Compare with what the files say, read in the plainest way."""
    frames = []
    for path in sorted(folder.iterdir()):
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if dataset.get("SeriesInstanceUID") == read.context.series_uid:
            frames.append(dataset)
    left_out = " ".join(read.notes).lower()
    if len(frames) < len(list(folder.iterdir())):
        assert "left out" in left_out
    if read.resampled or whole.resampled:
        assert not read.resampled or "interpolated" in left_out
        _require_bounded(read, frames)
        return
    to_index = np.linalg.inv(read.volume.geometry.ijk_to_lps)
    copies = "exact copies" in left_out
    assert read.volume.geometry.size[2] == len(frames) or copies
    for dataset in frames:
        i, j, k = (to_index @ [*map(float, dataset.ImagePositionPatient), 1.0])[:3]
        assert (i, j, k) == pytest.approx((0, 0, round(k)), abs=0.16)
        step_i = np.array(dataset.ImageOrientationPatient[:3], float) * dataset.PixelSpacing[1]
        assert (to_index[:3, :3] @ step_i) == pytest.approx((1, 0, 0), abs=1e-2)
        slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
        stored = dataset.pixel_array.astype(np.float64)
        expected = stored * float(slope or 1) + float(intercept or 0)
        assert np.array_equal(read.volume.array[round(k)], expected.astype(np.float32))


def _require_bounded(read: DicomSeries, frames: list[pydicom.Dataset]) -> None:
    """Interpolation never leaves the range of the values, nor the grid the place of the slices."""
    reals = [
        f.pixel_array * float(f.get("RescaleSlope") or 1) + float(f.get("RescaleIntercept") or 0)
        for f in frames
    ]
    rounding = 1e-3 + 1e-6 * np.abs(reals).max()  # of single precision
    assert np.min(reals) - rounding <= read.volume.array.min()
    assert read.volume.array.max() <= np.max(reals) + rounding
    to_index = np.linalg.inv(read.volume.geometry.ijk_to_lps)
    size = np.array(read.volume.geometry.size)
    for dataset in frames:
        index = (to_index @ [*map(float, dataset.ImagePositionPatient), 1.0])[:3]
        assert np.all(index > -0.51) and np.all(index < size - 0.49)


def test_a_disk_that_fails_is_no_damaged_file():
    with pytest.raises(InputError) as told, damaged(Path("a.dcm")):
        raise OSError(5, "Input/output error")
    assert "Input/output error" in told.value.what and "damaged" not in told.value.what
    with pytest.raises(InputError, match="damaged"), damaged(Path("a.dcm")):
        raise OSError("a length that cannot be")  # pydicom's own, without a number
