"""``wdualmine bench volume``: does what was learned on 8-bit slices hold for raw volumes?"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...fusion.settings import FusionSettings
from ...fusion.slices import slicings
from ...pipeline.pair import prepare
from ...pipeline.run import fuse
from ...quality.overshoot import overshoot
from ...quality.volume_measures import flicker
from ...version import __version__
from ...volumes.reading import read_volume
from ...volumes.volume import Volume
from ...volumes.whole_files import refuse_existing, write_text

WIDENED = (1.0, 1.01, 1.02, 1.04)
"""Factors of the moving window's upper end, for how smoothly the result follows it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench volume``."""
    parser.description = (
        "Fuse two aligned volumes and measure, slice by slice, flicker (change from slice to slice "
        "over that of the sources), halos (share of the head more than 0.05 brighter or darker "
        "than any tone around it), and how far the fused volume moves, over how far its sources "
        "moved, when the moving window is widened a little at a time."
    )
    parser.add_argument("fixed", type=Path, metavar="FIXED", help="volume whose grid is kept")
    parser.add_argument("moving", type=Path, metavar="MOVING", help="volume aligned to it")
    parser.add_argument("--fixed-window", default="auto", help="as in fuse (default auto)")
    parser.add_argument("--moving-window", default="auto", help="as in fuse (default auto)")
    parser.add_argument("--axis", default="axial", help="as in fuse (default axial)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="default: those that ship")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write the figures where asked."""
    settings = FusionSettings(
        fixed_window=options.fixed_window,
        moving_window=options.moving_window,
        axis=options.axis,
        weights=options.weights,
    )
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
    figures = measure(read_volume(options.fixed), read_volume(options.moving), settings)
    print(as_text(figures))
    if options.json is not None:
        text = json.dumps({"version": __version__} | figures, indent=2)
        write_text(options.json, text, force=options.force)


def measure(fixed: Volume, moving: Volume, settings: FusionSettings) -> dict:
    """Flicker and halos of the fused volume, its maps and plain fusions; response to the window.

    Raises:
        InputError: as :func:`...pipeline.run.fuse`.
    """
    pair = prepare(fixed, moving, settings)
    axis = slicings(fixed.geometry, settings.axis)[0]
    a, b = (axis.stack(x) for x in (pair.fixed, pair.moving))
    result = fuse(fixed, moving, settings)
    rows = {
        "fused": result.fused.array,
        "average": (pair.fixed + pair.moving) / 2,
        "maximum": np.maximum(pair.fixed, pair.moving),
    }
    figures: dict[str, dict] = {}
    for name, array in rows.items():
        f = axis.stack(array)
        above, below = overshoot(f, a, b)
        figures[name] = {"flicker": flicker(f, a, b), "above": above, "below": below}
    for name, volume in (
        ("reliability", result.reliability_fixed),
        ("arbitration", result.arbitration),
    ):
        # The maps have no source to be compared with: their change is given as it is.
        stack = axis.stack(volume.array)
        head = (a[1:] > 0) | (b[1:] > 0)
        change = np.abs(np.diff(stack, axis=0))[head].mean() if head.any() else float("nan")
        figures[name] = {"change a slice": float(change)}
    figures["window"] = _response(fixed, moving, settings)
    return figures


def _response(fixed: Volume, moving: Volume, settings: FusionSettings) -> dict[str, float]:
    """``{factor: mean change of the fused volume over mean change of the sources}``."""
    window = prepare(fixed, moving, settings).moving_window
    fused, sources = [], []
    for factor in WIDENED:
        high = window.low + factor * (window.high - window.low)
        widened = replace(settings, moving_window=(window.low, high))
        pair = prepare(fixed, moving, widened)
        sources.append((pair.fixed, pair.moving))
        fused.append(fuse(fixed, moving, widened).fused.array)
    response = {}
    for factor, f, (x, y) in zip(WIDENED[1:], fused[1:], sources[1:], strict=True):
        moved = np.abs(x - sources[0][0]).mean() + np.abs(y - sources[0][1]).mean()
        response[f"{factor:g}"] = float(np.abs(f - fused[0]).mean() / moved)
    return response


def as_text(figures: dict) -> str:
    """A line a volume, a line a map, a line for the window."""
    lines = [f"{'':<12}{'flicker':>9}{'above':>9}{'below':>9}"]
    for name in ("fused", "average", "maximum"):
        row = figures[name]
        lines.append(f"{name:<12}{row['flicker']:>9.3f}{row['above']:>9.2%}{row['below']:>9.2%}")
    for name in ("reliability", "arbitration"):
        lines.append(f"{name:<12}{figures[name]['change a slice']:>9.3f} a slice, of a range of 1")
    response = ", ".join(f"{f} wide: {ratio:.2f}" for f, ratio in figures["window"].items())
    lines.append(f"change over the sources' with the moving window {response}")
    return "\n".join(lines)
