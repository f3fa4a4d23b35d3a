"""What CMake does not list does not ship: the lists hold exactly the files of the tree."""

from __future__ import annotations

import re
from pathlib import Path

MODULE = Path(__file__).resolve().parents[2] / "WDualMine"
CMAKE = MODULE / "CMakeLists.txt"


def listed(variable: str) -> list[str]:
    """The entries of ``set(variable ...)`` in the module's CMakeLists.txt, in their order."""
    body = re.search(rf"set\({variable}\n(.*?)\n\s*\)", CMAKE.read_text(), re.DOTALL).group(1)
    return [line.strip().replace("${MODULE_NAME}", "WDualMine") for line in body.splitlines()]


def shipped(*patterns: str) -> set[str]:
    """Files under the module's folder, relative to it, with forward slashes."""
    return {
        path.relative_to(MODULE).as_posix()
        for pattern in patterns
        for path in MODULE.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


def assert_lists(variable: str, tree: set[str]) -> None:
    entries = listed(variable)
    missing = "\n".join(
        "  " + name.replace("WDualMineLib/", "${MODULE_NAME}Lib/", 1)
        for name in sorted(tree - set(entries))
    )
    assert not missing, f"add to {variable} in {CMAKE.name}:\n{missing}"
    assert not set(entries) - tree, f"{variable} lists files that are not there"
    assert len(entries) == len(set(entries)), f"{variable} lists a file twice"
    assert entries == sorted(entries), f"{variable} is not in alphabetical order"


def test_every_script_is_listed() -> None:
    """All but the lab and the benchmarks, which only those need who train or measure."""
    scripts = shipped("*.py", "WDualMineLib/**/*.py")
    scripts -= shipped("WDualMineLib/lab/**/*.py", "WDualMineLib/cli/bench/**/*.py")
    assert_lists("MODULE_PYTHON_SCRIPTS", scripts)


def test_every_resource_is_listed() -> None:
    assert_lists("MODULE_PYTHON_RESOURCES", shipped("Resources/**/*"))
