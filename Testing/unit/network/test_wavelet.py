"""The wavelet transform against pywt, and against its own inverse."""

import numpy as np
import pytest
import pywt
import torch
from WDualMineLib.network.wavelet import WaveletTransform

ORTHOGONAL = ["haar", "db2", "db4", "sym4", "coif1"]


@pytest.mark.parametrize("name", ORTHOGONAL)
@pytest.mark.parametrize("size", [(16, 16), (22, 34), (64, 18)])
def test_agrees_with_pywt(name, size):
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))

    bands = WaveletTransform(name)(x).numpy()

    approximation, (horizontal, vertical, diagonal) = pywt.dwt2(
        x.double().numpy(), name, mode="periodization"
    )
    expected = np.stack([approximation, vertical, horizontal, diagonal], axis=2)
    np.testing.assert_allclose(bands, expected, atol=1e-6)


@pytest.mark.parametrize("name", ORTHOGONAL)
@pytest.mark.parametrize("size", [(16, 16), (22, 34), (64, 18)])
def test_reconstructs_perfectly(name, size):
    transform = WaveletTransform(name)
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))

    torch.testing.assert_close(transform.inverse(transform(x)), x, atol=2e-6, rtol=0)


def test_inverse_agrees_with_pywt():
    bands = torch.rand(1, 1, 4, 10, 14, generator=torch.Generator().manual_seed(2))

    image = WaveletTransform("db3").inverse(bands)[0, 0].numpy()

    approximation, vertical, horizontal, diagonal = bands[0, 0].double().numpy()
    expected = pywt.idwt2(
        (approximation, (horizontal, vertical, diagonal)), "db3", mode="periodization"
    )
    np.testing.assert_allclose(image, expected, atol=1e-6)


def test_refuses_filters_without_exact_transpose_inverse():
    with pytest.raises(ValueError, match="orthogonal"):
        WaveletTransform("bior2.2")


def test_refuses_odd_sides():
    with pytest.raises(ValueError, match="even"):
        WaveletTransform()(torch.zeros(1, 1, 15, 16))
