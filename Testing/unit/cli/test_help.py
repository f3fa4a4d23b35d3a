"""Examples in the help are commands that parse; the shell completes words where argcomplete is."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from WDualMineLib.cli.examples import examples_of
from WDualMineLib.cli.main import COMMANDS, build_parser

PACKAGE = Path(__file__).resolve().parents[3] / "WDualMine"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_parses(command):
    lines = examples_of(command).splitlines()[1:]
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "wdualmine"
        assert build_parser(command).parse_args(words).command == command


def test_the_help_shows_them_a_line_each():
    shown = build_parser("fuse").format_help()
    assert "register" in shown
    help_of_fuse = build_parser("fuse")._subparsers._group_actions[0].choices["fuse"].format_help()
    for line in examples_of("fuse").splitlines():
        assert f"{line}\n" in help_of_fuse


def test_the_shell_completes_options(tmp_path):
    pytest.importorskip("argcomplete", reason="argcomplete is not installed (extra: completion)")
    line = "wdualmine fuse --different"
    path = os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")])
    asked = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE": "1"}
    asked |= {"_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "said"), "PYTHONPATH": path}
    subprocess.run(
        [sys.executable, "-m", "WDualMineLib"], env=os.environ | asked, timeout=60, check=False
    )
    assert "--different-patients" in (tmp_path / "said").read_text()
