"""A stack of a tensor holds the slices that one of an array shows, whichever way it runs."""

from itertools import product

import numpy as np
import pytest
import torch
from WDualMineLib.fusion.slices import Slicing
from WDualMineLib.fusion.stack import Stack

WAYS = [
    Slicing("axial", order, flips)
    for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2))
    for flips in product((False, True), repeat=3)
]


@pytest.mark.parametrize("slicing", WAYS, ids=str)
def test_slices_are_those_of_an_array(slicing):
    array = np.random.default_rng(0).random((4, 5, 6), dtype=np.float32)
    wanted, found = slicing.stack(array), Stack(torch.from_numpy(array), slicing)

    assert found.shape == wanted.shape and len(found) == len(wanted)
    for part in (slice(0, 2), slice(1, 99), slice(3, 3), slice(None)):
        assert np.array_equal(found[part].numpy(), wanted[part])
    assert np.array_equal(found[1].numpy(), wanted[1])


@pytest.mark.parametrize("slicing", WAYS, ids=str)
def test_slices_are_put_where_an_array_has_them(slicing):
    wanted, found = np.zeros((2, 4, 5, 6), np.float32)
    values = np.random.default_rng(0).random(slicing.stack(wanted).shape[1:], dtype=np.float32)
    slicing.stack(wanted)[2] = values

    Stack(torch.from_numpy(found), slicing)[2] = torch.from_numpy(values)

    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("slicing", WAYS, ids=str)
@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 0, 1)])
def test_it_is_transposed_as_an_array_is(slicing, axes):
    array = np.random.default_rng(0).random((4, 5, 6), dtype=np.float32)
    wanted = slicing.stack(array).transpose(*axes)

    found = Stack(torch.from_numpy(array), slicing).transpose(*axes)

    assert found.shape == wanted.shape and np.array_equal(found[:].numpy(), wanted)
