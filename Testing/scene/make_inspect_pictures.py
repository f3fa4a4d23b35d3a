"""Draws the pictures of the Inspect layouts for the documentation, from real volumes.

    python Testing/scene/make_inspect_pictures.py FOLDER

Fetches the packaged sample volumes (see ``wdualmine demo``), fuses them, and renders the layers
that the Inspect buttons set, through MRML's own slice logic. The maps come with their legends, and
of a CT with noise in a slab, so that there is a fault to be suspected.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import slicer
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.progress import finish
from WDualMineLib.samples.catalogue import CT_BRAIN, MR_T1
from WDualMineLib.samples.download import fetch, load
from WDualMineLib.scene.application.choices import Layers, Map, Registration
from WDualMineLib.scene.application.scene_files import headless_scene
from WDualMineLib.scene.result.requests import SceneRequest
from WDualMineLib.scene.result.volume_nodes import add_volume, update_volume
from WDualMineLib.scene.result.workflow import FusionWorkflow
from WDualMineLib.scene.views.inspection import COMPARISON, Inspection
from WDualMineLib.scene.views.rendering import slice_renderer, write_png
from WDualMineLib.volumes.volume import Volume

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gui"))
from stand_ins import layouts as views
from stand_ins.layouts import Layouts

_VIEW = {"position": (0.0, -18.0, 12.0), "size": (300, 300), "field_of_view": 190.0}
_OF_FAULT = 2.0  # mm; the slice of the maps
_GAP = 6
views.SIZE = (400, 400)


def beside(pictures: list[np.ndarray]) -> np.ndarray:
    """The pictures in a row, with a gap."""
    gap = np.full((pictures[0].shape[0], _GAP, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(row, axis=1)


def with_a_fault(volume: Volume) -> Volume:
    """Noise in a slab, air included, as a failing detector leaves it."""
    array = volume.array.astype(np.float32)
    array[70:100] += np.random.default_rng(0).normal(0, 60, array[70:100].shape)
    return volume.with_array(array)


def main(folder: Path) -> None:
    mr, ct = (load(s, p) for s, p in fetch((MR_T1, CT_BRAIN)).items())
    settings = FusionSettings("mr", (0.0, 80.0), device="cpu", share=True)
    with headless_scene() as scene:
        pending: list = []
        layouts = Layouts(scene, pending.append, legends=True)
        slicer.app = layouts.application
        for act in pending:
            act()
        fixed, moving = add_volume(scene, mr), add_volume(scene, ct)
        flow, inspection = FusionWorkflow(scene), Inspection(scene)
        as_it_lies = SceneRequest(fixed, moving, settings, Registration.OFF)
        outcome = finish(flow.steps(SceneRequest(fixed, moving, settings, Registration.AFFINE)))
        if outcome.nodes is None:  # doubtful, which for two people's heads is right
            outcome = finish(flow.steps(as_it_lies))
        nodes = outcome.nodes
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
        update_volume(moving, with_a_fault(ct))
        nodes = finish(flow.steps(as_it_lies)).nodes
        inspection.usual(nodes, Layers.FUSED, 0.5)
        layouts.scroll("Red", _OF_FAULT)
        overlays = []
        for which in (Map.RELIABILITY_FIXED, Map.ARBITRATION, Map.SHARE):
            inspection.map_overlay(nodes, which, 0.55, 0.8)
            overlays.append(layouts.windows["Red"].picture())
        write_png(beside(overlays), folder / "inspect-map.png")
        layouts.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
