"""The decoder's passes at full resolution as one: see :mod:`~..decoder`."""

from __future__ import annotations

import numpy as np

from ..statistics import AIR
from .loops import HALF, ONE, TWO, ZERO, compiled, garrote, sigmoid, tanh

_OPENING = np.float32(2 / AIR)


@compiled
def decode(near, far, table, numbers, alpha, threshold, a, b, sure_a, sure_b, fused, pursuit):
    """What a slice is before its edges are refined, and how keenly these are to be pursued.

    Args:
        near: (N, 4 G, H / 2, W / 2), guidance from Z, place by place.
        far: (N, G, H, W), guidance from the context.
        table: (N or 1, NODES, NODES), of the transfer function.
        numbers: (N or 1, 4), how much contrast and shift count, and how much each source does in
            the standardised average.
        alpha, threshold: of the network and of the addition.
        a, b: (N, H, W).
        sure_a, sure_b: (N, H, W), the same where a source is not to be believed as it is.
        fused: (N, H, W), filled.
        pursuit: (N, G - 1, H, W), filled.
    """
    count, height, width = a.shape
    maps = far.shape[1]
    guided = np.empty(width, np.float32)
    opening = np.empty(width, np.float32)
    looked_up = np.empty(width, np.float32)
    for n in range(count):
        of_table = table[n % len(table)]
        of_contrast, of_shift, of_a, of_b = numbers[n % len(numbers)]
        for y in range(height):
            place = 2 * maps * (y % 2)
            _guide(near[n, place, y // 2], near[n, place + maps, y // 2], far[n, 0, y], guided)
            _look_up(of_table, sure_a[n, y], sure_b[n, y], looked_up)
            _fuse(
                a[n, y], b[n, y], sure_a[n, y], sure_b[n, y], guided, looked_up,
                of_contrast, of_shift, of_a, of_b, alpha, threshold, opening, fused[n, y],
            )  # fmt: skip
            for k in range(1, maps):
                into = pursuit[n, k - 1, y]
                upper, lower = near[n, place + k, y // 2], near[n, place + maps + k, y // 2]
                _guide(upper, lower, far[n, k, y], into)
                for x in range(width):
                    into[x] = TWO * opening[x] * sigmoid(into[x])


@compiled
def _guide(left, right, far, guided):
    """Places side by side of one row, with what the context adds."""
    for x in range(len(left)):
        guided[2 * x] = left[x] + far[2 * x]
        guided[2 * x + 1] = right[x] + far[2 * x + 1]


@compiled
def _look_up(table, a, b, values):
    """Between four nodes of (NODES, NODES), a down the rows."""
    last = np.float32(table.shape[0] - 1)
    size = np.int32(table.shape[0])
    flat = table.reshape(-1)
    for x in range(len(values)):
        # So that what is not a number does not lead out of the table.
        of_a, of_b = a[x] if a[x] > ZERO else ZERO, b[x] if b[x] > ZERO else ZERO
        row, column = min(of_a, ONE) * last, min(of_b, ONE) * last
        upper = min(np.floor(row), last - ONE)
        left = min(np.floor(column), last - ONE)
        down, right = row - upper, column - left
        node = np.int32(upper) * size + np.int32(left)
        above = flat[node] + right * (flat[node + 1] - flat[node])
        below = flat[node + size] + right * (flat[node + size + 1] - flat[node + size])
        values[x] = above + down * (below - above)


@compiled
def _fuse(a, b, sure_a, sure_b, guided, looked_up, of_contrast, of_shift, of_a, of_b,
          alpha, threshold, opening, fused):  # fmt: skip
    for x in range(len(fused)):
        average = HALF * (a[x] + b[x])
        mean = HALF * (sure_a[x] + sure_b[x])
        shift = of_a * sure_a[x] + of_b * sure_b[x] - mean
        drive = looked_up[x] + of_contrast * abs(sure_a[x] - sure_b[x]) + of_shift * shift
        drive += garrote(guided[x], threshold) + (mean - average)
        open_ = tanh(_OPENING * average)
        opening[x] = open_
        fused[x] = average + alpha * tanh(open_ * drive)
