"""Makes the pictures of the documentation anew: ``make pictures [TO=FOLDER] [ONLY="PART ..."]``.

    python Testing/make_screenshots.py [FOLDER [PART ...]]

FOLDER is Resources/Screenshots if it is left out, and all parts are made. Each is one program; what
the weights that ship find is in all of them but *panel*, so that new weights want new pictures.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

_WIDTH = 1600  # of a picture that fills the page
TESTING = Path(__file__).resolve().parent
_PANEL = (
    "test_case_page.py", "test_doubts.py", "test_module.py", "test_panel.py", "test_suggestion.py",
)  # fmt: skip


def panel(folder: Path, _scratch: Path) -> None:
    """``panel-*.png``, from the tests that click through it."""
    tests = [str(TESTING / "gui" / name) for name in _PANEL]
    _run("-m", "pytest", "-q", *tests, WDUALMINE_SCREENSHOTS=str(folder))


def inspect(folder: Path, _scratch: Path) -> None:
    """``inspect-*.png``, from the packaged volumes."""
    _run(TESTING / "scene" / "make_inspect_pictures.py", folder)


def case(folder: Path, _scratch: Path) -> None:
    """``case-page.png``, from the packaged volumes."""
    _run(TESTING / "unit" / "casereport" / "make_case_page.py", folder)


def slices(folder: Path, scratch: Path) -> None:
    """``slices.png``, from the demo."""
    with Image.open(_demo(scratch) / "slices-ct-mr.png") as picture:
        size = (_WIDTH, round(picture.height * _WIDTH / picture.width))
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    small.save(folder / "slices.png", optimize=True)


def web(folder: Path, scratch: Path) -> None:
    """``web-*.png``, of the demo's result in Chromium."""
    demo = _demo(scratch)
    _run(TESTING / "web" / "make_web_pictures.py", demo / "ct-mr", demo / "sources", folder)


PARTS: dict[str, Callable[[Path, Path], None]] = {
    part.__name__: part for part in (panel, inspect, case, slices, web)
}


def main(folder: Path, parts: list[str]) -> None:
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        sys.exit(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for part in parts or PARTS:
            print(f"== {part}", flush=True)
            PARTS[part](folder, Path(scratch))


def _demo(scratch: Path) -> Path:
    made = scratch / "demo"
    if not made.exists():
        _run("-m", "WDualMineLib", "demo", "-o", made)
    return made


def _run(*command: str | Path, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, *map(str, command)], env=os.environ | environment, cwd=TESTING.parent
    )
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else TESTING.parent / "Resources" / "Screenshots"
    main(given.resolve(), sys.argv[2:])
