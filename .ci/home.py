"""Give the repository its public home: python .ci/home.py OWNER/SlicerWDualMine [FOLDER]

The Extensions Index reads addresses as they stand in one line each, so that no variable can hold
the owner. This replaces it in the three files that name it, and in no other: CMakeLists.txt,
WDualMine.json and WDualMine.s4ext. FOLDER is the checkout, this one if it is left out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PLACEHOLDER = "WDualMine/SlicerWDualMine"
"""Owner and repository, as long as there is no home."""
FILES = ("CMakeLists.txt", "WDualMine.json", "WDualMine.s4ext")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/Slicer\w*WDualMine")
_ADDRESS = re.compile(
    r"(?<=https://github\.com/)[\w-]+/[\w-]*WDualMine\b|"
    r"(?<=https://raw\.githubusercontent\.com/)[\w-]+/[\w-]*WDualMine\b"
)


def named_in(root: Path) -> dict[str, set[str]]:
    """File to the owners and repositories that its addresses name."""
    texts = ((name, (root / name).read_text(encoding="utf-8")) for name in FILES)
    return {name: set(_ADDRESS.findall(text)) for name, text in texts}


def move(root: Path, home: str) -> None:
    """Let all addresses name ``home``; ValueError where that is no owner and repository."""
    if not _NAME.fullmatch(home):
        raise ValueError(
            f"{home!r} is not OWNER/Slicer...WDualMine, which the Extensions Index asks for"
        )
    for name in FILES:
        path = root / name
        text = _ADDRESS.sub(home, path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        move(Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[1], sys.argv[1])
    except ValueError as error:
        sys.exit(str(error))
