"""Draws the pictures of the Inspect layouts for the documentation, from real volumes.

    python Testing/scene/make_inspect_pictures.py FOLDER

Fetches the packaged sample volumes (see ``wdualmine demo``), fuses them, and renders the layers
that the Inspect buttons set, through MRML's own slice logic.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from WDualMineLib.casereport.columns import pictures_of
from WDualMineLib.casereport.content import words_of
from WDualMineLib.casereport.sheet import SIZE, draw
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.pipeline.result import Result
from WDualMineLib.progress import finish
from WDualMineLib.samples.catalogue import CT_BRAIN, MR_T1
from WDualMineLib.samples.download import fetch, load
from WDualMineLib.scene.application.choices import Map, Registration
from WDualMineLib.scene.application.scene_files import headless_scene
from WDualMineLib.scene.result.requests import SceneRequest
from WDualMineLib.scene.result.volume_nodes import add_volume
from WDualMineLib.scene.result.workflow import FusionWorkflow
from WDualMineLib.scene.views.inspection import COMPARISON, Inspection
from WDualMineLib.scene.views.rendering import slice_renderer, write_png

_VIEW = {"position": (0.0, -18.0, 12.0), "size": (300, 300), "field_of_view": 190.0}
_GAP = 6


def beside(pictures: list[np.ndarray]) -> np.ndarray:
    """The pictures in a row, with a gap."""
    gap = np.full((pictures[0].shape[0], _GAP, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(row, axis=1)


def main(folder: Path) -> None:
    with headless_scene() as scene:
        mr, ct = (load(s, p) for s, p in fetch((MR_T1, CT_BRAIN)).items())
        fixed, moving = add_volume(scene, mr), add_volume(scene, ct)
        settings = FusionSettings("mr", (0.0, 80.0), device="cpu", share=True)
        flow = FusionWorkflow(scene)
        request = SceneRequest(fixed, moving, settings, Registration.AFFINE)
        outcome = finish(flow.steps(request))
        if outcome.nodes is None:  # doubtful, which for two people's heads is right
            as_it_lies = SceneRequest(fixed, moving, settings, Registration.OFF)
            outcome = finish(flow.steps(as_it_lies))
        nodes, inspection = outcome.nodes, Inspection(scene)
        with slice_renderer(scene) as renderer:
            sources = [renderer.render(node, **_VIEW) for node in (fixed, moving, nodes.fused)]
            write_png(beside(sources), folder / "inspect-side-by-side.png")
            inspection.checkerboard(nodes, 6)
            comparison = scene.GetFirstNodeByName(COMPARISON)
            squares = renderer.render(comparison, **_VIEW)
            inspection.reveal(nodes, 0.5)
            write_png(
                beside([squares, renderer.render(comparison, **_VIEW)]),
                folder / "inspect-checkerboard-reveal.png",
            )
            overlays = []
            for which in (Map.RELIABILITY_FIXED, Map.ARBITRATION, Map.SHARE):
                inspection.map_overlay(nodes, which, 0.5, 0.6)
                over = nodes.parts[which.name.lower()]
                overlays.append(renderer.render(nodes.fused, foreground=over, opacity=0.6, **_VIEW))
            write_png(beside(overlays), folder / "inspect-map.png")
        write_page(outcome.result, folder / "case-page.png")


def write_page(result: Result, path: Path) -> None:
    """The page of the case at half its size, in the few colours that it has."""
    page = words_of(result)
    sheet = draw(page, *pictures_of(result, page.doubts))
    small = sheet.resize((SIZE[0] // 2, SIZE[1] // 2), Image.Resampling.LANCZOS)
    small.quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
