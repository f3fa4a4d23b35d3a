"""How well each figure of the verdict tells right alignments from wrong ones: table and picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...lab.registration_trials.trials import Trial
from ...quality.detection import auroc
from ...registration.registration_result import Verdict
from ...registration.verdict import RULES, Rule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Wrong = dict[str, list[Trial]]
"""Kind of impostor: its trials."""

_LIMITS = ("doubtful", "failed")
_COLOURS = {"doubtful": "#d98c00", "failed": "#c02020"}
_COLUMNS, _PANEL_INCHES, _DOTS_PER_INCH = 3, 2.7, 110


def count_verdicts(trials: list[Trial]) -> dict[str, int]:
    """How many were called good, doubtful and failed."""
    return {v.value: sum(t.verdict == v.value for t in trials) for v in Verdict}


def describe(right: list[Trial], wrong: Wrong) -> dict[str, dict[str, Any]]:
    """For each rule its ROC, and what its limits stop of right and of wrong alignments.

    A rule about mirrored volumes is held against those, every other rule against all else: an exact
    alignment of a mirrored head is, but for left and right, exact.

    Returns:
        ``{rule: {"auc", "curve", "doubtful"?, "failed"?}}``; the curve as (limit, share of right
        cases above it, share of wrong cases above it) at every figure that occurred.
    """
    rows = {}
    for rule in RULES:
        a, b = _figures(rule, right), _figures(rule, _wrong_for(rule, wrong))
        if not (a.size and b.size):
            continue
        scores, positive = np.concatenate([a, b]), np.arange(a.size + b.size) >= a.size
        rows[rule.name] = {
            "auc": auroc(scores, positive),
            "curve": [(float(x), *_above(a, b, x)) for x in np.unique(scores)],
        }
        for name in _LIMITS:
            limit = getattr(rule, name)
            if limit is not None:
                shares = dict(zip(("right_above", "wrong_above"), _above(a, b, limit), strict=True))
                rows[rule.name][name] = {"limit": limit, **shares}
    return rows


def as_text(rows: dict[str, dict[str, Any]]) -> str:
    """The table of :func:`describe`."""
    lines = [
        f"{'Figure':28}{'area under':12}above the limit, right / wrong",
        f"{'':28}{'its curve':12}{'doubtful':22}failed",
    ]
    for name, row in rows.items():
        limits = "".join(f"{_limit_in_words(row.get(key)):22}" for key in _LIMITS)
        lines.append(f"  {name:26}{row['auc']:7.3f}     {limits}".rstrip())
    return "\n".join(lines)


def draw(rows: dict[str, dict[str, Any]]) -> Figure:
    """A panel a figure with its curve and its limits on it.

    Args:
        rows: of :func:`describe`, not empty.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = -(-len(rows) // _COLUMNS)
    size = (_COLUMNS * _PANEL_INCHES, height * _PANEL_INCHES + 0.5)
    figure = Figure(figsize=size, layout="constrained", dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    panels = figure.subplots(height, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    for panel in panels[len(rows) :]:
        panel.set_axis_off()
    for panel, (name, row) in zip(panels, rows.items(), strict=False):
        # From above every figure, where nothing is flagged, to below every one.
        shares = [(0.0, 0.0), *((a, b) for _, a, b in reversed(row["curve"])), (1.0, 1.0)]
        panel.plot([0, 1], [0, 1], color="0.8", linewidth=1)
        panel.plot(*zip(*shares, strict=True), color="#204a87", linewidth=1.5)
        for key in _LIMITS:
            if key in row:
                at = row[key]["right_above"], row[key]["wrong_above"]
                label = f"{key} above {row[key]['limit']:g}"
                panel.plot(*at, "o", color=_COLOURS[key], label=label, clip_on=False, zorder=3)
        panel.legend(loc="lower right", fontsize=7, frameon=False, handletextpad=0.1)
        panel.set_title(f"{name.replace('_', ' ')}: area {row['auc']:.2f}", fontsize=9)
        panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        panel.tick_params(labelsize=7)
    figure.supxlabel("share of right alignments above the limit", fontsize=9)
    figure.supylabel("share of wrong ones above it", fontsize=9)
    return figure


def _wrong_for(rule: Rule, wrong: Wrong) -> list[Trial]:
    mirrors = rule.name == "mirror"
    return [t for kind, found in wrong.items() if (kind == "mirrored") is mirrors for t in found]


def _figures(rule: Rule, trials: list[Trial]) -> np.ndarray:
    """Of those that came so far: some are refused before there is anything to measure."""
    return np.array([rule.figure(trial.figures) for trial in trials if trial.figures])


def _above(right: np.ndarray, wrong: np.ndarray, limit: float) -> tuple[float, float]:
    return float((right > limit).mean()), float((wrong > limit).mean())


def _limit_in_words(row: dict[str, float] | None) -> str:
    if row is None:
        return "-"
    return f"{row['limit']:g}: {row['right_above']:.0%} / {row['wrong_above']:.0%}"
