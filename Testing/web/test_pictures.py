"""What is rendered and read out is what the arrays hold."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

import slicer
from PIL import Image
from WDualMineLib.errors import InputError
from WDualMineLib.palettes import ARBITRATION
from WDualMineLib.scene.views.served_slices import served_slices
from WDualMineLib.web.frame_request import FrameRequest
from WDualMineLib.web.pictures import Pictures, checkerboard, encoded
from WDualMineLib.web.planes import PLANES, describe, to_ras
from WDualMineLib.web.readout import read_out
from WDualMineLib.web.study import Study, fused_of

VOXELS = [(20, 24, 18), (12, 30, 10), (25, 20, 25)]


def request(study: Study, ijk, **changes) -> FrameRequest:
    """A picture of a tenth of a millimetre a pixel, with a voxel in its middle."""
    lps = study.result.fused.geometry.ijk_to_lps @ [*ijk, 1]
    told = {"pane": "a", "number": 1, "plane": "axial", "base": "fused", "size": [32, 32]}
    told |= {"centre": to_ras(lps[:3]), "field": 3.2}
    return FrameRequest.of(told | changes)


def middle(picture: np.ndarray) -> np.ndarray:
    """Mean colour of the four pixels in the middle."""
    h, w = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[h - 1 : h + 1, w - 1 : w + 1].reshape(-1, 3).mean(axis=0)


def grey(value: float, low: float, high: float) -> float:
    return float(255 * np.clip((value - low) / (high - low), 0, 1))


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("ijk", VOXELS)
def test_every_layer_is_the_array(study, pictures, plane: str, ijk) -> None:
    i, j, k = ijk
    for name, volume, window in (
        ("fused", study.result.fused, (0, 1)),
        ("fixed", study.fixed, (0, 600)),
        ("moving", study.moving, (-20, 100)),
    ):
        shown = middle(pictures.render(request(study, ijk, plane=plane, base=name)))
        assert shown == pytest.approx(3 * [grey(volume.array[k, j, i], *window)], abs=4), name


def test_a_window_is_the_one_that_is_asked_for(study, pictures) -> None:
    i, j, k = VOXELS[0]
    asked = request(study, VOXELS[0], base="fixed", windows={"fixed": [100, 2000]})
    expected = grey(study.fixed.array[k, j, i], 100, 2000)
    assert middle(pictures.render(asked)) == pytest.approx(3 * [expected], abs=4)
    # and the next viewer sees its own
    plain = middle(pictures.render(request(study, VOXELS[0], base="fixed")))
    assert plain == pytest.approx(3 * [grey(study.fixed.array[k, j, i], 0, 600)], abs=4)


def test_a_map_over_the_fused_volume_and_its_threshold(study, pictures) -> None:
    i, j, k = VOXELS[0]
    value = float(study.result.arbitration.array[k, j, i])
    bare = middle(pictures.render(request(study, VOXELS[0])))
    over = {"over": "arbitration", "opacity": 1}
    shown = middle(pictures.render(request(study, VOXELS[0], **over, **{"from": value - 0.05})))
    assert shown == pytest.approx(ARBITRATION[round(255 * value)], abs=6)
    hidden = middle(pictures.render(request(study, VOXELS[0], **over, **{"from": value + 0.05})))
    assert hidden == pytest.approx(bare, abs=1)
    half = request(study, VOXELS[0], over="arbitration", opacity=0.5, **{"from": 0})
    assert middle(pictures.render(half)) == pytest.approx((shown + bare) / 2, abs=4)


def test_strength_and_floor_act_as_they_do_in_the_result(study, pictures) -> None:
    i, j, k = VOXELS[1]
    for strength, floor in ((0.0, 0.985), (2.0, 0.9), (1.0, 0.985)):
        asked = request(study, VOXELS[1], strength=strength, floor=floor)
        look = asked.look(study.own_look)
        volume = fused_of(study, look)
        expected = study.result.with_look(strength, floor).fused.array
        np.testing.assert_array_equal(volume.array, expected)
        given = None if look == study.own_look else volume
        shown = middle(pictures.render(asked, given))
        assert shown == pytest.approx(3 * [grey(expected[k, j, i], 0, 1)], abs=4)


def test_checkerboard_and_curtain_show_both_sources(study, pictures) -> None:
    wide = {"size": [96, 64], "field": 90.0}
    fixed, moving = (
        pictures.render(request(study, VOXELS[0], base=name, **wide))
        for name in ("fixed", "moving")
    )
    cut = pictures.render(request(study, VOXELS[0], mode="curtain", split=0.25, **wide))
    np.testing.assert_array_equal(cut[:, :24], fixed[:, :24])
    np.testing.assert_array_equal(cut[:, 24:], moving[:, 24:])
    asked = request(study, VOXELS[0], mode="checkerboard", squares=4, **wide)
    first = checkerboard(asked)
    assert first[0, 0] and not first[0, 16] and first[16, 16]
    board = pictures.render(asked)
    np.testing.assert_array_equal(board, np.where(first[..., None], fixed, moving))


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(
    ("kind", "taken"), [("maximum", np.max), ("mean", np.mean), ("minimum", np.min)]
)
def test_a_slab_takes_the_slices_around_together(study, pictures, plane, kind, taken) -> None:
    i, j, k = VOXELS[2]
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    base, window = ("moving", (-20, 100)) if plane == "axial" else ("fixed", (0, 600))
    volume = study.sources[base]
    spacing = volume.geometry.spacing[2 - axis]
    around = [slice(n, n + 1) for n in (k, j, i)]
    around[axis] = slice((k, j, i)[axis] - 3, (k, j, i)[axis] + 4)
    expected, alone = taken(volume.array[tuple(around)]), volume.array[k, j, i]
    if kind != "mean":
        assert abs(expected - alone) > 5
    same = {"plane": plane, "base": base}
    for beyond in (0.1, spacing):  # mm: what lies there is not taken in
        thick = request(study, VOXELS[2], slab=6 * spacing + beyond, slab_kind=kind, **same)
        assert middle(pictures.render(thick)) == pytest.approx(3 * [grey(expected, *window)], abs=4)
    thin = request(study, VOXELS[2], **same)
    assert middle(pictures.render(thin)) == pytest.approx(3 * [grey(alone, *window)], abs=4)


@pytest.mark.parametrize("slab", [4.0, 40.0])
@pytest.mark.parametrize("opacity", [0.0, 0.5, 1.0])
def test_opacity_does_not_depend_on_how_thick_a_slab_is(study, pictures, slab, opacity) -> None:
    i, j, k = VOXELS[0]
    value = float(study.result.arbitration.array[k, j, i])
    place = {"slab": slab, "slab_kind": "mean"}
    bare = middle(pictures.render(request(study, VOXELS[0], **place)))
    over = {"over": "arbitration", "opacity": opacity, "from": 0}
    shown = middle(pictures.render(request(study, VOXELS[0], **place, **over)))
    colour = ARBITRATION[round(255 * value)].astype(float)
    assert shown == pytest.approx(opacity * colour + (1 - opacity) * bare, abs=5)


def test_where_there_is_nothing_to_fuse_nothing_was_decided(study, pictures) -> None:
    air = (2, 2, 2)
    assert study.result.fused.array[2, 2, 2] == 0
    over = {"over": "arbitration", "opacity": 1, "from": 0}
    assert middle(pictures.render(request(study, air, **over))) == pytest.approx([0, 0, 0])
    wide = {"size": [96, 96], "field": 100.0}
    shown = pictures.render(request(study, VOXELS[0], **over, **wide))
    assert (np.ptp(shown.astype(int), axis=2) > 8).any()


def test_what_was_seen_before_leaves_no_trace(study) -> None:
    random = np.random.default_rng(1)

    def some() -> FrameRequest:
        told = {
            "plane": random.choice(list(PLANES)),
            "base": random.choice(["fused", "fixed", "moving"]),
            "over": random.choice(["", "arbitration", "reliability_fixed", "fixed"]),
            "mode": random.choice(["layers", "layers", "curtain"]),
            "opacity": float(random.random()),
            "from": [None, 0.3][random.integers(2)],
            "slab": [0, 0, 8.0][random.integers(3)],
            "slab_kind": random.choice(["maximum", "mean"]),
            "windows": [{}, {"fixed": [50, 300]}][random.integers(2)],
            "field": float(random.choice([60.0, 80.0])),
        }
        plain = {key: x.item() if isinstance(x, np.generic) else x for key, x in told.items()}
        return request(study, VOXELS[random.integers(2)], **plain)

    asked = [some() for _ in range(60)]
    with served_slices() as slices:
        long_lived = Pictures(study, slices)
        seen = [long_lived.render(each) for each in asked]
    for each, before in list(zip(asked, seen, strict=True))[20::4]:
        with served_slices() as slices:
            np.testing.assert_array_equal(Pictures(study, slices).render(each), before)


def test_a_source_stays_while_a_divider_moves(study, pictures, monkeypatch) -> None:
    rendered = []
    inner = pictures._slices.render
    monkeypatch.setattr(
        pictures._slices, "render", lambda *given: rendered.append(given) or inner(*given)
    )
    wide = {"mode": "curtain", "size": [90, 60], "field": 91.0}
    first = pictures.render(request(study, VOXELS[0], split=0.3, **wide))
    second = pictures.render(request(study, VOXELS[0], split=0.7, **wide))
    assert len(rendered) == 2
    np.testing.assert_array_equal(first[:, 63:], second[:, 63:])
    assert np.abs(first[:, 27:63].astype(int) - second[:, 27:63]).max() > 20
    pictures.render(request(study, VOXELS[0], windows={"fixed": [0, 90]}, **wide))
    assert len(rendered) == 3  # the other one is still there


def test_the_moving_volume_lies_where_the_alignment_puts_it(shifted) -> None:
    study, moving = shifted
    i, j, k = 15, 24, 18
    expected = moving.array[k, j, i + 2]
    assert expected != moving.array[k, j, i]
    with served_slices() as slices:
        shown = Pictures(study, slices).render(request(study, (i, j, k), base="moving"))
    assert middle(shown) == pytest.approx(3 * [grey(expected, -20, 100)], abs=4)
    asked = request(study, (i, j, k))
    assert dict(read_out(study, asked.centre, study.own_look))["Moving (Doe_ct)"] == (
        f"{expected:.4g} HU"
    )


def test_the_read_out_has_all_values_with_units(study) -> None:
    i, j, k = VOXELS[2]
    said = dict(read_out(study, request(study, VOXELS[2]).centre, study.own_look))
    assert said["Fixed (Doe_mr)"] == f"{study.fixed.array[k, j, i]:.4g}"
    assert said["Moving (Doe_ct)"] == f"{study.moving.array[k, j, i]:.4g} HU"
    assert said["Fused"] == f"{study.result.fused.array[k, j, i]:.3f} (no unit)"
    assert said["Arbitration"] == f"{study.result.arbitration.array[k, j, i]:.3f} (no unit)"
    assert set(dict(read_out(study, (999.0, 0.0, 0.0), study.own_look)).values()) == {"outside"}


def test_the_planes_are_those_of_mrml(study) -> None:
    with served_slices() as slices:
        node = slices._scene.GetFirstNodeByClass("vtkMRMLSliceNode")
        for name, axes in PLANES.items():
            node.SetOrientation(name.capitalize())
            matrix = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
            np.testing.assert_allclose(matrix[:3, :3].T, axes, atol=1e-12)


def test_slices_lie_on_voxels(study) -> None:
    grid = study.result.fused.geometry
    told = describe(grid)
    for plane, axis in (("axial", 2), ("coronal", 1), ("sagittal", 0)):
        one = told["planes"][plane]
        assert (one["count"], one["step"]) == (grid.size[axis], grid.spacing[axis])
        along = np.dot(told["centre"], one["normal"])
        assert (along - one["first"]) / one["step"] == pytest.approx(
            (grid.size[axis] - 1) // 2, abs=1
        )
        assert ((along - one["first"]) / one["step"]) % 1 == pytest.approx(0, abs=1e-6)


def test_a_picture_at_rest_loses_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    exact = Image.open(io.BytesIO(encoded(picture, moving=False)))
    np.testing.assert_array_equal(np.asarray(exact), picture)


@pytest.mark.parametrize(
    "changes",
    [
        {"size": [10**9, 10**9]},
        {"size": [32]},
        {"size": "big"},
        {"plane": "../axial"},
        {"plane": ["axial"]},
        {"mode": "script"},
        {"field": 0},
        {"field": float("nan")},
        {"centre": [0, 0]},
        {"centre": [0, 0, float("inf")]},
        {"windows": {"fixed": [1, 1]}},
        {"windows": [1]},
        {"opacity": "1"},
        {"opacity": True},
        {"strength": 3},
        {"floor": -1},
        {"base": "x" * 99},
        {"number": 10**400},
        {"slab": -1},
        {"slab": 1e9},
        {"slab_kind": "sum"},
        {"which": "other"},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(study, changes) -> None:
    with pytest.raises(InputError, match="asks for no picture"):
        request(study, VOXELS[0], **changes)


@pytest.mark.parametrize("name", ["../fused", "", "__class__", "share"])
def test_a_volume_that_there_is_not_is_refused(study, pictures, name: str) -> None:
    with pytest.raises(InputError, match="no volume"):
        pictures.render(request(study, VOXELS[0], base=name))
