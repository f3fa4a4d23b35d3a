"""The folder of a batch, claimed."""

from __future__ import annotations

import pytest
from WDualMineLib.batch.places import Places
from WDualMineLib.errors import OutputError


@pytest.mark.parametrize(
    "error", [ConnectionResetError(104, "Connection reset by peer"), RuntimeError("no CUDA")]
)
def test_what_goes_wrong_meanwhile_is_no_fault_of_the_lock(tmp_path, error):
    places = Places(tmp_path)
    places.require_usable()
    with pytest.raises(type(error)) as told, places.claimed():
        raise error
    assert told.value is error


def test_a_lock_that_cannot_be_written_is_said(tmp_path):
    places = Places(tmp_path)
    (tmp_path / ".batch" / "lock").mkdir(parents=True)
    with pytest.raises(OutputError, match="lock"), places.claimed():
        pass


def test_one_batch_at_a_time(tmp_path):
    pytest.importorskip("fcntl", reason="no locks on this system")
    places = Places(tmp_path)
    places.require_usable()
    with places.claimed(), pytest.raises(OutputError, match="Another batch"), places.claimed():
        pass
    with places.claimed():
        pass
