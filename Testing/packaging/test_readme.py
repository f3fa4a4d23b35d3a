"""The README keeps its word: commands parse, links lead somewhere, quoted errors exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from WDualMineLib.cli.main import COMMANDS, build_parser

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in [*(ROOT / "WDualMine").rglob("*.py"), ROOT / ".ci" / "setup"]
)
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
TROUBLES = README.split("## When it says")[1].split("\n## ")[0]


@pytest.mark.parametrize("line", re.findall(r"^wdualmine .*$", BLOCKS, re.MULTILINE))
def test_its_commands_parse(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    build_parser(words[0]).parse_args(words)


def test_it_tells_of_every_command() -> None:
    assert not [name for name in COMMANDS if f"wdualmine {name}" not in README]


def test_its_make_targets_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", BLOCKS, re.MULTILINE)) <= targets


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_its_links_lead_somewhere(target: str) -> None:
    if not target.startswith("https://"):
        assert (ROOT / target).exists()


def test_the_errors_it_explains_exist() -> None:
    # A message is often put together from several literals; line breaks in the source may cut it.
    plain = re.sub(r'"\s*\n\s*f?"', "", SOURCES)
    for quoted in re.findall(r'\*\*(?:make: )?"(.+?)"\*\*', TROUBLES, re.DOTALL):
        for piece in quoted.replace("\n", " ").split("..."):
            words = piece.strip(" ,")
            assert words in plain, f"no message says {words!r}"
