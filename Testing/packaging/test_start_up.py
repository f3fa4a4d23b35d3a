"""What is imported before there is anything to compute: what a start takes is the sum of it.

Times depend on the machine and on what else it does, so none is tested.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "pywt", "scipy", "matplotlib", "highdicom", "pynetdicom", "skimage", "dask")
ARRAYS = ("numpy", "SimpleITK", "pydicom", "PIL")

PROGRAM = """
import sys
from WDualMineLib.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print()
print("loaded", code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded(*words: str) -> tuple[int, set[str]]:
    """Exit code of a command in an interpreter of its own, and the libraries it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        capture_output=True,
        text=True,
        cwd=ROOT / "WDualMine",
    )
    assert done.returncode == 0, done.stderr
    _, code, *names = done.stdout.splitlines()[-1].split()
    return int(code), set(names)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["no-such-command"], []])
def test_help_loads_the_standard_library_only(words: list[str]) -> None:
    code, names = loaded(*words)

    assert code == (0 if words and words[0].startswith("--") else 2)
    assert not names & {*HEAVY, *ARRAYS}


@pytest.mark.parametrize("command", ["fuse", "register", "evaluate", "fuse-images", "dicom"])
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    code, names = loaded(command, "--help")

    assert code == 0 and not names & {*HEAVY}


@pytest.mark.parametrize(
    "words",
    [
        ["fuse", "missing.nii", "missing.nii", "-o", "out"],
        ["fuse", "README.md", "README.md", "-o", "out"],
        ["fuse", "a.nii", "b.nii", "-o", "out", "--fixed-window=3"],
        ["register", "missing.nii", "missing.nii", "-o", "out.tfm"],
        ["evaluate", "missing"],
        ["fuse-images", "missing", "missing", "-o", "out"],
        ["dicom", "export", "missing"],
        ["bench", "speed", "--repeats", "0"],
    ],
    ids=" ".join,
)
def test_bad_input_is_answered_before_anything_heavy_is_loaded(words: list[str]) -> None:
    code, names = loaded(*words)

    assert code == 2
    assert not names & {*HEAVY}
