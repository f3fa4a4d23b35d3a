"""Slice pictures, judged by what is seen where."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.pipeline.parts import ARBITRATION
from WDualMineLib.scene.result.node_placement import add_registration
from WDualMineLib.scene.result.volume_nodes import add_volume
from WDualMineLib.scene.views import appearance
from WDualMineLib.scene.views.rendering import slice_renderer

SIZE = 40
GRID = Geometry((SIZE,) * 3, (1.0,) * 3, (-19.5,) * 3, (1.0, 0, 0, 0, 1, 0, 0, 0, 1))


def ball(centre_lps: tuple[float, float, float], name: str = "ball") -> Volume:
    """1 within 5 mm of ``centre_lps``, else 0."""
    axes = [np.arange(SIZE) - 19.5] * 3
    z, y, x = np.meshgrid(*axes, indexing="ij")
    distance = np.sqrt(sum((a - c) ** 2 for a, c in zip((x, y, z), centre_lps, strict=True)))
    return Volume((distance < 5).astype(np.float32), GRID, name)


def bright_spot(picture: np.ndarray) -> tuple[float, float]:
    """Centre of the bright part as (x, y) in [-1, 1], right and up positive."""
    rows, columns = np.nonzero(picture.max(axis=2) > 127)
    height, width = picture.shape[:2]
    return (columns.mean() / width * 2 - 1, 1 - rows.mean() / height * 2)


@pytest.fixture
def shown(scene):
    """A ball to the patient's left, front and top, windowed."""
    node = add_volume(scene, ball((10.0, -8.0, 6.0)))
    appearance.show(node, (0.0, 1.0), appearance.grey_colours(scene))
    return node


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [("Axial", (10 / 20, 8 / 20)), ("Coronal", (10 / 20, 6 / 20)), ("Sagittal", (-8 / 20, 6 / 20))],
)
def test_the_patient_is_the_right_way_round(scene, shown, orientation, expected) -> None:
    """Left of the patient is right on the screen; front and top are up; sagittal faces left."""
    # The plane goes through the ball, the picture stays centred on the volume.
    through = {"Axial": (0, 0, 6.0), "Coronal": (0, 8.0, 0), "Sagittal": (-10.0, 0, 0)}
    with slice_renderer(scene) as renderer:
        picture = renderer.render(
            shown, orientation, position=through[orientation], size=(200, 200), field_of_view=40.0
        )
    assert picture.shape == (200, 200, 3) and picture.dtype == np.uint8
    assert bright_spot(picture) == pytest.approx(expected, abs=0.04)


def test_an_overlay_hides_what_is_below_its_threshold(scene, shown) -> None:
    other = add_volume(scene, ball((-10.0, 0.0, 6.0), "map"))
    appearance.show(other, (0.0, 1.0), appearance.part_colours(scene, ARBITRATION))
    appearance.show_only_between(other, 0.5, 1.0)
    with slice_renderer(scene) as renderer:
        view = {"position": (0, 0, 6.0), "size": (200, 200), "field_of_view": 40.0}
        under = renderer.render(shown, **view)
        picture = renderer.render(shown, foreground=other, opacity=1.0, **view)
        appearance.show_everywhere(other)
        covered = renderer.render(shown, foreground=other, opacity=1.0, **view)
    changed = (picture != under).any(axis=2)
    assert picture[100, 50] == pytest.approx([255, 173, 173], abs=3), "bright end of the table"
    assert not changed[:, 100:].any(), "the grey ball must stay as it was"
    assert covered[60, 150] == pytest.approx([158, 176, 255], abs=3), "its other end"


def test_a_registration_moves_the_moving_volume_onto_the_fixed_one(scene, shown) -> None:
    moving = add_volume(scene, ball((2.0, -4.0, 1.0), "moving"))
    appearance.show(moving, (0.0, 1.0), appearance.grey_colours(scene))
    # From fixed points to moving points, as a registration says it.
    transform = sitk.Euler3DTransform()
    transform.SetTranslation((-8.0, 4.0, -5.0))
    moving.SetAndObserveTransformNodeID(add_registration(scene, transform, "found").GetID())
    with slice_renderer(scene) as renderer:
        view = {"position": (0, 0, 6.0), "size": (200, 200), "field_of_view": 40.0}
        a, b = renderer.render(shown, **view), renderer.render(moving, **view)
    assert bright_spot(b) == pytest.approx(bright_spot(a), abs=0.02)


def test_rendering_leaves_the_scene_as_it_was(scene, shown) -> None:
    def names() -> list[str]:
        return [scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())]

    before = names()
    with slice_renderer(scene) as renderer:
        renderer.render(shown)
    assert names() == before
