"""The figures of a batch as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def stage_lines(found: dict[str, Any]) -> Iterator[str]:
    """Seconds of one study by stage; ``found`` as :func:`~.stages.stages_of_studies` gives it."""
    size = " x ".join(map(str, found["shape"][::-1]))
    yield (
        f"A study of {size} on one thread, median of {found['runs']}: "
        "seconds of processor (of wall)"
    )
    whole = found["total"]["cpu"]
    for stage, took in (*found["stages"].items(), ("all", found["total"])):
        share = 100 * took["cpu"] / whole if whole else 0.0
        yield f"  {stage:20}{took['cpu']:9.3f} ({took['wall']:.3f}){share:6.0f} %"
    yield (
        f"  {found['input_bytes'] / 1e6:.2f} MB of files read, "
        f"{found['output_bytes'] / 1e6:.2f} MB written"
    )


THROUGHPUT_HEADING = (
    "workers  studies a minute  MB/s written  processor s a study  processors: it, others  "
    "GB a process  s in all"
)


def throughput_line(row: dict[str, Any]) -> str:
    """A row under :data:`THROUGHPUT_HEADING`."""
    cells = (
        (str(row["workers"]), 7),
        (_number(row["a_minute"], 1), 18),
        (_number(row["bytes_a_second"], 2, 1e-6), 14),
        (_number(row["cpu"], 2), 21),
        (f"{_number(row['processors'], 2)}, {_number(row['others'], 2)}", 24),
        (_number(row["peak_bytes"], 2, 1e-9), 14),
        (_number(row["wall"], 1), 10),
    )
    return "".join(text.rjust(width) for text, width in cells)


def bytes_line(row: dict[str, Any]) -> str:
    """What a batch leaves on the disk."""
    return (
        f"On the disk: {row['study_bytes'] / 1e6:.2f} MB a study, "
        f"{row['report_bytes'] / 1e6:.2f} MB of reports for all {row['studies']}"
    )


def _number(value: float | None, digits: int, factor: float = 1.0) -> str:
    return "too short" if value is None else f"{factor * value:.{digits}f}"
