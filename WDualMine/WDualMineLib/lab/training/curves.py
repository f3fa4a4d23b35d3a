"""A picture of a training run: losses, excess over the maximum, and validation."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from .objective import MEASURES

_WINDOW = 100
"""Steps that a running mean is taken over."""


def draw_curves(folder: Path, path: Path) -> None:
    """Draw the run in ``folder`` (``log.csv``, ``validation.jsonl``) as a PNG or SVG ``path``."""
    # Here and not above: a run is trained without matplotlib too.
    from matplotlib.figure import Figure

    with (folder / "log.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    validations = []
    if (folder / "validation.jsonl").exists():
        lines = (folder / "validation.jsonl").read_text().splitlines()
        validations = [json.loads(line) for line in lines]
    figure = Figure(figsize=(11, 7), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    _plot_column(axes[0], rows, "loss")
    axes[0].set_title("Training: loss (running mean)")
    for name in MEASURES:
        if name != "MI":
            _plot_column(axes[1], rows, f"{name} excess")
    axes[1].set_title("Training: excess over maximum + floor")
    for ax, name in zip(axes[2:], ("Qabf", "MI", "SSIM", "SCD"), strict=True):
        for group in (key for key in (validations[0] if validations else {}) if key != "step"):
            steps = [row["step"] for row in validations]
            ax.plot(steps, [row[group][name] for row in validations], label=group)
        ax.set_title(f"Validation: {name}" + (" (bits)" if name == "MI" else ""))
    for ax in axes:
        ax.set_xlabel("step")
        ax.grid(alpha=0.3)
        if ax.has_data():
            ax.legend(fontsize=8)
    figure.savefig(path, dpi=90)


def _plot_column(ax, rows: list[dict[str, str]], column: str) -> None:
    points = [(int(row["step"]), float(row[column])) for row in rows if row.get(column)]
    if not points:
        return
    steps, values = np.array(points).T
    window = min(_WINDOW, len(values))
    mean = np.convolve(values, np.full(window, 1 / window), mode="valid")
    ax.plot(steps[window - 1 :], mean, label=column)
