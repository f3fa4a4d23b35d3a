"""Two-dimensional discrete wavelet transform on the device, with pywt's filter banks.

Source: S. Mallat, "A theory for multiresolution signal decomposition", IEEE PAMI 1989. Borders are
periodised, as ``pywt.dwt2(..., mode="periodization")`` does it, because that is the one extension
under which an orthogonal transform of n samples has n coefficients and is inverted exactly by its
transpose.
"""

from __future__ import annotations

import math

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
        low, high = (torch.tensor(x, dtype=torch.float64) for x in _filters(name))
        bank = torch.stack(
            [torch.outer(row, column) for row in (low, high) for column in (low, high)]
        )
        # Derived from the name, hence not part of the weights.
        self.register_buffer("bank", bank[:, None].float(), persistent=False)
        self.name = name
        # Periodisation of a filter with L taps reaches L/2 - 1 samples before the first one.
        self._before = len(low) // 2 - 1
        self._overlap = len(low) - 2

    @property
    def short(self) -> bool:
        """Whether the filters have two taps: Haar's, of whose coefficients no two share a place."""
        return not self._overlap

    def forward(self, x: Tensor) -> Tensor:
        """Sub-bands of ``x``.

        Args:
            x: (N, C, H, W), H and W even and not below the filter's length less two.

        Returns:
            (N, C, 4, H/2, W/2), bands in the order of :data:`BANDS`.
        """
        _, c, h, w = x.shape
        if h % 2 or w % 2:
            raise ValueError(f"the transform needs even sides, got {h}x{w}")
        if self.short and c > 1:
            upper, lower = x[:, :, ::2], x[:, :, 1::2]
            bands = [_sum_and_difference(y[..., ::2], y[..., 1::2])
                     for y in _sum_and_difference(upper, lower)]  # fmt: skip
            halved = torch.cat([*bands[0], *bands[1]], 1) / 2
            return halved.unflatten(1, (4, c)).transpose(1, 2)
        if self._overlap:
            after = self._overlap - self._before
            x = F.pad(x, (self._before, after, self._before, after), mode="circular")
        bands = F.conv2d(x.reshape(-1, 1, *x.shape[2:]), self.bank.to(x.dtype), stride=2)
        return bands.unflatten(0, (-1, c))

    def inverse(self, bands: Tensor) -> Tensor:
        """The maps whose sub-bands these are: the transpose of :meth:`forward`.

        Args:
            bands: (N, C, 4, H/2, W/2).

        Returns:
            (N, C, H, W).
        """
        _, c, _, h, w = bands.shape
        if self.short:
            low, vertical, horizontal, diagonal = bands.unbind(2)
            left, right = _sum_and_difference(low, vertical)
            of_left, of_right = _sum_and_difference(horizontal, diagonal)
            upper_left, lower_left = _sum_and_difference(left, of_left)
            upper_right, lower_right = _sum_and_difference(right, of_right)
            places = [upper_left, upper_right, lower_left, lower_right]
            return interleave(torch.cat(places, 1) / 2)
        x = bands.reshape(-1, 4, h, w)
        x = F.conv_transpose2d(x, self.bank.to(x.dtype), stride=2).unflatten(0, (-1, c))[:, :, 0]
        # The transpose of circular padding: what was copied out is added back.
        return _fold(_fold(x, 2, self._before, 2 * h), 3, self._before, 2 * w)

    def to_places(self, weight: Tensor) -> Tensor:
        """Of a convolution that gives bands the one that gives what :meth:`inverse` would make of
        them, for :func:`interleave`; only of :attr:`short` filters.

        Args:
            weight: (4 C, ...), band by band.
        """
        bank = self.bank[:, 0].to(weight.dtype)
        places = torch.einsum("kyx,kc...->yxc...", bank, weight.unflatten(0, (4, -1)))
        return places.flatten(0, 2)


def _filters(name: str) -> tuple[list[float], list[float]]:
    """Taps of the low and of the high pass, as a correlation takes them."""
    if name == "haar":
        # What ships needs no library for two numbers.
        return [math.sqrt(0.5)] * 2, [math.sqrt(0.5), -math.sqrt(0.5)]
    import pywt

    wavelet = pywt.Wavelet(name)
    if not wavelet.orthogonal:
        raise ValueError(f"{name!r} is not an orthogonal wavelet")
    # pywt convolves: hence the reversal.
    return wavelet.dec_lo[::-1], wavelet.dec_hi[::-1]


def _sum_and_difference(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return x + y, x - y


def interleave(x: Tensor) -> Tensor:
    """Put the places of 2 x 2 blocks in their place.

    Args:
        x: (N, 4 C, H, W), all channels of the upper left place, the upper right, the lower left,
            the lower right one.

    Returns:
        (N, C, 2 H, 2 W).
    """
    x = x.unflatten(1, (2, 2, -1)).permute(0, 3, 4, 1, 5, 2)
    if x.stride(1) == 1:
        # Channels innermost: so they stay.
        x = x.permute(0, 2, 3, 4, 5, 1).flatten(3, 4).flatten(1, 2)
        return x.permute(0, 3, 1, 2)
    return torch.stack(x.unbind(-1), -1).flatten(4, 5).flatten(2, 3)


def _fold(x: Tensor, axis: int, before: int, length: int) -> Tensor:
    """Add the ``before`` samples ahead of, and those behind, ``length`` to the opposite end."""
    after = x.shape[axis] - before - length
    body = x.narrow(axis, before, length).clone()
    if before:
        body.narrow(axis, length - before, before).add_(x.narrow(axis, 0, before))
    if after:
        body.narrow(axis, 0, after).add_(x.narrow(axis, before + length, after))
    return body
