"""The demo's results as a MRML scene and as pictures of its slice views (needs slicer-core)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import OutputError
from ..pipeline.result import Result
from ..scene.application.scene_files import headless_scene, load_scene, save_scene
from ..scene.result.node_placement import add_registration, mark
from ..scene.result.result_nodes import (
    FIXED_ROLE,
    MOVING_ROLE,
    FusionNodes,
    add_outputs,
    results_in,
)
from ..scene.result.volume_nodes import MODALITY, add_volume, volume_of
from ..scene.views import appearance
from ..scene.views.appearance import uptake_colours
from ..scene.views.rendering import ORIENTATIONS, SliceRenderer, slice_renderer
from ..volumes.volume import Volume
from .pictures.slice_figure import draw_slices

# Through the thalami and lateral ventricles of MNI space, where every modality shows something.
_POSITION_RAS = (14.0, -22.0, 12.0)
_FIELD_OF_VIEW_MM = 196.0
_PIXELS = (360, 360)


@dataclass(frozen=True)
class DemoPair:
    """One fused pair as the scene needs it.

    Attributes:
        name: of its files.
        fixed, moving: the sources, each on its own grid.
        result: of the fusion.
    """

    name: str
    fixed: Volume
    moving: Volume
    result: Result


def write_scene(pairs: list[DemoPair], folder: Path) -> list[Path]:
    """Build the scene of all ``pairs``, save it, load it again to check it, and draw its slices.

    Returns:
        The files written: ``scene.mrb`` and one ``slices-*.png`` a pair.

    Raises:
        OutputError: the folder cannot be written, or the saved scene holds something else.
        InputError: the saved scene does not load.
    """
    archive = folder / "scene.mrb"
    with headless_scene() as scene:
        _fill(scene, pairs)
        save_scene(scene, archive)
    pictures = [folder / f"slices-{pair.name}.png" for pair in pairs]
    with headless_scene() as scene:
        load_scene(scene, archive)
        loaded = results_in(scene)
        if len(loaded) != len(pairs) or not all(map(_is_as_saved, loaded, pairs)):
            raise OutputError(f"{archive} does not load as it was saved", "Run the demo again")
        with slice_renderer(scene) as renderer:
            for nodes, picture in zip(loaded, pictures, strict=True):
                titles, rows = _slices(renderer, nodes)
                draw_slices(titles, rows, picture)
    return [archive, *pictures]


def _fill(scene, pairs: list[DemoPair]) -> None:
    known: dict[str, Any] = {}
    for pair in pairs:
        for volume in (pair.fixed, pair.moving):
            if volume.name not in known:
                known[volume.name] = add_volume(scene, volume)
        fixed, moving = known[pair.fixed.name], known[pair.moving.name]
        alignment, record = pair.result.alignment, pair.result.record
        if alignment.transform is not None:
            name = f"{pair.moving.name} to {pair.fixed.name}"
            transform = add_registration(scene, alignment.transform, name)
            mark(transform, fixed, moving, alignment)
        for node, source in ((fixed, record.fixed), (moving, record.moving)):
            window = (source.window.low, source.window.high)
            is_uptake = node.GetAttribute(MODALITY) == "PT"
            table = uptake_colours(scene) if is_uptake else appearance.grey_colours(scene)
            appearance.show(node, window, table)
        add_outputs(scene, pair.result, fixed, moving)


def _is_as_saved(nodes: FusionNodes, pair: DemoPair) -> bool:
    wanted = pair.result.volumes
    loaded = {name: volume_of(node) for name, node in nodes.parts.items()}
    return loaded.keys() == wanted.keys() and all(
        np.array_equal(loaded[name].array, volume.array)
        and np.allclose(loaded[name].geometry.ijk_to_lps, volume.geometry.ijk_to_lps)
        for name, volume in wanted.items()
    )


def _slices(
    renderer: SliceRenderer, nodes: FusionNodes
) -> tuple[list[str], dict[str, list[np.ndarray]]]:
    """Titles of the columns, and the pictures of each orientation in their order."""
    fixed = nodes.fused.GetNodeReference(FIXED_ROLE)
    moving = nodes.fused.GetNodeReference(MOVING_ROLE)
    fused = nodes.colour or nodes.fused
    columns = {
        f"{fixed.GetName()}\n(fixed)": (fixed, None),
        f"{moving.GetName()}\n(moving)": (moving, None),
        "Fused\n": (fused, None),
        "Fused, and what is\nsuspected of a fault": (nodes.fused, nodes.reliability_fixed),
        "Arbitration\n": (nodes.arbitration, None),
    }
    rows = {
        orientation: [
            renderer.render(background, orientation, overlay, 1.0, _POSITION_RAS, _PIXELS,
                            _FIELD_OF_VIEW_MM)
            for background, overlay in columns.values()
        ]
        for orientation in ORIENTATIONS
    }  # fmt: skip
    return list(columns), rows
