"""Draws the page of a case for the documentation, from packaged volumes.

    python Testing/unit/casereport/make_case_page.py FOLDER

The MR template and a PET that is simulated from its tissue maps, in which a few slices were lost.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from WDualMineLib.casereport.columns import pictures_of
from WDualMineLib.casereport.content import words_of
from WDualMineLib.casereport.sheet import SIZE, draw
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.pipeline.run import fuse
from WDualMineLib.samples.catalogue import GREY_MATTER, MR_T1, WHITE_MATTER
from WDualMineLib.samples.download import fetch, load
from WDualMineLib.samples.simulated_pet import simulate_fdg_pet

_LOST = slice(55, 58)


def main(folder: Path) -> None:
    wanted = fetch((MR_T1, GREY_MATTER, WHITE_MATTER))
    mr, grey, white = (load(sample, path) for sample, path in wanted.items())
    pet = simulate_fdg_pet(grey, white)
    lost = pet.array.copy()
    lost[_LOST] = 0
    settings = FusionSettings(moving_window="pet", colour="PET-Heat", device="cpu")
    result = fuse(mr, pet.with_array(lost), settings)
    page = words_of(result)
    sheet = draw(page, *pictures_of(result, page.doubts))
    # Half its size, in the few colours that it has.
    small = sheet.resize((SIZE[0] // 2, SIZE[1] // 2), Image.Resampling.LANCZOS)
    small.quantize(128).save(folder / "case-page.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
