"""Settings: refused at once, with what would do instead."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from WDualMineLib.errors import InputError
from WDualMineLib.fusion.settings import FusionSettings


def test_defaults_are_those_of_the_documentation():
    settings = FusionSettings()
    assert (settings.fixed_window, settings.moving_window) == ("auto", "auto")
    assert (settings.axis, settings.strength, settings.correlation_floor) == ("axial", 1.0, 0.985)
    assert (settings.device, settings.precision, settings.weights) == ("auto", "auto", None)
    assert settings.colour is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"fixed_window": "abdomen"},
        {"moving_window": (3, 1)},
        {"axis": "oblique"},
        {"strength": -0.1},
        {"strength": 2.01},
        {"strength": float("nan")},
        {"correlation_floor": 1.0},
        {"correlation_floor": -0.5},
        {"device": "tpu"},
        {"precision": "float8"},
    ],
)
def test_wrong_values_are_refused(wrong):
    with pytest.raises(InputError):
        FusionSettings(**wrong)


def test_the_remedy_lists_the_choices():
    with pytest.raises(InputError, match="axial, coronal, sagittal, three-plane"):
        FusionSettings(axis="oblique")


def test_a_window_in_text_is_read():
    assert FusionSettings(fixed_window="-100,300").fixed_window == (-100.0, 300.0)


def test_a_table_in_an_array_compares_and_hashes():
    table = np.linspace(0, 1, 12).reshape(4, 3)
    assert FusionSettings(colour=table) == FusionSettings(colour=table.tolist())
    assert hash(FusionSettings(colour=table)) == hash(FusionSettings(colour=table))


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        FusionSettings().strength = 2
