"""The 3-D view, regions, slabs, the divider, a prior study and colour bars, in Chromium."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[web]'")
pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

from PIL import Image
from WDualMineLib.fusion.colour import PET_HEAT, colour_table
from WDualMineLib.web.prior import UNKNOWN_FRAME, BesidePrior
from WDualMineLib.web.study import describe, study_of

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Only:
    """A catalogue of one study."""

    fusing = None

    def __init__(self, study) -> None:
        self.study = study

    def rows(self):
        return []

    def open(self, _number):
        return self.study, describe(self.study)


@pytest.fixture
def beside(fused, folder, sources):
    """A study whose prior one is half as bright in the moving volume."""
    result, fixed, moving = fused
    darker = replace(moving, array=np.where(moving.array > -900, moving.array / 2, moving.array))
    return BesidePrior(
        Only(study_of(result, fixed, moving, anonymise=False)),
        Only(study_of(result, fixed, darker, anonymise=False)),
    )


def at(viewer, pane: int, point) -> tuple[float, float]:
    """Where a point (RAS) lies, in pixels of the page."""
    x, y = viewer.page.evaluate(
        "([n, point]) => workbench.panes[n].onScreen(point)", [pane, list(point)]
    )
    left, top, *_ = viewer.box(pane)
    return left + x, top + y


# The 3-D view


def test_three_planes_and_3d_show_the_arrays(serve, view, fused) -> None:
    viewer = view(f"{serve().url}#layout=four&base=moving&style=maximum&flagged=0").settled()
    assert viewer.page.locator(".pane").count() == 4
    shown = viewer.pixels(3).astype(float)
    moving = fused[2]
    _, _, width, height = viewer.box(3)
    for ijk in ((20, 24, 18), (14, 30, 12), (26, 20, 24)):
        r, _, s = (moving.geometry.ijk_to_lps @ [*ijk, 1])[:3] * [-1, -1, 1]
        study = viewer.page.evaluate("() => workbench.study")
        scale = study["field"] / min(width, height)  # mm for each pixel of the page
        x = (width / 2 - (r - study["centre"][0]) / scale) * shown.shape[1] / width
        y = (height / 2 - (s - study["centre"][2]) / scale) * shown.shape[0] / height
        expected = 255 * (moving.array[ijk[2], :, ijk[0]].max() + 20) / 120
        assert shown[round(y), round(x)] == pytest.approx(3 * [expected], abs=10)


def test_it_turns_by_mouse_keys_and_touch_and_is_exact_at_rest(serve, view) -> None:
    viewer = view(f"{serve().url}#layout=four", **PHONE).settled()
    first = viewer.pixels(3)
    viewer.page.locator(".picture").nth(3).focus()
    viewer.page.keyboard.press("3")
    viewer.settled()
    assert viewer.view()["turned"] == [90, 0]
    for key in ("ArrowRight", "ArrowDown"):
        viewer.page.keyboard.press(key)
    viewer.settled()
    assert viewer.view()["turned"] == [100, 10]
    caption = viewer.page.locator(".caption").nth(3)
    assert "100° around, 10° above" in caption.inner_text()
    assert np.abs(viewer.pixels(3).astype(int) - first).max() > 30
    x, y, w, h = viewer.box(3)
    middle = (x + w / 2, y + h / 2)
    viewer.fingers([middle], [(middle[0] + 20, middle[1])], [(middle[0] + 40, middle[1] - 20)])
    assert viewer.view()["turned"] == pytest.approx([120, 0], abs=0.6)
    spread = [[(middle[0] - d, middle[1]), (middle[0] + d, middle[1])] for d in (10, 20, 30)]
    viewer.fingers(*spread)
    assert viewer.view()["near"] == pytest.approx(3, rel=0.1)
    viewer.page.keyboard.press("Home")
    viewer.settled()
    assert viewer.view()["turned"] == [0, 0]
    # What was turned while it moved is drawn again with all rays.
    assert viewer.pixels(3).shape[1] > 120


def test_a_click_brings_the_cross_to_what_is_seen(serve, view, fused) -> None:
    viewer = view(f"{serve().url}#layout=four&base=fixed&level=0.3&turned=90,0").settled()
    x, y, w, h = viewer.box(3)
    before = viewer.view()["pos"]
    viewer.page.mouse.click(x + w / 2 + 20, y + h / 2 - 15)
    viewer.until(lambda: viewer.view()["pos"] != before)
    viewer.settled()
    grid = fused[0].fused.geometry
    k, j, i = viewer.voxel_under_the_cross(grid)
    column = fused[1].array[k, j]
    first = int(np.argmax(column >= 0.3 * 600))  # from the right, which is where I begins
    assert abs(i - first) <= 1
    scale = viewer.page.evaluate("() => workbench.panes[3].scale")
    _, a, s = np.array(viewer.view()["pos"]) - viewer.page.evaluate("() => workbench.study.centre")
    assert (a, s) == pytest.approx((20 * scale, 15 * scale), abs=0.6)
    spot = viewer.page.locator(".spot").bounding_box()
    assert spot["x"] + spot["width"] / 2 == pytest.approx(x + w / 2 + 20, abs=1.5)
    kept = viewer.view()["pos"]
    viewer.page.mouse.click(x + 8, y + h - 8)  # air
    viewer.page.wait_for_timeout(300)
    assert viewer.view()["pos"] == kept


def test_it_is_only_rendered_while_it_is_seen(serve, view) -> None:
    viewer = view(serve().url).settled()
    asked = """() => { const sent = []; const send = workbench.send;
        workbench.send = message => { sent.push(message.type); return send(message); };
        globalThis.sent = sent; }"""
    viewer.page.evaluate(asked)
    viewer.page.evaluate("() => workbench.panes[0].scroll(1)")
    viewer.settled()
    assert "volume" not in viewer.page.evaluate("() => sent")
    viewer.set("layout", "four")
    count = viewer.page.evaluate("() => sent.filter(type => type === 'volume').length")
    assert count == 1
    viewer.page.evaluate("() => workbench.panes[0].scroll(1)")  # it shows the same as before
    viewer.settled()
    assert viewer.page.evaluate("() => sent.filter(type => type === 'volume').length") == 1
    # Scrolled out of sight, as on a phone.
    viewer.page.evaluate("() => { workbench.panes[3].element.style.display = 'none'; }")
    viewer.page.wait_for_timeout(300)
    viewer.page.evaluate("() => workbench.panes[3].turn(5, 0)")
    viewer.page.wait_for_timeout(500)
    assert viewer.page.evaluate("() => sent.filter(type => type === 'volume').length") == 1


def test_the_surface_and_faults_are_switched(serve, view) -> None:
    viewer = view(f"{serve().url}#layout=four&flagged=0").settled()
    plain = viewer.pixels(3).astype(int)
    viewer.page.check("#flagged")
    viewer.settled()
    flagged = viewer.pixels(3).astype(int)
    cyan = (flagged[..., 2] - flagged[..., 0]) > 60
    assert np.ptp(plain, axis=2).max() == 0 and 20 < cyan.sum() < cyan.size / 4
    assert "Suspected faults" in viewer.page.locator("#legend").inner_text()
    viewer.set("level", 0.6)
    assert (viewer.pixels(3).max(axis=2) > 0).sum() < (flagged.max(axis=2) > 0).sum()
    viewer.set("style", "maximum")
    assert not viewer.page.locator("#level").is_visible()


# Regions


@pytest.mark.parametrize("shape", ["circle", "rectangle"])
def test_a_region_is_drawn_and_measured(serve, view, fused, shape: str) -> None:
    viewer = view(serve().url).settled()
    viewer.page.select_option("#drag", shape)
    grid = fused[0].fused.geometry
    k, _, _ = viewer.voxel_under_the_cross(grid)
    pos = viewer.view()["pos"]
    start = at(viewer, 0, pos)
    viewer.drag(start, (start[0] + 40, start[1] + 30))
    table = viewer.page.locator("#region-values")
    viewer.until(lambda: "HU" in table.inner_text())
    region = viewer.view()["region"]
    assert viewer.view()["windows"] == {} and region["shape"] == shape
    lps = np.array(region["centre"]) * [-1, -1, 1]
    ci, cj, _ = (np.linalg.inv(grid.ijk_to_lps) @ [*lps, 1])[:3]
    x, y = np.meshgrid(
        np.abs(np.arange(grid.size[0]) - ci) * grid.spacing[0] / region["half"][0],
        np.abs(np.arange(grid.size[1]) - cj) * grid.spacing[1] / region["half"][1],
    )
    inside = (x**2 + y**2 <= 1) if shape == "circle" else np.maximum(x, y) <= 1
    values = fused[2].array[k][inside].astype(float)
    said = table.inner_text()
    assert len(values) > 20 and f"{len(values)} voxels" in said
    assert f"{values.mean():.4g} ± {values.std(ddof=1):.3g} HU" in said
    left, top, width, height = viewer.page.locator(".region").first.bounding_box().values()
    scale = viewer.page.evaluate("() => workbench.panes[0].scale")
    assert (width, height) == pytest.approx([2 * mm / scale for mm in region["half"]], abs=1)
    assert (left + width / 2, top + height / 2) == pytest.approx(
        at(viewer, 0, region["centre"]), abs=1
    )


def test_keys_place_and_size_a_region_and_buttons_remove_it(serve, view) -> None:
    viewer = view(f"{serve().url}#layout=four").settled()
    viewer.page.locator(".picture").nth(1).focus()
    viewer.page.keyboard.press("c")
    viewer.settled()
    region = viewer.view()["region"]
    assert region["plane"] == "coronal" and region["half"] == [10, 10]
    assert region["centre"] == viewer.view()["pos"]
    assert viewer.page.locator(".region:visible").count() == 1
    viewer.page.keyboard.press("]")
    assert viewer.view()["region"]["half"] == [12.5, 12.5]
    viewer.until(lambda: "25.0 mm" in viewer.page.locator("#region-words").inner_text())
    words = viewer.page.locator("#region-values").inner_text()
    viewer.page.keyboard.press("ArrowUp")  # it stays on its slice
    viewer.settled()
    assert viewer.page.locator('.region[data-elsewhere="true"]:visible').count() == 1
    assert viewer.page.locator("#region-values").inner_text() == words
    viewer.page.keyboard.press("r")
    viewer.settled()
    assert viewer.view()["region"]["shape"] == "rectangle"
    viewer.until(lambda: "Rectangle" in viewer.page.locator("#region-words").inner_text())
    viewer.page.click("#region-smaller")
    assert viewer.view()["region"]["half"] == [10, 10]
    viewer.page.click("#region-remove")
    viewer.settled()
    assert not viewer.page.locator("#region").is_visible()
    assert viewer.page.locator(".region:visible").count() == 0


def test_a_finger_draws_a_region_and_a_link_keeps_it(serve, view) -> None:
    running = serve()
    viewer = view(running.url, **PHONE).settled()
    viewer.page.select_option("#drag", "circle")
    x, y, w, h = viewer.box(0)
    viewer.page.evaluate("() => scrollTo(0, 0)")
    middle = (x + w / 2, y + h / 2)
    viewer.fingers([middle], [(middle[0] + 15, middle[1])], [(middle[0] + 30, middle[1])])
    region = viewer.view()["region"]
    scale = viewer.page.evaluate("() => workbench.panes[0].scale")
    assert region["half"][0] == pytest.approx(30 * scale, rel=0.05)
    viewer.until(lambda: "region=" in viewer.page.url)
    again = view(f"{running.url}#{viewer.page.url.split('#')[1]}").settled()
    assert again.view()["region"]["half"] == pytest.approx(region["half"], abs=0.01)
    again.until(lambda: "HU" in again.page.locator("#region-values").inner_text())


# The divider, and slabs


def test_the_divider_is_drawn_by_mouse_keys_and_touch(serve, view) -> None:
    viewer = view(f"{serve().url}#layout=curtain", **PHONE).settled()
    before = viewer.view()
    x, y, w, h = viewer.box(0)
    viewer.drag((x + w / 2, y + h / 3), (x + w / 4, y + h / 3))
    assert viewer.view()["split"] == pytest.approx(0.25, abs=0.01)
    viewer.fingers([(x + w / 4, y + h / 2)], [(x + w / 2, y + h / 2)], [(x + 0.75 * w, y + h / 2)])
    assert viewer.view()["split"] == pytest.approx(0.75, abs=0.01)
    divider = viewer.page.locator(".divider").first
    divider.focus()
    viewer.page.keyboard.press("ArrowLeft")
    viewer.page.keyboard.press("PageDown")
    viewer.settled()
    assert viewer.view()["split"] == pytest.approx(0.63, abs=0.01)
    assert divider.get_attribute("aria-valuenow") == "63"
    assert float(viewer.page.locator("#split").input_value()) == pytest.approx(0.63, abs=0.01)
    # Neither scrolled nor windowed by it.
    assert viewer.view()["pos"] == before["pos"] and viewer.view()["windows"] == {}
    viewer.page.keyboard.press("End")
    viewer.settled()
    only_fixed = viewer.pixels()
    viewer.page.keyboard.press("Home")
    viewer.settled()
    assert np.abs(only_fixed.astype(int) - viewer.pixels()).max() > 30


def test_a_slab_is_seen_and_said(serve, view, fused) -> None:
    viewer = view(f"{serve().url}#base=moving").settled()
    viewer.close_up()
    k, j, i = viewer.voxel_under_the_cross(fused[2].geometry)
    assert not viewer.page.locator("#slabKind").is_visible()
    viewer.set("slab", 16)
    for kind, taken in (("maximum", np.max), ("mean", np.mean), ("minimum", np.min)):
        viewer.set("slabKind", kind)
        expected = taken(fused[2].array[k - 3 : k + 4, j, i])  # 2.5 mm each
        shown = 255 * np.clip((expected + 20) / 120, 0, 1)
        assert viewer.at_cross() == pytest.approx(3 * [shown], abs=5)
        assert f"{kind} of 16 mm" in viewer.page.locator(".caption").first.inner_text()


# A prior study


def test_a_prior_study_is_shown_beside_at_the_same_place(serve, view, beside, fused) -> None:
    viewer = view(f"{serve(beside).url}#layout=prior&base=moving").settled()
    assert viewer.page.locator(".pane").count() == 2
    assert viewer.page.locator("#prior-warning").inner_text() == UNKNOWN_FRAME
    viewer.page.locator(".picture").first.focus()
    viewer.page.keyboard.press("PageUp")
    viewer.settled()
    viewer.close_up()
    k, j, i = viewer.voxel_under_the_cross(fused[2].geometry)
    value = float(fused[2].array[k, j, i])
    for pane, seen in ((0, value), (1, value / 2)):
        expected = 255 * np.clip((seen + 20) / 120, 0, 1)  # in one window: both are HU
        assert viewer.at_cross(pane) == pytest.approx(3 * [expected], abs=5)
    viewer.page.evaluate("() => workbench.probe(workbench.view.pos)")
    words = viewer.page.locator("#values")
    viewer.until(lambda: f"{value / 2:.4g} HU" in words.inner_text())
    assert "Prior: Moving (Doe_ct)" in words.inner_text()
    viewer.page.evaluate("() => workbench.region.place(workbench.panes[1], 'circle')")
    viewer.settled()
    region = viewer.page.locator("#region-values")
    viewer.until(lambda: "Prior: Moving (Doe_ct)" in region.inner_text())
    assert viewer.page.locator(".region:visible").count() == 2
    viewer.page.click("#reset")
    viewer.settled()
    viewer.page.select_option("#drag", "window")
    x, y, w, h = viewer.box(1)
    viewer.set("base", "moving")
    viewer.drag((x + w / 2, y + h / 2), (x + w / 2 + 60, y + h / 2))
    low, high = viewer.view()["windows"]["moving"]
    assert high - low == pytest.approx(120 * 1.2, rel=0.02)
    viewer.set("layout", "planes")
    assert not viewer.page.locator("#prior-warning").is_visible()


def test_without_a_prior_study_the_layout_is_not_offered(serve, view) -> None:
    viewer = view(f"{serve().url}#layout=prior").settled()
    assert viewer.view()["layout"] == "planes"
    assert viewer.page.locator('#layout option[value="prior"]').is_disabled()


# Colours, and everything for everybody


def test_uptake_has_a_colour_bar_in_its_units(serve, view, fused) -> None:
    result, fixed, moving = fused
    window = replace(result.record.moving.window, name="pet", units="SUV", low=0.0, high=50.0)
    record = replace(result.record, moving=replace(result.record.moving, window=window))
    study = study_of(
        replace(result, record=record), fixed, replace(moving, modality="PT"), anonymise=False
    )
    viewer = view(f"{serve(Only(study)).url}#base=moving").settled()
    legend = viewer.page.locator("#legend figure")
    assert legend.count() == 1
    assert legend.inner_text().split("\n")[0] == "Moving: Doe_ct (SUV)"
    assert "0 SUV" in legend.inner_text() and "50 SUV" in legend.inner_text()
    colours = viewer.page.evaluate(
        """() => { const c = document.querySelector("#legend canvas");
        return [0, 0.5, 1].map(x => [...c.getContext("2d")
        .getImageData(x * (c.width - 1), 5, 1, 1).data].slice(0, 3)); }"""
    )
    table = 255 * colour_table(PET_HEAT)
    for found, place in zip(colours, (0, len(table) // 2, -1), strict=True):
        assert found == pytest.approx(table[place][:3], abs=8)
    # It follows the window, and a second bar that of a map.
    viewer.page.evaluate(
        "() => { workbench.view.windows.moving = [5, 20]; workbench.changed(false); }"
    )
    viewer.settled()
    assert "5 SUV" in legend.first.inner_text() and "20 SUV" in legend.first.inner_text()
    viewer.set("over", "arbitration")
    assert legend.count() == 2
    viewer.set("layout", "side")
    assert "Moving: Doe_ct" in legend.first.inner_text()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("layout", ["four", "side", "curtain", "prior"])
def test_every_layout_fits_and_is_named(serve, view, beside, layout: str, scheme: str) -> None:
    running = serve(beside)
    for size in ((390, 844), (1280, 720)):
        viewer = view(
            f"{running.url}#layout={layout}&slab=10&over=arbitration&region=circle,axial,0,0,0,20,20",
            viewport=dict(zip(("width", "height"), size, strict=True)),
            color_scheme=scheme,
        ).settled()
        unnamed, wide, pale = viewer.page.evaluate(
            """() => {
            const seen = [...document.querySelectorAll("input, select, button, [tabindex]")]
              .filter(e => e.offsetParent);
            const named = e => e.labels?.[0]?.innerText || e.ariaLabel || e.innerText;
            const light = text => {
              const [r, g, b] = text.match(/[0-9.]+/g).map(x => {
                const c = x / 255;
                return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
              });
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = light(getComputedStyle(document.querySelector("aside")).backgroundColor);
            const words = "aside label, aside p, aside td, aside small";
            const pale = [...document.querySelectorAll(words)]
              .filter(e => e.offsetParent).filter(e => {
                const ink = light(getComputedStyle(e).color);
                const [a, b] = [ink, ground].sort((x, y) => y - x);
                return (a + 0.05) / (b + 0.05) < 4.5;
              });
            return [seen.filter(e => !named(e)).map(e => e.outerHTML),
              document.documentElement.scrollWidth - innerWidth, pale.map(e => e.outerHTML)];
            }"""
        )
        assert unnamed == [] and wide <= 0 and pale == []


def test_a_screenshot_has_bars_and_outlines(serve, view) -> None:
    place = "#over=arbitration&region=rectangle,axial,0,0,0,25,25"
    viewer = view(f"{serve().url}{place}").settled()
    viewer.page.evaluate(
        "() => { workbench.view.pos = [...workbench.study.centre]; workbench.changed(false); }"
    )
    viewer.settled()
    with viewer.page.expect_download() as download:
        viewer.page.click("#screenshot")
    picture = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    green = np.abs(picture - [0x7D, 0xFF, 0x9A]).max(axis=2) < 40
    assert green.sum() > 100
    bar = picture[-40:-20]
    assert (np.ptp(bar, axis=2) > 60).sum() > 200  # blue and red of the bar, on black and white
