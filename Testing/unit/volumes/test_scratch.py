"""Large arrays lie on the disk, look like any other, and leave nothing behind."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from WDualMineLib.errors import InputError
from WDualMineLib.volumes import memory, scratch


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files, in which arrays of a mebibyte are put."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "LARGE", 1 << 20)
    return tmp_path


def on_the_disk(array: np.ndarray) -> bool:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.base is not None


def test_small_arrays_stay_in_memory(temporary):
    assert not on_the_disk(scratch.empty((512, 511)))


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, bool])
def test_large_arrays_take_and_keep_what_is_put_into_them(temporary, dtype):
    values = np.random.default_rng(0).random((5, 1 << 10, 1 << 9)) * 2

    array = scratch.empty(values.shape, dtype)
    array[...] = values.astype(dtype)
    scratch.let_go()

    assert on_the_disk(array) and array.dtype == dtype
    assert np.array_equal(array, values.astype(dtype))
    assert (scratch.full((3, 1 << 10, 1 << 10), 0.5) == 0.5).all()


def test_it_is_known_before_whether_an_array_would_lie_on_the_disk(temporary):
    assert scratch.takes(1 << 20)
    assert not scratch.takes((1 << 20) - 1), "small"
    assert not scratch.takes(1 << 60), "no disk has room for it"


def test_nothing_is_left_behind(temporary):
    array = scratch.full((1 << 10, 1 << 10), 1.0)

    if sys.platform != "win32":
        assert not list(temporary.iterdir()), "it has no name while it is used"
    del array
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EROFS])
def test_without_room_on_the_disk_arrays_are_held_in_memory(temporary, monkeypatch, reason):
    def refuse(*_, **__):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    assert not on_the_disk(scratch.empty((1 << 10, 1 << 10)))


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="files are reserved by POSIX only")
def test_room_on_the_disk_is_asked_for_at_once(temporary, monkeypatch):
    """A disk that is full at a later write would end the process."""

    def refuse(_, start, size):
        assert (start, size) == (0, 4 << 20)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse)

    assert not on_the_disk(scratch.empty((1 << 10, 1 << 10)))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell")
def test_what_is_let_go_is_not_held(temporary):
    array = scratch.empty((1 << 8, 1 << 10, 1 << 8))
    array[...] = 1
    held = resident()

    scratch.let_go()

    assert held - resident() > 0.9 * array.nbytes
    assert (array == 1).all()


def resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def test_a_large_volume_needs_memory_for_what_is_stored_only(temporary, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 3 << 20)

    memory.require_memory("large", 1 << 20, 2)
    with pytest.raises(InputError, match="GB of memory"):
        memory.require_memory("larger", 1 << 20, 4)
    monkeypatch.setattr(scratch, "takes", lambda size: False)
    with pytest.raises(InputError, match="GB of memory"):
        memory.require_memory("no room on the disk", 1 << 20, 2)
