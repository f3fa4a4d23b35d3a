"""The pairs of the category WDualMine in Sample Data: known, with a picture each."""

from __future__ import annotations

from pathlib import Path

import slicer

from .bench import Bench

_CATEGORY = "WDualMine"


def known(bench: Bench) -> None:
    """Without the network: what Slicer was told of them, not what they hold."""
    sources = getattr(slicer.modules, "sampleDataSources", None)
    if sources is None:
        bench.checks.note("sample data were left out: there is no module Sample Data here")
        return
    found = sources.get(_CATEGORY, [])
    bench.checks.that(len(found) >= 2, "two pairs are offered as sample data", len(found))
    for source in found:
        picture = source.thumbnailFileName
        bench.checks.that(
            picture and Path(picture).is_file(), f"{source.sampleName} has a picture", picture
        )
