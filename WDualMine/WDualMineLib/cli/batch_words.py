"""What ``wdualmine batch`` says: what would run, what is wrong with it, and what came of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..batch.plan import Plan
from ..batch.run import Run, counted, reports_in
from ..batch.study import WAITING, Row
from ..errors import InputError
from .console import warn

_MOST_SHOWN = 20


def show_plan(
    options: argparse.Namespace, plan: Plan, rows: Sequence[Row], wrong: Sequence[str]
) -> None:
    """A table of what would run, on standard output."""
    doubts = {row.place: row.doubt for row in rows if row.doubt}
    words = {row.place: " ".join(f"{k}={v}" for k, v in row.words.items()) for row in rows}
    lines: list[tuple[str, ...]] = [("study", "stands", "fixed", "moving", "options and remarks")]
    for study in plan.studies:
        state = plan.outcomes[study.name].state
        inputs = [str(study.inputs[role]) for role in ("fixed", "moving")]
        remark = f"LOOK AT IT: {doubts[study.place]}" if study.place in doubts else ""
        told = " ".join(part for part in (words[study.place], remark) if part)
        lines.append((study.name, "to run" if state == WAITING else state, *inputs, told))
    widths = [max(len(line[n]) for line in lines) for n in range(4)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        print("  ".join([*cells, line[4]]).rstrip())
    waiting = len(plan.in_state(WAITING))
    print(f"{len(plan.studies)} studies, {waiting} to run, {len(wrong)} refused")
    if options.list is not None:
        print(f"To run {options.list} after corrections, give it with --root {options.root}")


def refuse(wrong: Sequence[str], rows: int) -> None:
    """Say what is wrong with each row, as far as anybody reads, and end if anything is.

    Raises:
        InputError: something is.
    """
    if not wrong:
        return
    if len(wrong) == 1:
        raise InputError(wrong[0], "Nothing was started")
    for sentence in wrong[:_MOST_SHOWN]:
        print(f"  {sentence}", file=sys.stderr)
    if len(wrong) > _MOST_SHOWN:
        print(f"  and {len(wrong) - _MOST_SHOWN} more", file=sys.stderr)
    raise InputError(
        f"{len(wrong)} of {rows} studies cannot run, the first: {wrong[0].rstrip('.')}",
        "Nothing was started. Correct them and run again",
    )


def say(run_: Run) -> int:
    """What came of it, on standard output; what went wrong, on standard error."""
    print(f"{len(run_.plan.studies)} studies: {counted(run_.summary)}.")
    for path in reports_in(run_.places.root):
        print(f"  {path}")
    failed = [s for s in run_.plan.studies if run_.plan.outcomes[s.name].is_failed]
    for study in failed[:_MOST_SHOWN]:
        warn(f"{study.name} ({study.place}) failed: {run_.plan.outcomes[study.name].words}")
    if len(failed) > _MOST_SHOWN:
        warn(f"and {len(failed) - _MOST_SHOWN} more failed; see summary.csv")
    if failed:
        print("Mend what they say and run the same command again, or add --retry failed.")
    if run_.stopped:
        warn(f"The batch ended early: {run_.stopped}")
    if run_.report_trouble:
        warn(f"The reports could not be written: {run_.report_trouble}")
    return run_.exit_code()
