"""Two-dimensional discrete wavelet transform on the device, with pywt's filter banks.

Source: S. Mallat, "A theory for multiresolution signal decomposition", IEEE PAMI 1989. Borders are
periodised, as ``pywt.dwt2(..., mode="periodization")`` does it, because that is the one extension
under which an orthogonal transform of n samples has n coefficients and is inverted exactly by its
transpose.
"""

from __future__ import annotations

import pywt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

BANDS = ("approximation", "vertical", "horizontal", "diagonal")
"""Order of the sub-bands, by pywt's names: ``cA, (cH, cV, cD)`` there is 0, (2, 1, 3) here."""


class WaveletTransform(nn.Module):
    """Forward and inverse transform of feature maps by one level.

    Args:
        name: any orthogonal wavelet of ``pywt.wavelist(kind="discrete")`` ("haar", "db2", "sym4").

    Raises:
        ValueError: the wavelet is unknown or not orthogonal (its inverse would not be exact).
    """

    def __init__(self, name: str = "haar") -> None:
        super().__init__()
        wavelet = pywt.Wavelet(name)
        if not wavelet.orthogonal:
            raise ValueError(f"{name!r} is not an orthogonal wavelet")
        # conv2d correlates, pywt convolves: hence the reversal.
        low = torch.tensor(wavelet.dec_lo[::-1], dtype=torch.float64)
        high = torch.tensor(wavelet.dec_hi[::-1], dtype=torch.float64)
        bank = torch.stack(
            [torch.outer(row, column) for row in (low, high) for column in (low, high)]
        )
        # Derived from the name, hence not part of the weights.
        self.register_buffer("bank", bank[:, None].float(), persistent=False)
        self.name = name
        # Periodisation of a filter with L taps reaches L/2 - 1 samples before the first one.
        self._before = len(low) // 2 - 1
        self._overlap = len(low) - 2

    def forward(self, x: Tensor) -> Tensor:
        """Sub-bands of ``x``.

        Args:
            x: (N, C, H, W), H and W even and not below the filter's length less two.

        Returns:
            (N, C, 4, H/2, W/2), bands in the order of :data:`BANDS`.
        """
        n, c, h, w = x.shape
        if h % 2 or w % 2:
            raise ValueError(f"the transform needs even sides, got {h}x{w}")
        x = x.reshape(n * c, 1, h, w)
        if self._overlap:
            after = self._overlap - self._before
            x = F.pad(x, (self._before, after, self._before, after), mode="circular")
        return F.conv2d(x, self.bank.to(x.dtype), stride=2).reshape(n, c, 4, h // 2, w // 2)

    def inverse(self, bands: Tensor) -> Tensor:
        """The maps whose sub-bands these are: the transpose of :meth:`forward`.

        Args:
            bands: (N, C, 4, H/2, W/2).

        Returns:
            (N, C, H, W).
        """
        n, c, _, h, w = bands.shape
        x = F.conv_transpose2d(bands.reshape(n * c, 4, h, w), self.bank.to(bands.dtype), stride=2)
        if self._overlap:
            # The transpose of circular padding: what was copied out is added back.
            x = _fold(_fold(x, 2, self._before, 2 * h), 3, self._before, 2 * w)
        return x.reshape(n, c, 2 * h, 2 * w)


def _fold(x: Tensor, axis: int, before: int, length: int) -> Tensor:
    """Add the ``before`` samples ahead of, and those behind, ``length`` to the opposite end."""
    after = x.shape[axis] - before - length
    body = x.narrow(axis, before, length).clone()
    if before:
        body.narrow(axis, length - before, before).add_(x.narrow(axis, 0, before))
    if after:
        body.narrow(axis, 0, after).add_(x.narrow(axis, before + length, after))
    return body
