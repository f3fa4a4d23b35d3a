"""All figures of a run as a table to read and as JSON to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from .bad_input import BadInputRow
from .calibration import Calibration
from .confidence import Estimate, interval, mean_over_cases
from .evaluation import Evaluation, FaultScore
from .resolution import ResolutionScore

_SOUND = (
    "false_alarms",
    "shown",
    "lesion_doubted",
    "lesion_flagged",
    "air_off",
    "suspicion",
    "stripes",
)
_DETECTION = (
    "auroc",
    "average_precision",
    "found",
    "found_within",
    "flagged_found",
    "precision",
    "flags",
)
_LOOK = (
    "clipped",
    "clipped_source",
    "order",
    "order_source",
    "flicker",
    "cc_over_bound",
    "cc_over_bound_shown",
)
_PUT = ("size", "change")
_HARM = ("harm", "harm_even", "harm_excess")
_RESOLUTION = ("mean", "percentile_99", "stripes")

Figures = dict[str, dict[str, Estimate]]
"""``{row: {figure: estimate}}``."""


def summarise(
    evaluation: Evaluation,
    resolution: Sequence[ResolutionScore] = (),
    bad_input: Sequence[BadInputRow] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """Every figure with its interval, by modality pair, family, kind of fault and extent.

    Returns:
        ``{section: ...}``; the sections "sound ...", "faults ...", "look ..." and "resolution" are
        :data:`Figures`; "calibration" holds its error and diagram; "bad input" a row a case;
        "volumes" every single score.
    """

    def table(rows: Iterable, key: Callable, names: Sequence[str]) -> Figures:
        groups: dict[str, list] = {}
        for row in rows:
            groups.setdefault(key(row), []).append(row)
        return {
            name: {figure: _estimate(members, figure, seed) for figure in names}
            for name, members in groups.items()
        }

    def everything(_: object) -> str:
        return "all"

    sound, faults, look = evaluation.sound, evaluation.faults, evaluation.look
    of_faults = (*_DETECTION, *_PUT, *_HARM, "stripes")
    return {
        "sound": table(sound, everything, _SOUND),
        "sound by family": table(sound, lambda row: row.family, _SOUND),
        "sound by pair": table(sound, lambda row: row.group, _SOUND),
        "faults": table(faults, everything, of_faults),
        "faults by extent": table(faults, lambda row: row.extent, of_faults),
        "faults by kind": table(faults, _kind, of_faults),
        "faults by pair and source": table(
            faults, lambda row: f"{row.group}: {row.source}", of_faults
        ),
        "faults by family": table(faults, lambda row: row.family, of_faults),
        "pooled precision": pooled_precision(faults, seed),
        "calibration": _calibration(evaluation.calibration, seed),
        "look": table(look, everything, _LOOK),
        "look by family": table(look, lambda row: row.family, _LOOK),
        "look by pair": table(look, lambda row: row.group, _LOOK),
        "resolution": table(resolution, lambda row: row.condition, _RESOLUTION),
        "bad input": [asdict(row) for row in bad_input],
        "volumes": {
            "sound": [asdict(row) for row in sound],
            "faults": [_flat(row) for row in faults],
            "look": [asdict(row) for row in look],
            "resolution": [asdict(row) for row in resolution],
        },
    }


def pooled_precision(faults: Sequence[FaultScore], seed: int = 0) -> Estimate:
    """Share of all flags in all faulty volumes that are right; each volume's tissue counts alike.

    The mean of the volumes' precisions counts one stray voxel in a quiet volume as a failure, and
    leaves out the volumes without a flag; this does neither.
    """
    by_case: dict[str, list[tuple[float, float]]] = {}
    for row in faults:
        right = row.found.precision * row.found.flags if row.found.flags > 0 else 0.0
        by_case.setdefault(row.case, []).append((right, row.found.flags))

    def ratio(pairs: list[tuple[float, float]]) -> float:
        right, flags = map(sum, zip(*pairs, strict=True))
        return right / flags if flags > 0 else float("nan")

    alone = [value for pairs in by_case.values() if (value := ratio(pairs)) == value]
    if not alone:
        return mean_over_cases([])
    groups = list(by_case.values())
    everything = [pair for pairs in groups for pair in pairs]
    limits = interval(groups, ratio, seed)
    return Estimate(
        ratio(everything), *limits, min(alone), max(alone), len(groups), len(everything)
    )


def as_json(summary: dict[str, Any]) -> dict[str, Any]:
    """``summary`` with estimates as dictionaries."""
    if isinstance(summary, Estimate):
        return asdict(summary)
    if isinstance(summary, dict):
        return {key: as_json(value) for key, value in summary.items()}
    return summary


def as_text(summary: dict[str, Any]) -> str:
    """The tables for a terminal: a figure, its 95 % interval, and what it rests on."""
    parts = [_headlines(summary)]
    columns = (
        ("sound by pair", ("false_alarms", "lesion_doubted", "suspicion", "stripes")),
        ("sound by family", ("false_alarms", "shown", "lesion_doubted", "air_off", "stripes")),
        ("faults by extent", (*_PUT, *_DETECTION, *_HARM)),
        ("faults by kind", (*_PUT, *_DETECTION, *_HARM)),
        ("faults by pair and source", (*_PUT, *_DETECTION, *_HARM)),
        ("look by family", _LOOK),
        ("look by pair", _LOOK),
        ("resolution", _RESOLUTION),
    )
    parts += [_table(name, summary[name], names) for name, names in columns if summary[name]]
    parts.append(_diagram(summary["calibration"]))
    if summary["bad input"]:
        parts.append(_odd(summary["bad input"]))
    return "\n\n".join(parts)


def _headlines(summary: dict[str, Any]) -> str:
    """The table of the goals: what is measured, the figure, and what is wanted."""
    sound, faults = summary["sound"].get("all", {}), summary["faults"].get("all", {})
    extent, kind = summary["faults by extent"], summary["faults by kind"]
    look, resolution = summary["look"].get("all", {}), summary["resolution"]
    patients = summary["sound by family"].get("patients", {})
    tumours = summary["look by family"].get("patients", look)
    faint = kind.get("faint ghosting", {})
    rows = [
        ("sound tissue flagged", sound.get("false_alarms"), "at most .01"),
        ("sound tissue shown as suspected", sound.get("shown"), ""),
        ("sound tumours of patients doubted", patients.get("lesion_doubted"), "at most .02"),
        ("stripes, sound, 2 mm", sound.get("stripes"), "at most 1.5"),
        ("AUROC", faults.get("auroc"), "at least .95"),
        ("found at 1 % false alarms", faults.get("found"), "at least .80"),
        ("found of faint ghosting", faint.get("found"), "at least .60"),
        ("precision of what is flagged", faults.get("precision"), "at least .80"),
        ("precision, all flags together", summary["pooled precision"], "at least .80"),
        ("average precision, local", _of(extent, "local", "average_precision"), "at least .75"),
        ("average precision, large", _of(extent, "large", "average_precision"), "at least .90"),
        ("average precision, whole", _of(extent, "whole", "average_precision"), ""),
        ("calibration error, suspected", summary["calibration"]["error"], "at most .05"),
        ("harm with the maps", faults.get("harm"), ""),
        ("  less that with even weights", faults.get("harm_excess"), "at most 0"),
        ("hot half of tumours clipped", tumours.get("clipped"), "at most .005"),
        ("order within tumours", tumours.get("order"), "the least at least .80"),
        ("flicker", look.get("flicker"), "at most 1.05"),
        ("CC over bound in tissue", look.get("cc_over_bound"), "at least .985"),
    ]
    rows += [
        (f"1 and 2 mm, {name}: mean change", figures["mean"], "")
        for name, figures in resolution.items()
    ]
    cells = [["", "mean", "95 %", "least", "most", "cases", "goal"]]
    for name, estimate, goal in rows:
        if estimate is not None and estimate.volumes:
            extremes = (_number(estimate.least), _number(estimate.most))
            shown = (_number(estimate.value), _interval(estimate), *extremes)
            cells.append([name, *shown, str(estimate.cases), goal])
    return aligned(cells, left=(0, 6))


def _of(table: Figures, row: str, figure: str) -> Estimate | None:
    return table.get(row, {}).get(figure)


def _table(title: str, figures: Figures, names: Sequence[str]) -> str:
    cells = [[title, *(name.replace("_", " ") for name in names), "cases", "volumes"]]
    for row, values in figures.items():
        shown = [f"{_number(values[n].value)} {_interval(values[n])}".rstrip() for n in names]
        counts = [max(getattr(values[n], what) for n in names) for what in ("cases", "volumes")]
        cells.append([row, *shown, *map(str, counts)])
    return aligned(cells)


def aligned(cells: list[list[str]], left: tuple[int, ...] = (0,)) -> str:
    """Rows of equally many cells as text in columns, those of ``left`` flush left."""
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k in left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _diagram(calibration: dict[str, Any]) -> str:
    cells = [["calibration: suspicion", "share of voxels", "mean suspicion", "share faulty"]]
    for row in calibration["diagram"]:
        figures = (row[name] for name in ("share of voxels", "mean suspicion", "share faulty"))
        cells.append([f"{row['from']:.2f} to {row['to']:.2f}", *map(_number, figures)])
    return aligned(cells)


def _odd(rows: list[dict[str, Any]]) -> str:
    cells = [["bad input", "outcome", "false alarms", ""]]
    cells += [[r["name"], r["outcome"], _number(r["false_alarms"]), r["words"]] for r in rows]
    return aligned(cells, left=(0, 1, 3))


def _calibration(tables: dict[str, Calibration], seed: int) -> dict[str, Any]:
    if not tables:
        nothing = mean_over_cases([])
        return {"error": nothing, "overall_error": nothing, "diagram": []}
    whole = Calibration.mean(list(tables.values()))
    by_case = [[table] for table in tables.values()]
    result: dict[str, Any] = {}
    for name in ("error", "overall_error"):
        measure = getattr(Calibration, name)
        limits = interval(by_case, lambda drawn, m=measure: m(Calibration.mean(drawn)), seed)
        alone = [measure(table) for table in tables.values()]
        known = [value for value in alone if value == value]
        extremes = (min(known), max(known)) if known else (float("nan"),) * 2
        result[name] = Estimate(measure(whole), *limits, *extremes, len(tables), len(tables))
    return result | {"diagram": whole.rows()}


def _kind(row: FaultScore) -> str:
    return row.kind + (", whole" if row.extent == "whole" else "")


def _estimate(rows: list, figure: str, seed: int) -> Estimate:
    return mean_over_cases([(row.case, _value(row, figure)) for row in rows], seed)


def _value(row: Any, figure: str) -> float:
    return getattr(row.found if figure in _DETECTION else row, figure)


def _flat(row: FaultScore) -> dict[str, Any]:
    values = asdict(row)
    return values | values.pop("found")._asdict() if "found" in values else values


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"


def _interval(estimate: Estimate) -> str:
    if estimate.low != estimate.low:
        return ""
    return f"[{estimate.low:.3f},{estimate.high:.3f}]"
