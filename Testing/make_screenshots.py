"""Makes the pictures of the panel and of the Inspect layouts anew.

    python Testing/make_screenshots.py [FOLDER]

The panel's come from its tests, which click through it; the layouts' from real volumes, fused with
the weights that ship. FOLDER is Resources/Screenshots if it is left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTING = Path(__file__).resolve().parent
PANEL = (
    "test_case_page.py", "test_doubts.py", "test_module.py", "test_panel.py", "test_suggestion.py",
)  # fmt: skip


def main(folder: Path) -> int:
    environment = os.environ | {"WDUALMINE_SCREENSHOTS": str(folder)}
    tests = [str(TESTING / "gui" / name) for name in PANEL]
    layouts = str(TESTING / "scene" / "make_inspect_pictures.py")
    page = str(TESTING / "unit" / "casereport" / "make_case_page.py")
    for command in (
        ["-m", "pytest", "-q", *tests], [layouts, str(folder)], [page, str(folder)],
    ):  # fmt: skip
        done = subprocess.run([sys.executable, *command], env=environment, cwd=TESTING.parent)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    sys.exit(main((given or TESTING.parent / "Resources" / "Screenshots").resolve()))
