"""What may be imported where and when, beyond the direction that Testing/packaging holds.

In Slicer PyTorch, PyWavelets and matplotlib may still have to be installed when most of the package
is loaded, so only named files may import them while they are themselves imported.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "WDualMine" / "WDualMineLib"

# Library: parts and files that may import it at file level.
AT_FILE_LEVEL = {
    "torch": {
        "network",
        "lab",
        "fusion/devices.py",
        "fusion/engine.py",
        "fusion/evidence.py",
        "fusion/evidence_grid.py",
        "fusion/precision.py",
        "fusion/preview.py",
        "fusion/score_maps.py",
        "fusion/slice_tensors.py",
        "fusion/stack.py",
        "fusion/volume_pass.py",
        "fusion/volume_statistics.py",
        "fusion/workers.py",
    },
    "pywt": set(),
    "matplotlib": {"cli"},
    "highdicom": {"dicom"},
}


def file_level_imports(path: Path) -> list[str]:
    """Top names of what is imported when the file is; not inside functions or TYPE_CHECKING."""
    found: list[str] = []

    def visit(body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.Import):
                found.extend(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.append(node.module.split(".")[0])
            elif isinstance(node, ast.If):
                if "TYPE_CHECKING" not in ast.unparse(node.test):
                    visit(node.body)
                visit(node.orelse)
            elif isinstance(node, ast.ClassDef | ast.With):
                visit(node.body)
            elif isinstance(node, ast.Try):
                visit([*node.body, *node.orelse, *node.finalbody])
                for handler in node.handlers:
                    visit(handler.body)

    visit(ast.parse(path.read_text(encoding="utf-8")).body)
    return found


@pytest.mark.parametrize("library", AT_FILE_LEVEL)
def test_heavy_libraries_are_imported_at_file_level_in_few_places(library):
    allowed = AT_FILE_LEVEL[library]
    offenders = [
        name
        for path in sorted(PACKAGE.rglob("*.py"))
        if library in file_level_imports(path)
        and not {(name := path.relative_to(PACKAGE).as_posix()), name.split("/")[0]} & allowed
    ]
    assert offenders == []


def test_the_check_sees_what_it_is_meant_to_see(tmp_path):
    file = tmp_path / "sample.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import hidden\nelse:\n    import shown\n"
        "try:\n    import tried\nexcept ImportError:\n    from other.part import thing\n"
        "def late():\n    import later\n"
        "from .near import it\n"
    )
    assert file_level_imports(file) == ["typing", "shown", "tried", "other"]


def run_without(libraries: list[str], program: str) -> subprocess.CompletedProcess[str]:
    """Run a program for which ``libraries`` are not installed."""
    block = f"import sys\nfor name in {libraries!r}: sys.modules[name] = None\n"
    return subprocess.run(
        [sys.executable, "-c", block + program],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )


def test_fusion_prepares_and_shows_without_torch_pywt_and_matplotlib():
    done = run_without(
        ["torch", "pywt", "matplotlib", "highdicom", "scipy"],
        """
import numpy as np
import WDualMineLib
from WDualMineLib import Result, FusionSettings, Geometry, Volume, WDualMineError, fuse
from WDualMineLib.fusion import slices
from WDualMineLib.pipeline import result
from WDualMineLib.pipeline.pair import prepare

grid = Geometry((9, 8, 7), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
ct, mr = (Volume(x, grid, "scan") for x in np.random.default_rng(0).random((2, *grid.array_shape)))
settings = FusionSettings(colour="PET-Heat")
pair = prepare(ct, mr, settings)
output = result.NetworkOutput(pair.fixed - pair.moving, pair.fixed, pair.moving,
                              slices.Slicing.of(grid, "axial"))
fused = result.assemble(pair, output, settings).with_look(strength=0.5)
assert fused.measures["floor_met"]
try:
    fuse(ct, mr)
except WDualMineError as error:
    print(error)
""",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "torch is not installed. Install torch and try again."


def test_importing_the_package_loads_neither_numpy_nor_anything_heavier():
    done = run_without(
        [],
        "before = set(sys.modules)\nimport WDualMineLib\n"
        "print({'numpy', 'SimpleITK', 'torch', 'pywt', 'matplotlib'} & set(sys.modules) - before)",
    )
    assert done.stdout.strip() == "set()", done.stderr
