"""One gzip stream from blocks: what every reader reads, at the cost of what can be gained."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.volumes import blocked_gzip
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume


def noise(count):
    return np.random.default_rng(0).random(count, dtype=np.float32)


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 5000])
@pytest.mark.parametrize("cores", [1, 3])
def test_it_is_gzip(count, cores, monkeypatch):
    monkeypatch.setattr(blocked_gzip, "_BLOCK", 1024)
    monkeypatch.setattr(blocked_gzip, "usable_cores", lambda: cores)
    data = np.concatenate([noise(count // 2), np.full(count - count // 2, 0.5, np.float32)])

    stream = b"".join(blocked_gzip.compressed(data.data.cast("B")))

    assert gzip.decompress(stream) == data.tobytes()
    # In one member, and not in several: not all readers go on behind the first.
    whole = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert whole.decompress(stream) == data.tobytes()
    assert whole.eof and not whole.unused_data


def test_a_flipped_bit_is_noticed():
    data = noise(5000)
    stream = bytearray(b"".join(blocked_gzip.compressed(data.data.cast("B"))))
    stream[len(stream) // 2] ^= 1

    with pytest.raises((zlib.error, gzip.BadGzipFile, EOFError)):
        gzip.decompress(bytes(stream))


def test_what_repeats_is_found_and_what_does_not_is_not_looked_for():
    even = np.full(100_000, 0.5, np.float32)

    assert blocked_gzip.strategy_for(noise(100_000).data.cast("B")) == zlib.Z_RLE
    assert blocked_gzip.strategy_for(even.data.cast("B")) == zlib.Z_DEFAULT_STRATEGY
    assert len(b"".join(blocked_gzip.compressed(even.data.cast("B")))) < 0.02 * even.nbytes


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
def test_volumes_of_several_blocks_are_read_back(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(blocked_gzip, "_BLOCK", 4096)
    array = (255 * noise(40 * 50 * 30)).astype(kind).reshape(40, 50, 30)
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    geometry = Geometry((30, 50, 40), (1.0,) * 3, (0.0,) * 3, identity)

    path = write_volume(Volume(array, geometry, "noise"), tmp_path / "noise.nrrd")

    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), array)
    np.testing.assert_array_equal(read_volume(path).array, array)
