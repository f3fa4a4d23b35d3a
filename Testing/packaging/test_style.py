"""The whole tree passes the linter and is formatted, by the rules of pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "command", [("check", "--output-format=concise"), ("format", "--check")], ids=" ".join
)
def test_ruff_finds_nothing(command: tuple[str, ...]) -> None:
    arguments = [sys.executable, "-m", "ruff", *command, str(ROOT)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
