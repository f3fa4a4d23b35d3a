"""The extension installs through CMake, and its package imports from the install tree.

A stand-in takes Slicer's place (slicer_stand_in/): it proves the lists and the layout, not that a
real Slicer builds the extension.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = Path(__file__).parent / "slicer_stand_in"

pytestmark = pytest.mark.skipif(not shutil.which("cmake"), reason="cmake is not installed")


@pytest.fixture(scope="module")
def modules_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Slicer would load scripted modules from."""
    build, prefix = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("prefix")
    for command in (
        ["cmake", "-S", ROOT, "-B", build, f"-DSlicer_DIR={STAND_IN}", "-Wno-dev",
         f"-DCMAKE_INSTALL_PREFIX={prefix}"],
        ["cmake", "--install", build],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        if "No CMAKE_CXX_COMPILER could be found" in done.stderr:
            pytest.skip("CMake finds no C++ compiler, which project() asks for")
        assert done.returncode == 0, done.stderr
    return prefix / "lib" / "qt-scripted-modules"


def test_the_package_imports_and_finds_its_resources(modules_folder: Path) -> None:
    program = """
import WDualMineLib
from WDualMineLib.resources import resource_path
print(WDualMineLib.__file__, resource_path("requirements.txt"), sep="\\n")
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(modules_folder)},
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.split():
        assert Path(line).is_relative_to(modules_folder)


def test_the_export_plugin_lies_where_slicer_looks_for_modules(modules_folder: Path) -> None:
    """Beside the module whose package it uses."""
    found = {path.name for path in modules_folder.glob("*.py")}
    assert found == {"WDualMine.py", "DICOMWDualMinePlugin.py"}
