"""Draws the pictures of the workbench in a browser, from a result folder.

    python Testing/web/make_web_pictures.py RESULT SOURCES FOLDER

RESULT is what ``wdualmine demo`` leaves as ``ct-mr``, SOURCES the folder of what it was made of.
Needs Chromium and playwright.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measure_in_browser import main as visit
from PIL import Image

_SCREEN = 844  # pixels that a phone shows without scrolling

# As the documentation calls them: as the browser's visit does.
_NAMES = {"web-planes": "planes-1280", "web-curtain": "curtain-1280", "web-phone": "side-390"}


def main(result: Path, sources: Path, folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "WDualMineLib",
        "serve",
        str(result),
        "--sources",
        str(sources),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = re.search(r"Open (\S+)", server.stdout.readline())
            if said is None:
                raise SystemExit("the server did not say where it is")
            with tempfile.TemporaryDirectory() as scratch:
                visit(said[1], Path(scratch))
                for name, drawn in _NAMES.items():
                    with Image.open(Path(scratch, f"web-{drawn}.png")) as picture:
                        seen = picture.crop((0, 0, picture.width, min(picture.height, _SCREEN)))
                    seen.save(folder / f"{name}.png", optimize=True)
        finally:
            server.terminate()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
