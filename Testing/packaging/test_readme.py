"""The README keeps its word: commands parse, links lead somewhere, quoted errors exist."""

from __future__ import annotations

import doctest
import inspect
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import WDualMineLib
from WDualMineLib.cli.main import COMMANDS, build_parser
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in [*(ROOT / "WDualMine").rglob("*.py"), ROOT / ".ci" / "setup"]
)
PYTHON = "\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL))
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
TROUBLES = README.split("## When it says")[1].split("\n## ")[0]


@pytest.mark.parametrize("line", re.findall(r"^wdualmine .*$", BLOCKS, re.MULTILINE))
def test_its_commands_parse(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    build_parser(words[0]).parse_args(words)


def test_its_python_gives_what_it_says(tmp_path: Path, monkeypatch) -> None:
    grid = Geometry((28, 32, 24), (2.0, 2.0, 2.5), (-27, -31, -29), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in grid.array_shape), indexing="ij")
    head = i**2 + j**2 + k**2 < 0.8
    for name, texture in (("mr", np.cos(9 * i) * np.cos(7 * j)), ("pet", np.cos(6 * k + 4 * i))):
        array = np.where(head, 60 + 30 * texture, 1).astype(np.float32)
        write_volume(Volume(array, grid), tmp_path / f"{name}.nii.gz")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(PYTHON, {}, "README.md", "README.md", 0)
    said: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    outcome = runner.run(test, out=said.append)
    assert outcome.attempted > 8 and not outcome.failed, "".join(said)


def test_its_python_names_the_whole_face() -> None:
    face = set(WDualMineLib._PUBLIC) - {"read_volume", "write_volume", "FusionResult"}
    used = set(re.findall(r"\bwd\.(\w+)", README))
    assert face - {"Volume", "Geometry", "Result"} <= used


def test_the_page_on_python_names_what_there_is() -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bwd\.(\w+)", page)) <= set(WDualMineLib.__all__)
    for name, said in re.findall(r"`wd\.(\w+)\(([^`]*)\)`", page):
        parameters = inspect.signature(getattr(WDualMineLib, name)).parameters
        names = [word.split("=")[0].strip("* ") for word in said.split(", ") if word != "*"]
        assert names == list(parameters), name


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
