"""Odd volumes: each outcome is told apart, and refusing in words is no error."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.errors import InputError
from WDualMineLib.lab.truth.bad_input import odd_volumes, try_bad_input
from WDualMineLib.progress import finish


def outcomes(predict, case) -> dict[str, str]:
    return {row.name: row.outcome for row in finish(try_bad_input(predict, case))}


def test_the_volumes_are_as_odd_as_their_names(case) -> None:
    odd = {name: (a, b, spacing) for name, a, b, spacing in odd_volumes(case)}
    assert odd["one slice"][0].shape[0] == 1
    assert max(odd["16 pixels"][0].shape) <= 16
    assert odd["pixels of 0.2 mm"][2][1:] == (0.2, 0.2)
    assert odd["pixels of 0.2 mm"][0].shape[1] > 150
    assert odd["pixels of 10 mm"][0].shape[1] == 8
    a, b, _ = odd["half the field of view empty"]
    assert (a[:, :, 18:] == 0).all() and (b[:, :, 18:] == 0).all() and a.any()
    assert (odd["identical sources"][0] == odd["identical sources"][1]).all()
    assert np.ptp(odd["a constant source"][1]) == 0
    for a, b, _ in odd.values():
        assert a.shape == b.shape
        assert min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) <= 1


def test_even_maps_are_fine_on_all(case, even_maps) -> None:
    found = outcomes(even_maps, case)
    assert len(found) == 10
    assert set(found.values()) == {"ok"}


@pytest.mark.parametrize("outcome", ["refused", "error", "alarm", "range"])
def test_each_failure_has_its_name(case, even_maps, outcome) -> None:
    def predict(a, b, spacing):
        if np.ptp(b) > 0:
            return even_maps(a, b, spacing)
        if outcome == "refused":
            raise InputError("It is constant", "Choose another")
        if outcome == "error":
            raise ZeroDivisionError("by zero")
        level = 0.1 if outcome == "alarm" else 1.5
        return np.full_like(a, level), np.full_like(a, 1 - level)

    rows = {row.name: row for row in finish(try_bad_input(predict, case))}
    assert rows["a constant source"].outcome == outcome
    assert rows["identical sources"].outcome == "ok"
    if outcome == "refused":
        assert "It is constant" in rows["a constant source"].words
    if outcome == "error":
        assert rows["a constant source"].words == "ZeroDivisionError: by zero"
