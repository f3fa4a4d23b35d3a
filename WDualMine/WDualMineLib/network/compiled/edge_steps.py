"""Edge refinement in one pass a step: see :mod:`~..edge_refinement`."""

from __future__ import annotations

import math

import numpy as np

from .. import edge_refinement as plain
from .loops import HALF, ONE, TWO, ZERO, compiled, exp_within, garrote

_FAINT = np.float32(plain._FLAT**2)
_SLOPE = np.float32(plain._STRENGTH_SLOPE)
_FROM = np.float32(plain._STRENGTH_SLOPE * plain._HALF_STRENGTH)
_ALIGNED = np.float32(plain._ALIGNMENT_SLOPE * plain._ALIGNED)
_ROOT = np.float32(math.sqrt(plain._ALIGNMENT_SLOPE))
_LONGEST = np.float32(plain._LONGEST)
_ACROSS, _DOWN, _STRENGTH, _WEAKNESS, _SAY = range(5)


@compiled
def refine(fused, a, b, share, pursuit, rates, thresholds, alpha, residual):
    """Steps of edge refinement of N slices.

    Args:
        fused: (N, H, W).
        a, b: (N, H, W).
        share: (N, H, W), of a in the pull; that of b is the rest.
        pursuit: (N, steps, H, W).
        rates: (steps,), of the ascent.
        thresholds: (steps,).
        alpha: the largest residual.
        residual: (N, H, W), filled: what is to be added to the average.
    """
    count, height, width = fused.shape
    steps = len(rates)
    # Each step follows two rows behind the one before, so that what they look at stays in the
    # processor's cache: edges of the rows between the first step and the last, and pulls of the
    # row above, at hand and below.
    kept = 2 * steps
    edges = np.empty((2, kept, 5, width), np.float32)
    pulls = np.zeros((steps, 3, 2, width + 2), np.float32)
    # A row that there is not pulls at nothing.
    nothing = np.zeros((2, width + 2), np.float32)
    images = np.empty((2, height + 2, width + 2), np.float32)
    now = np.empty((height + 2, width + 2), np.float32)
    change = np.empty((height, width), np.float32)
    for n in range(count):
        _surround(a[n], images[0])
        _surround(b[n], images[1])
        _surround(fused[n], now)
        change[:] = ZERO
        for front in range(height + 2 * steps - 1):
            if front < height:
                for source in range(2):
                    image = images[source]
                    _edges_of(image[front], image[front + 1], image[front + 2],
                              share[n, front], source, edges[source, front % kept])  # fmt: skip
            for step in range(steps):
                y = front - 2 * step
                if y < 0 or y > height:
                    continue
                ring = pulls[step]
                below = nothing
                if y < height:
                    below = ring[y % 3]
                    of_a, of_b = edges[0, y % kept], edges[1, y % kept]
                    _pull(now[y], now[y + 1], now[y + 2], of_a, of_b, below)
                if y:
                    # Nobody looks at this row any more in this step.
                    above = ring[(y - 2) % 3] if y > 1 else nothing
                    _move(
                        above,
                        ring[(y - 1) % 3],
                        below,
                        rates[step],
                        thresholds[step],
                        pursuit[n, step, y - 1],
                        fused[n, y - 1],
                        change[y - 1],
                        now[y],
                    )
                    if y == 1:
                        now[0] = now[1]
                    if y == height:
                        now[height + 1] = now[height]
        for y in range(height):
            _less_average(now[y + 1, 1:-1], a[n, y], b[n, y], alpha, residual[n, y])


@compiled
def _less_average(fused, a, b, alpha, residual):
    for x in range(len(fused)):
        residual[x] = min(max(fused[x] - HALF * (a[x] + b[x]), -alpha), alpha)


@compiled
def _surround(image, bordered):
    """Write (H, W) into (H + 2, W + 2), its border repeated."""
    height, width = image.shape
    for y in range(height):
        row = bordered[y + 1]
        row[1:-1] = image[y]
        row[0] = row[1]
        row[width + 1] = row[width]
    bordered[0] = bordered[1]
    bordered[height + 1] = bordered[height]


@compiled
def _edges_of(above, row, below, share, source, edges):
    """What one row of a source has of :class:`~..edge_refinement._Edges`, into (5, W)."""
    across, down = edges[_ACROSS], edges[_DOWN]
    strengths, weakness, say = edges[_STRENGTH], edges[_WEAKNESS], edges[_SAY]
    for i in range(len(share)):
        x = (above[i + 2] - above[i]) + TWO * (row[i + 2] - row[i]) + (below[i + 2] - below[i])
        y = (below[i] - above[i]) + (below[i + 2] - above[i + 2])
        y += TWO * (below[i + 1] - above[i + 1])
        strength = math.sqrt(_FAINT + x * x + y * y)
        inverse = ONE / strength
        across[i] = x * (_ROOT * inverse)
        down[i] = y * (_ROOT * inverse)
        strengths[i] = _SLOPE * strength
        weakness[i] = _SLOPE * inverse
        say[i] = (ONE - share[i] if source else share[i]) * strength


@compiled
def _pull(above, row, below, of_a, of_b, pulls):
    """:func:`~..edge_refinement._pull` of a row (W + 2), into (2, W + 2), whose ends stay 0."""
    a_across, a_down, a_strong, a_weak, a_say = of_a[0], of_a[1], of_a[2], of_a[3], of_a[4]
    b_across, b_down, b_strong, b_weak, b_say = of_b[0], of_b[1], of_b[2], of_b[3], of_b[4]
    across, down = pulls[0], pulls[1]
    for i in range(len(row) - 2):
        x = (above[i + 2] - above[i]) + TWO * (row[i + 2] - row[i]) + (below[i + 2] - below[i])
        y = (below[i] - above[i]) + (below[i + 2] - above[i + 2])
        y += TWO * (below[i + 1] - above[i + 1])
        own = math.sqrt(_FAINT + x * x + y * y)
        inverse = ONE / own
        a_stretch, a_turn, a_kept = _of_source(
            x, y, own, inverse, a_across[i], a_down[i], a_strong[i], a_weak[i]
        )
        b_stretch, b_turn, b_kept = _of_source(
            x, y, own, inverse, b_across[i], b_down[i], b_strong[i], b_weak[i]
        )
        a_kept, b_kept = a_kept * a_say[i], b_kept * b_say[i]
        length = (a_stretch * a_kept + b_stretch * b_kept) * inverse
        a_turn, b_turn = TWO * a_turn * a_kept, TWO * b_turn * b_kept
        across[i + 1] = (a_turn * a_across[i] + b_turn * b_across[i] + x * length) * inverse
        down[i + 1] = (a_turn * a_down[i] + b_turn * b_down[i] + y * length) * inverse


@compiled
def _of_source(x, y, own, inverse, across, down, strong, weak):
    """How strength and direction are to change for a source, and how far its edge is kept."""
    weaker, stronger = weak * own, strong * inverse
    closeness = min(weaker, stronger)
    signed = closeness if stronger > weaker else -closeness
    along = (across * x + down * y) * inverse
    # One division for both sigmoids: no product of their denominators overflows.
    of_strength = ONE + exp_within(_FROM - closeness)
    of_direction = ONE + exp_within(_ALIGNED - along * along)
    kept = ONE / (of_strength * of_direction)
    turn = along - along * (kept * of_strength)
    stretch = signed - signed * (kept * of_direction) - TWO * turn * along
    return stretch, turn, kept


@compiled
def _move(above, row, below, rate, threshold, pursuit, fused, change, now):
    """Change a row (W) of the fused slice, which is also written into (W + 2) with its ends."""
    across_above, across, across_below = above[0], row[0], below[0]
    down_above, down_below = above[1], below[1]
    for i in range(len(change)):
        ascent = (across_above[i + 2] - across_above[i]) + (across_below[i + 2] - across_below[i])
        ascent += TWO * (across[i + 2] - across[i]) + TWO * (down_below[i + 1] - down_above[i + 1])
        ascent += (down_below[i] - down_above[i]) + (down_below[i + 2] - down_above[i + 2])
        bounded = min(max(ascent * rate, -_LONGEST), _LONGEST)
        changed = garrote(change[i] + pursuit[i] * bounded, threshold)
        change[i] = changed
        now[i + 1] = fused[i] + changed
    now[0] = now[1]
    now[len(change) + 1] = now[len(change)]
