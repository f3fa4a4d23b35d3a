"""Passes of the frequency expert between its convolutions, and arbitration.

Layouts are those of :mod:`.feature_passes`; details have the band outermost, (3, N, ...).
"""

from __future__ import annotations

import math

import numpy as np

from ..arbitration import FLAT
from .loops import HALF, ONE, ZERO, compiled, rectified, repeat_border, sigmoid

_FLAT = np.float32(FLAT)


@compiled
def split(features, share, low, low_rectified, detail_a, detail_b, excess):
    """Haar's bands of the weighted features of N pairs.

    Args:
        features: (2 N, H + 2, W + 2, C), of the a, then of the b.
        share: (N, H, W), weight of a in [0, 2]; that of b is 2 less it.
        low: (N, H / 2, W / 2, C), filled: the mean of both.
        low_rectified: (N, H / 2 + 2, W / 2 + 2, C), filled.
        detail_a, detail_b: (3, N, H / 2, W / 2, C), filled.
        excess: (3, N, H / 2 + 2, W / 2 + 2, C), filled: ``|detail_a| - |detail_b|``.
    """
    count, height, width, channels = low.shape
    lows = np.empty((2, width, channels), np.float32)
    for n in range(count):
        for y in range(height):
            for source in range(2):
                detail = detail_b if source else detail_a
                _bands_of(
                    features[n + source * count, 2 * y + 1],
                    features[n + source * count, 2 * y + 2],
                    share[n, 2 * y],
                    share[n, 2 * y + 1],
                    source,
                    lows[source],
                    detail[0, n, y],
                    detail[1, n, y],
                    detail[2, n, y],
                )
            _mean(
                lows[0].reshape(-1),
                lows[1].reshape(-1),
                low[n, y].reshape(-1),
                low_rectified[n, y + 1, 1:-1].reshape(-1),
            )
            for band in range(3):
                _excess(
                    detail_a[band, n, y].reshape(-1),
                    detail_b[band, n, y].reshape(-1),
                    excess[band, n, y + 1, 1:-1].reshape(-1),
                )
        repeat_border(low_rectified[n])
        for band in range(3):
            repeat_border(excess[band, n])


@compiled
def _bands_of(upper, lower, upper_share, lower_share, source, low, vertical, horizontal, diagonal):
    """Of two rows of one image, (W + 2, C), into (W / 2, C) each."""
    width, channels = low.shape
    for x in range(width):
        w_p, w_q = HALF * upper_share[2 * x], HALF * upper_share[2 * x + 1]
        w_r, w_s = HALF * lower_share[2 * x], HALF * lower_share[2 * x + 1]
        if source:
            w_p, w_q, w_r, w_s = ONE - w_p, ONE - w_q, ONE - w_r, ONE - w_s
        for c in range(channels):
            p, q = w_p * upper[2 * x + 1, c], w_q * upper[2 * x + 2, c]
            r, s = w_r * lower[2 * x + 1, c], w_s * lower[2 * x + 2, c]
            left, right, of_left, of_right = p + r, q + s, p - r, q - s
            low[x, c] = left + right
            vertical[x, c] = left - right
            horizontal[x, c] = of_left + of_right
            diagonal[x, c] = of_left - of_right


@compiled
def _mean(a, b, out, out_rectified):
    for k in range(len(out)):
        mean = HALF * (a[k] + b[k])
        out[k] = mean
        out_rectified[k] = rectified(mean)


@compiled
def _excess(a, b, out):
    for k in range(len(out)):
        out[k] = abs(a[k]) - abs(b[k])


@compiled
def choose(excess, weight, detail_a, detail_b, chosen):
    """The livelier detail, softly.

    Args:
        excess: (3, N, H + 2, W + 2, C).
        weight: (3, 9, C), of the places of 3 x 3 by which liveliness is measured.
        detail_a, detail_b: (3, N, H, W, C).
        chosen: (3, N, H + 2, W + 2, C), filled.
    """
    _, count, height, width, channels = detail_a.shape
    weights = np.empty((9, width, channels), np.float32)
    for band in range(3):
        for place in range(9):
            weights[place, :] = weight[band, place]
        for n in range(count):
            for y in range(height):
                _choose(
                    excess[band, n, y].reshape(-1),
                    excess[band, n, y + 1].reshape(-1),
                    excess[band, n, y + 2].reshape(-1),
                    channels,
                    weights.reshape((9, -1)),
                    detail_a[band, n, y].reshape(-1),
                    detail_b[band, n, y].reshape(-1),
                    chosen[band, n, y + 1, 1:-1].reshape(-1),
                )
            repeat_border(chosen[band, n])


@compiled
def _choose(above, row, below, step, weights, a, b, out):
    size = len(out)
    above_0, above_1, above_2 = above[:size], above[step : step + size], above[2 * step :]
    row_0, row_1, row_2 = row[:size], row[step : step + size], row[2 * step :]
    below_0, below_1, below_2 = below[:size], below[step : step + size], below[2 * step :]
    for k in range(size):
        lively = weights[0, k] * above_0[k] + weights[1, k] * above_1[k]
        lively += weights[2, k] * above_2[k] + weights[3, k] * row_0[k]
        lively += weights[4, k] * row_1[k] + weights[5, k] * row_2[k]
        lively += weights[6, k] * below_0[k] + weights[7, k] * below_1[k]
        lively += weights[8, k] * below_2[k]
        out[k] = b[k] + sigmoid(lively) * (a[k] - b[k])


@compiled
def join(low, low_change, detail, detail_change, joined):
    """The maps of which these are Haar's bands, each with what a convolution adds to it.

    Args:
        low, low_change: (N, H, W, C).
        detail: (3, N, H + 2, W + 2, C).
        detail_change: (3, N, H, W, C).
        joined: (N, 2 H + 2, 2 W + 2, C), filled.
    """
    count, height, width, channels = low.shape
    for n in range(count):
        for y in range(height):
            upper, lower = joined[n, 2 * y + 1], joined[n, 2 * y + 2]
            lows, low_changes = low[n, y], low_change[n, y]
            first, second, third = detail[0, n, y + 1], detail[1, n, y + 1], detail[2, n, y + 1]
            of_first, of_second = detail_change[0, n, y], detail_change[1, n, y]
            of_third = detail_change[2, n, y]
            for x in range(width):
                for c in range(channels):
                    mean = HALF * (lows[x, c] + low_changes[x, c])
                    vertical = HALF * (first[x + 1, c] + of_first[x, c])
                    horizontal = HALF * (second[x + 1, c] + of_second[x, c])
                    diagonal = HALF * (third[x + 1, c] + of_third[x, c])
                    left, right = mean + vertical, mean - vertical
                    of_left, of_right = horizontal + diagonal, horizontal - diagonal
                    upper[2 * x + 1, c] = left + of_left
                    upper[2 * x + 2, c] = right + of_right
                    lower[2 * x + 1, c] = left - of_left
                    lower[2 * x + 2, c] = right - of_right
        repeat_border(joined[n])


@compiled
def arbitrate(spatial, frequency, gain, bias, first_row, first_column, arbitration, z):
    """See :mod:`~..arbitration`.

    Args:
        spatial: (N, H, W, C).
        frequency: (N, H + 2, W + 2, C).
        gain, bias: of the arbitration.
        first_row, first_column: of the part that z is wanted of.
        arbitration: (N, H, W), filled.
        z: (N, C, H' + 2, W' + 2), filled.
    """
    count, height, width, channels = spatial.shape
    row = np.empty((width + 2, channels), np.float32)
    margin = np.empty((width, channels), np.float32)
    scale = gain * HALF / np.float32(channels)
    rows, columns = z.shape[2] - 2, z.shape[3] - 2
    for n in range(count):
        for y in range(height):
            _between_ends(spatial[n, y].reshape(-1), row.reshape(-1), channels)
            _margin(
                spatial[n, max(y - 1, 0)].reshape(-1),
                row.reshape(-1),
                spatial[n, min(y + 1, height - 1)].reshape(-1),
                frequency[n, y, 1:-1].reshape(-1),
                frequency[n, y + 1].reshape(-1),
                frequency[n, y + 2, 1:-1].reshape(-1),
                2 * channels,
                margin.reshape(-1),
            )
            decided = arbitration[n, y]
            decided[:] = ZERO
            for c in range(channels):
                for x in range(width):
                    decided[x] += margin[x, c]
            for x in range(width):
                decided[x] = sigmoid(scale * decided[x] + bias)
            if first_row <= y < first_row + rows:
                of_z = decided[first_column : first_column + columns]
                of_spatial = spatial[n, y, first_column : first_column + columns]
                of_frequency = frequency[n, y + 1, first_column + 1 : first_column + 1 + columns]
                for c in range(channels):
                    out = z[n, c, y - first_row + 1]
                    for x in range(columns):
                        low = of_frequency[x, c]
                        out[x + 1] = low + of_z[x] * (of_spatial[x, c] - low)
                    out[0] = out[1]
                    out[columns + 1] = out[columns]
        for c in range(channels):
            z[n, c, 0] = z[n, c, 1]
            z[n, c, rows + 1] = z[n, c, rows]


@compiled
def _between_ends(row, bordered, channels):
    """(W C) into ((W + 2) C), its ends repeated."""
    size = len(row)
    for k in range(size):
        bordered[channels + k] = row[k]
    for c in range(channels):
        bordered[c] = row[c]
        bordered[channels + size + c] = row[size - channels + c]


@compiled
def _margin(s_above, s_row, s_below, f_above, f_row, f_below, step, margin):
    """Twice the difference of the slopes of two maps."""
    for k in range(len(margin)):
        x, y = s_row[k + step] - s_row[k], s_below[k] - s_above[k]
        of_spatial = math.sqrt(_FLAT + x * x + y * y)
        x, y = f_row[k + step] - f_row[k], f_below[k] - f_above[k]
        margin[k] = of_spatial - math.sqrt(_FLAT + x * x + y * y)
