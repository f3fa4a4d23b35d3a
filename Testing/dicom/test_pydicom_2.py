"""The oldest pydicom that is supported, 2.4 of 3D Slicer 5.10, with a highdicom of its time.

Set-up puts both into a folder of their own, where nothing but these tests looks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OLD = Path(sys.prefix) / "pydicom2"
TESTS = ("exported_objects", "export_rules", "read_back", "privacy", "multiframe", "stacks", "suv")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    if not OLD.is_dir():
        pytest.skip(f"there is no {OLD} with pydicom 2.4 (make setup puts it there)")
    paths = [str(OLD), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def test_the_old_version_is_the_one_that_is_imported(environment) -> None:
    program = "import pydicom, highdicom; print(pydicom.__version__, highdicom.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.stdout.startswith("2.4.") and " 0.22." in done.stdout, done.stderr


def test_reading_and_writing_with_it(environment) -> None:
    here = Path(__file__).parent
    files = [str(here / f"test_{name}.py") for name in TESTS]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env=environment,
        cwd=here.parents[1],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
