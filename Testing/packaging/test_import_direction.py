"""Imports point one way, and the heavy libraries stay out of the parts that Slicer loads first."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "WDualMine" / "WDualMineLib"
GROUND = {
    "background",
    "cores",
    "errors",
    "interpreter",
    "palettes",
    "progress",
    "resources",
    "stoppable",
    "version",
    "volumes",
}

# Part of the package: the other parts that it may import.
ALLOWED = {
    "__main__": {"cli"},
    "background": {"errors", "progress"},
    "cores": set(),
    "errors": set(),
    "interpreter": set(),
    "palettes": set(),
    "progress": set(),
    "stoppable": set(),
    "version": set(),
    "resources": {"errors"},
    "volumes": {"cores", "errors", "interpreter", "progress"},
    "samples": GROUND,
    "network": GROUND,
    "quality": GROUND,
    "registration": GROUND,
    "dicom": GROUND,
    "fusion": GROUND | {"network", "quality"},
    # The job is put together here, and nowhere above or below.
    "pipeline": GROUND | {"dicom", "fusion", "network", "quality", "registration"},
    "batch": GROUND | {"dicom", "fusion", "network", "pipeline", "quality", "registration"},
    "casereport": GROUND | {"fusion", "pipeline"},
    "lab": GROUND | {"fusion", "network", "pipeline", "quality", "registration", "samples"},
    "scene": GROUND
    | {"casereport", "dicom", "fusion", "network", "pipeline", "quality", "registration"},
    "web": GROUND | {"casereport", "fusion", "pipeline", "scene"},
    "gui": GROUND | {"dicom", "fusion", "pipeline", "quality", "registration", "samples", "scene"},
    "cli": GROUND
    | {
        "batch",
        "casereport",
        "dicom",
        "fusion",
        "lab",
        "network",
        "pipeline",
        "quality",
        "registration",
        "samples",
        "web",
    },
}
# The demo shows its result in a MRML scene where slicer-core is installed.
EXCEPTIONS = {("cli/demo_scene.py", "scene")}

# Library: the parts that may import it.
LIBRARIES = {
    "slicer": {"scene"},
    "vtk": {"scene"},
    "vtkmodules": {"scene"},
    "qt": {"gui"},
    "ctk": {"gui"},
}

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part a file belongs to: its folder, or its own name at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> list[tuple[str, ...]]:
    """Every module that a file imports, as name parts; relative names are made absolute."""
    here = ("WDualMineLib", *path.relative_to(PACKAGE).parent.parts)
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            found += [(*base, alias.name) for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        pytest.skip("the package itself names its public parts")
    name = path.relative_to(PACKAGE).as_posix()
    for module in imported_modules(path):
        if module[0] in LIBRARIES:
            assert part in LIBRARIES[module[0]], f"{name} imports {module[0]}"
        if module[0] == "WDualMineLib" and len(module) > 1 and module[1] != part:
            allowed = module[1] in ALLOWED[part] or (name, module[1]) in EXCEPTIONS
            assert allowed or module[1].startswith("__"), f"{name} imports {'.'.join(module)}"


def test_the_parts_that_slicer_loads_first_need_neither_torch_nor_pywt() -> None:
    """In Slicer both may still have to be installed when these parts are loaded."""
    parts = {"background", "cores", "errors", "pipeline", "progress", "quality", "registration"}
    parts.add("volumes")
    fusion = {f"fusion/{name}.py" for name in ("correlation", "intensity", "settings", "slices")}
    light = [
        ".".join(("WDualMineLib", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in FILES
        if part_of(path) in parts or path.relative_to(PACKAGE).as_posix() in fusion
    ]
    program = f"""
import importlib, importlib.util, sys
for name in ("torch", "pywt", "matplotlib", "highdicom", "scipy"):
    sys.modules[name] = None
for name in {light!r}:
    importlib.import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
