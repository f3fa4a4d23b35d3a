"""Progress that neither floods a log nor leaves a torn line on a terminal."""

from __future__ import annotations

import io

import pytest
from WDualMineLib.cli import console
from WDualMineLib.cli.console import ConsoleProgress
from WDualMineLib.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_a_terminal_shows_one_line_and_ends_empty(clock):
    stream = Terminal()
    with ConsoleProgress(stream) as progress:
        for percent in range(0, 100, 10):
            clock[0] += 0.2
            progress(Progress(percent / 100, f"Step {percent}"))
    text = stream.getvalue()
    assert "\n" not in text
    assert "90 %  Step 90" in text
    assert text.endswith("\r\033[K")


def test_a_terminal_is_not_flooded(clock):
    stream = Terminal()
    with ConsoleProgress(stream) as progress:
        for step in range(1000):
            progress(Progress(step / 1000, "Step"))
    assert stream.getvalue().count("%") == 1


def test_a_log_gets_a_line_every_ten_seconds(clock):
    stream = io.StringIO()
    with ConsoleProgress(stream) as progress:
        for second in range(35):
            progress(Progress(second / 35, f"Second {second}"))
            clock[0] += 1
    assert stream.getvalue() == " 29 %  Second 10\n 57 %  Second 20\n 86 %  Second 30\n"


def test_parts_make_up_the_whole(clock):
    stream = Terminal()
    part = ConsoleProgress(stream).part(0.2, 0.6)
    part(Progress(0.5, "Half of the part"))
    assert " 40 %  Half of the part" in stream.getvalue()
