"""Passes of the encoder and of the spatial expert between its convolutions.

Maps have their channels innermost, (N, H, W, C), and those that are to be convolved a border of one
pixel, repeated from within: (N, H + 2, W + 2, C). Rows are gone through as a whole where the same
is done to all channels.
"""

from __future__ import annotations

import numpy as np

from ..activity import _FAINT
from ..statistics import AIR
from .loops import ONE, TWO, ZERO, compiled, log, rectified, repeat_border

_QUARTER = np.float32(0.25)
_THREE_QUARTERS = np.float32(0.75)
_TISSUE = np.float32(AIR / 2)
_PER_FAINT = np.float32(1 / _FAINT)
_REACH = 2


@compiled
def stem(a, b, bands, activity, usual):
    """What the encoder sees first of N pairs.

    Args:
        a, b: (N, H, W).
        bands: (2 N, H / 2 + 2, W / 2 + 2, 8), filled: Haar's bands, halved, then the other's.
        activity: (2 N, H / 2, W / 2, 6), filled: see :mod:`~..activity`; own, then the other's.
        usual: (2 N, 6), filled.
    """
    count, height, width = a.shape[0], a.shape[1] // 2, a.shape[2] // 2
    own = np.empty((4, height, width), np.float32)
    strength = np.empty(width, np.float32)
    # By columns: sums of many at once, and of few numbers each.
    there, total = np.empty(width, np.float32), np.empty(width, np.float32)
    row = np.empty(width + 2 * _REACH, np.float32)
    for n in range(2 * count):
        image = a[n] if n < count else b[n - count]
        other = n + count if n < count else n - count
        for y in range(height):
            _halve(image[2 * y], image[2 * y + 1], own[0, y], own[1, y], own[2, y], own[3, y])
        for band in range(4):
            for y in range(height):
                _into_channel(own[band, y], bands[n, y + 1, 1:-1], band)
                _into_channel(own[band, y], bands[other, y + 1, 1:-1], band + 4)
        there[:] = ZERO
        for y in range(height):
            _count(own[0, y], there)
        for band in range(3):
            total[:] = ZERO
            for y in range(height):
                _lively(own[band + 1], y, row, strength)
                _add_up(own[0, y], strength, total)
                _into_channel(strength, activity[n, y], band)
                _into_channel(strength, activity[other, y], band + 3)
            usual[n, band] = total.sum() / max(there.sum(), ONE)
            usual[other, band + 3] = usual[n, band]
    for n in range(2 * count):
        repeat_border(bands[n])


@compiled
def _halve(upper, lower, low, vertical, horizontal, diagonal):
    """Haar's bands of two rows (2 W), halved, into (W) each."""
    for x in range(len(low)):
        upper_left, upper_right = upper[2 * x], upper[2 * x + 1]
        lower_left, lower_right = lower[2 * x], lower[2 * x + 1]
        left, right = upper_left + lower_left, upper_right + lower_right
        of_left, of_right = upper_left - lower_left, upper_right - lower_right
        low[x] = _QUARTER * (left + right)
        vertical[x] = _QUARTER * (left - right)
        horizontal[x] = _QUARTER * (of_left + of_right)
        diagonal[x] = _QUARTER * (of_left - of_right)


@compiled
def _count(low, there):
    for x in range(len(low)):
        there[x] += ONE if low[x] > _TISSUE else ZERO


@compiled
def _add_up(low, strength, total):
    for x in range(len(low)):
        total[x] += strength[x] if low[x] > _TISSUE else ZERO


@compiled
def _into_channel(row, pixels, channel):
    """(W) into one channel of (W, C)."""
    for x in range(len(row)):
        pixels[x, channel] = row[x]


@compiled
def _lively(detail, y, row, strength):
    """One row of the activity of (H, W), into (W); ``row`` (W + 4) is room to work in."""
    height, width = detail.shape
    first, last = max(y - _REACH, 0), min(y + _REACH + 1, height)
    row[:] = ZERO
    within = row[_REACH : _REACH + width]
    for k in range(first, last):
        near = detail[k]
        for x in range(width):
            within[x] += abs(near[x])
    scale = _PER_FAINT / np.float32((last - first) * (2 * _REACH + 1))
    for x in range(width):
        strength[x] = scale * (row[x] + row[x + 1] + row[x + 2] + row[x + 3] + row[x + 4])
    for k in range(2 * _REACH):
        # The first and the last columns have fewer places around them.
        x = k if k < _REACH else width - 1 - (k - _REACH)
        if k < width and (k < _REACH or x >= _REACH):
            there = min(x + _REACH + 1, width) - max(x - _REACH, 0)
            strength[x] *= np.float32(2 * _REACH + 1) / np.float32(there)
    for x in range(width):
        strength[x] = _QUARTER * log(ONE + strength[x])


@compiled
def count_shown(a, b, rows, columns):
    """In how many places of a row (N, H) and of a column (N, W) either of (N, H, W) is above 0."""
    for n in range(len(a)):
        columns[n] = ZERO
        for y in range(a.shape[1]):
            rows[n, y] = _count_shown(a[n, y], b[n, y], columns[n])


@compiled
def _count_shown(a, b, columns):
    here = 0
    for x in range(len(columns)):
        shown = max(a[x], b[x]) > ZERO
        here += 1 if shown else 0
        columns[x] += ONE if shown else ZERO
    return np.float32(here)


@compiled
def halve(x, halved):
    """Mean of every 2 x 2 places of (N, H, W), into (N, H / 2, W / 2)."""
    for n in range(len(x)):
        for y in range(halved.shape[1]):
            upper, lower, out = x[n, 2 * y], x[n, 2 * y + 1], halved[n, y]
            for k in range(len(out)):
                left, right = upper[2 * k] + lower[2 * k], upper[2 * k + 1] + lower[2 * k + 1]
                out[k] = _QUARTER * (left + right)


@compiled
def enter(convolved, lively, shift, out):
    """``activation(convolved + lively - shift)`` with a border.

    Args:
        convolved, lively: (N, H, W, C).
        shift: (N, C).
        out: (N, H + 2, W + 2, C), filled.
    """
    count, height, width, channels = convolved.shape
    shifts = np.empty((width, channels), np.float32)
    for n in range(count):
        shifts[:] = shift[n]
        for y in range(height):
            _enter(
                convolved[n, y].reshape(-1),
                lively[n, y].reshape(-1),
                shifts.reshape(-1),
                out[n, y + 1, 1:-1].reshape(-1),
            )
        repeat_border(out[n])


@compiled
def _enter(convolved, lively, shifts, out):
    for k in range(len(out)):
        out[k] = rectified(convolved[k] + lively[k] - shifts[k])


@compiled
def rectify(x, out):
    """``activation(x)`` of (N, H, W, C) into (N, H + 2, W + 2, C)."""
    for n in range(len(x)):
        for y in range(x.shape[1]):
            _rectify(x[n, y].reshape(-1), out[n, y + 1, 1:-1].reshape(-1))
        repeat_border(out[n])


@compiled
def _rectify(x, out):
    for k in range(len(out)):
        out[k] = rectified(x[k])


@compiled
def add(x, y, out):
    """The sum of (N, H, W, C) and (N, H + 2, W + 2, C), into another of the latter."""
    for n in range(len(x)):
        for row in range(x.shape[1]):
            _add(
                x[n, row].reshape(-1),
                y[n, row + 1, 1:-1].reshape(-1),
                out[n, row + 1, 1:-1].reshape(-1),
            )
        repeat_border(out[n])


@compiled
def _add(x, y, out):
    for k in range(len(out)):
        out[k] = x[k] + y[k]


@compiled
def merge(features, share, total, largest):
    """Sum and maximum of the weighted features of N pairs.

    Args:
        features: (2 N, H + 2, W + 2, C), of the a, then of the b.
        share: (N, H, W), weight of a in [0, 2]; that of b is 2 less it.
        total, largest: (N, H, W, C), filled.
    """
    count, height, width, channels = total.shape
    weights = np.empty((width, channels), np.float32)
    for n in range(count):
        for y in range(height):
            for x in range(width):
                weight = share[n, y, x]
                for c in range(channels):
                    weights[x, c] = weight
            _merge(
                features[n, y + 1, 1:-1].reshape(-1),
                features[n + count, y + 1, 1:-1].reshape(-1),
                weights.reshape(-1),
                total[n, y].reshape(-1),
                largest[n, y].reshape(-1),
            )


@compiled
def _merge(a, b, weights, total, largest):
    for k in range(len(total)):
        of_a, of_b = weights[k] * a[k], (TWO - weights[k]) * b[k]
        total[k] = of_a + of_b
        largest[k] = max(of_a, of_b)


@compiled
def ascend(fine, coarse, out):
    """``activation(activation(fine) + upsample(coarse))`` with a border.

    Args:
        fine: (N, 2 H, 2 W, C).
        coarse: (N, H, W, C).
        out: (N, 2 H + 2, 2 W + 2, C), filled.
    """
    count, height, width, channels = fine.shape
    # A row of the coarse map between two of its rows, with its ends repeated.
    between = np.empty((width // 2 + 2, channels), np.float32)
    enlarged = np.empty((width // 2, 2, channels), np.float32)
    for n in range(count):
        for y in range(height):
            near = y // 2
            far = min(max(near + (1 if y % 2 else -1), 0), height // 2 - 1)
            _blend(
                coarse[n, near].reshape(-1), coarse[n, far].reshape(-1), between[1:-1].reshape(-1)
            )
            between[0] = between[1]
            between[width // 2 + 1] = between[width // 2]
            for x in range(width // 2):
                for c in range(channels):
                    here = _THREE_QUARTERS * between[x + 1, c]
                    enlarged[x, 0, c] = here + _QUARTER * between[x, c]
                    enlarged[x, 1, c] = here + _QUARTER * between[x + 2, c]
            _ascend(fine[n, y].reshape(-1), enlarged.reshape(-1), out[n, y + 1, 1:-1].reshape(-1))
        repeat_border(out[n])


@compiled
def _blend(near, far, out):
    for k in range(len(out)):
        out[k] = _THREE_QUARTERS * near[k] + _QUARTER * far[k]


@compiled
def _ascend(fine, enlarged, out):
    for k in range(len(out)):
        out[k] = rectified(rectified(fine[k]) + enlarged[k])
