"""The page in a real browser: Chromium, driven by Playwright; the viewer is in `conftest.py`."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[web]'")
pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")
from WDualMineLib.palettes import ARBITRATION
from WDualMineLib.pipeline.request import Request
from WDualMineLib.pipeline.sources import read
from WDualMineLib.progress import Progress
from WDualMineLib.web.catalogue import Folders, Fused
from WDualMineLib.web.fusing import Fusing, Order, request_steps
from WDualMineLib.web.study import describe, study_of


@pytest.fixture
def whole(fused):
    """A study whose look can be changed, as after a fusion."""

    class Whole:
        fusing = None

        def rows(self):
            return []

        def open(self, _number):
            study = study_of(*fused, anonymise=False)
            return study, describe(study)

    return Whole()


def test_it_opens_scrolls_and_shows_the_arrays(serve, view, fused) -> None:
    result = fused[0]
    viewer = view(serve().url).settled()
    assert "token" not in viewer.page.url
    assert viewer.page.locator("#title").inner_text() == "Fusion of Doe_mr and Doe_ct"
    before = viewer.page.locator(".caption").first.inner_text()
    viewer.page.locator(".picture").first.hover()
    for _ in range(3):
        viewer.page.mouse.wheel(0, -100)
    viewer.until(lambda: viewer.page.locator(".caption").first.inner_text() != before)
    viewer.settled()
    viewer.close_up()
    expected = 255 * float(result.fused.array[viewer.voxel_under_the_cross(result.fused.geometry)])
    for pane in range(3):
        assert viewer.at_cross(pane) == pytest.approx(3 * [expected], abs=5)


def test_every_control_acts(serve, view, whole, fused) -> None:
    result, fixed, moving = fused
    viewer = view(serve(whole).url).settled()
    viewer.close_up()
    k, j, i = viewer.voxel_under_the_cross(result.fused.geometry)

    def shown(value: float, low: float = 0, high: float = 1) -> object:
        return pytest.approx(3 * [255 * np.clip((value - low) / (high - low), 0, 1)], abs=5)

    viewer.set("base", "fixed")
    assert viewer.at_cross() == shown(fixed.array[k, j, i], 0, 600)
    viewer.set("base", "moving")
    assert viewer.at_cross() == shown(moving.array[k, j, i], -20, 100)
    viewer.set("base", "fused")
    for strength in (0.0, 2.0):
        viewer.set("strength", strength)
        expected = result.with_look(strength, 0.985).fused.array[k, j, i]
        assert viewer.at_cross() == shown(expected)
    viewer.set("floor", 0.999)
    assert viewer.at_cross() == shown(result.with_look(2.0, 0.999).fused.array[k, j, i])
    viewer.set("over", "arbitration")
    viewer.set("opacity", 1.0)
    assert viewer.page.locator("#legend").is_visible()
    value = float(result.arbitration.array[k, j, i])
    viewer.set("from", max(0.0, round(value - 0.1, 2)))
    assert viewer.at_cross() == pytest.approx(ARBITRATION[round(255 * value)], abs=6)
    viewer.set("from", round(value + 0.1, 2))
    assert np.ptp(viewer.at_cross()) == 0
    viewer.set("layout", "curtain")
    viewer.close_up()
    viewer.set("split", 1.0)
    assert viewer.at_cross() == shown(fixed.array[k, j, i], 0, 600)
    viewer.set("split", 0.0)
    assert viewer.at_cross() == shown(moving.array[k, j, i], -20, 100)
    viewer.set("layout", "checkerboard")
    viewer.set("squares", 2.0)
    viewer.set("layout", "side")
    viewer.set("plane", "coronal")
    viewer.page.click("#reset")
    viewer.settled()
    assert viewer.view()["zoom"] == 1 and viewer.view()["strength"] is None


def test_a_drag_changes_the_window_and_the_read_out_has_units(serve, view, fused) -> None:
    viewer = view(serve().url).settled()
    viewer.set("base", "fixed")
    box = viewer.page.locator(".picture").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    viewer.page.mouse.move(x, y)
    viewer.page.mouse.down()
    viewer.page.mouse.move(x + 60, y, steps=4)
    viewer.page.mouse.up()
    viewer.settled()
    low, high = viewer.view()["windows"]["fixed"]
    assert high - low == pytest.approx(720, rel=0.01) and low + high == pytest.approx(600, rel=0.01)
    values = viewer.page.locator("#values")
    viewer.until(lambda: "HU" in values.inner_text())
    assert "Fixed (Doe_mr)" in values.inner_text()


def test_fingers_scroll_and_zoom(serve, view) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    viewer = view(serve().url, **phone).settled()
    box = viewer.page.locator(".picture").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = viewer.context.new_cdp_session(viewer.page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": px, "y": py, "id": n} for n, (px, py) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = viewer.view()
    fingers("touchStart", (x, y))
    for step in range(1, 7):
        fingers("touchMove", (x, y - 10 * step))
    fingers("touchEnd")
    viewer.settled()
    assert viewer.view()["pos"][2] > before["pos"][2] + 10
    assert viewer.view()["windows"] == {}
    fingers("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 5):
        fingers("touchMove", (x - 20 - 10 * step, y), (x + 20 + 10 * step, y))
    fingers("touchEnd")
    viewer.settled()
    assert viewer.view()["zoom"] == pytest.approx(3, rel=0.1)


def test_a_flagged_region_is_jumped_to(serve, view, fused) -> None:
    viewer = view(serve().url).settled()
    viewer.page.locator("#doubts button").first.click()
    viewer.settled()
    place = viewer.voxel_under_the_cross(fused[0].fused.geometry)
    assert fused[0].reliability_fixed.array[place] < 0.25


def test_a_link_brings_the_same_view_back(serve, view) -> None:
    running = serve()
    first = view(running.url).settled()
    first.set("layout", "side")
    first.set("over", "arbitration")
    first.page.locator(".picture").first.focus()
    first.page.keyboard.press("PageUp")
    first.page.keyboard.press("+")
    first.settled()
    place = first.page.url.split("#")[1]
    second = view(f"{running.url}#{place}").settled()
    first_view, second_view = first.view(), second.view()
    assert second_view["pos"] == pytest.approx(first_view["pos"], abs=0.01)
    for key in ("layout", "over", "zoom"):
        assert second_view[key] == first_view[key]
    np.testing.assert_allclose(second.pixels(2).astype(int), first.pixels(2), atol=2)


def test_two_viewers_do_not_see_each_other(serve, view) -> None:
    running = serve()
    first, second = view(running.url).settled(), view(running.url).settled()
    kept = second.pixels()
    first.set("base", "moving")
    first.set("over", "arbitration")
    first.page.locator(".picture").first.focus()
    first.page.keyboard.press("PageDown")
    first.settled()
    assert np.abs(first.pixels().astype(int) - kept).max() > 50
    second.page.evaluate("() => workbench.changed(false)")
    second.settled()
    np.testing.assert_array_equal(second.pixels(), kept)


def test_it_connects_again_and_keeps_the_view(serve, view) -> None:
    running = serve()
    viewer = view(running.url).settled()
    viewer.set("over", "arbitration")
    kept, address = viewer.pixels(), viewer.page.url
    running.drop_sockets()
    viewer.until(lambda: viewer.page.locator("#notice").is_visible())
    viewer.until(lambda: not viewer.page.locator("#notice").is_visible())
    viewer.settled()
    assert viewer.page.url == address
    np.testing.assert_array_equal(viewer.pixels(), kept)


def test_who_is_idle_is_let_go_and_comes_back(serve, view) -> None:
    viewer = view(serve(idle_seconds=1.0).url).settled()
    viewer.until(lambda: "Let go" in viewer.page.locator("#notice").inner_text())
    viewer.page.keyboard.press("a")
    viewer.until(lambda: not viewer.page.locator("#notice").is_visible())
    viewer.settled()


def test_a_batch_is_a_table_first(serve, view, folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "studies" / "a")
    rows = [{"study": name, "folder": f"studies/{name}", "state": "done"} for name in "ab"]
    (tmp_path / "summary.json").write_text(json.dumps({"studies": rows}))
    viewer = view(serve(Folders(tmp_path, [], anonymise=False)).url)
    buttons = viewer.page.locator("#studies button")
    viewer.until(lambda: buttons.count() == 2)
    assert buttons.nth(0).is_enabled() and not buttons.nth(1).is_enabled()
    buttons.nth(0).click()
    viewer.settled()
    assert "lies outside" in viewer.page.locator("#no-sources").inner_text()
    assert viewer.page.locator("#layout option:not([disabled])").count() == 2
    viewer.page.click("#back")
    assert buttons.first.is_visible() and not viewer.page.locator("#workbench").is_visible()


def test_a_wrong_token_shows_nothing(serve, view) -> None:
    running = serve()
    viewer = view(f"{running.base}/?token=wrong")
    assert "Open the address" in viewer.page.locator("body").inner_text()
    assert viewer.page.locator("canvas").count() == 0


def test_no_page_may_frame_it(serve, view) -> None:
    running = serve()
    viewer = view(running.url).settled()
    viewer.page.set_content(f'<iframe src="{running.base}/"></iframe>')
    viewer.page.wait_for_timeout(300)
    frames = [frame.url for frame in viewer.page.frames[1:]]
    assert all("chrome-error" in url for url in frames) and frames


def test_a_screenshot_is_saved_by_the_browser(serve, view) -> None:
    viewer = view(serve().url).settled()
    with viewer.page.expect_download() as download:
        viewer.page.click("#screenshot")
    assert Path(download.value.path()).read_bytes()[:4] == b"\x89PNG"


def test_names_are_text_and_never_script(serve, view, fused) -> None:
    result, fixed, moving = fused
    name = "<img src=x onerror=document.title='bad'><script>document.title='bad'</script>"
    record = result.record
    record = replace(record, fixed=replace(record.fixed, name=name))
    result = replace(result, record=record, notes=[name])

    class Evil:
        fusing = None

        def rows(self):
            return []

        def open(self, _number):
            study = study_of(result, fixed, moving, anonymise=False)
            return study, describe(study)

    viewer = view(serve(Evil()).url).settled()
    viewer.until(lambda: name in viewer.page.locator("#values").inner_text())
    assert name in viewer.page.locator("#title").inner_text()
    assert viewer.page.locator("#workbench img, header img, #workbench script").count() == 0
    assert viewer.page.title() != "bad"


def test_every_control_has_a_label(serve, view) -> None:
    viewer = view(serve().url, viewport={"width": 390, "height": 844}).settled()
    unnamed = viewer.page.evaluate(
        """() => [...document.querySelectorAll("input, select, button, [tabindex]")]
        .filter(e => e.offsetParent && !(e.labels?.[0]?.innerText || e.ariaLabel || e.innerText))
        .map(e => e.outerHTML)"""
    )
    assert unnamed == []
    wide = viewer.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_two_volumes_are_fused_with_progress_and_cancel(serve, view, sources, tmp_path) -> None:
    output, seen = tmp_path / "saved", threading.Event()

    def steps():
        # A fast machine would be done before the page has asked.
        while not seen.wait(0.02):
            yield Progress(0.1, "Waiting to be seen")
        return (yield from request_steps(lambda: Request.of(*map(read, sources))))

    fusing = Fusing(Order(steps, output))
    fusing.start()
    running = serve(Fused(fusing))
    viewer = view(running.url)
    stage = viewer.page.locator("#stage")
    viewer.until(lambda: "10 %" in stage.inner_text())
    viewer.page.click("#cancel")
    viewer.until(lambda: "Stopped on request" in stage.inner_text())
    assert not output.exists() or not os.listdir(output)
    seen.set()
    viewer.page.click("#start")
    viewer.settled()
    assert viewer.page.locator("#strength").is_enabled()
    assert (output / "fused.nrrd").is_file()
    assert re.search(r"CC / bound: 0\.\d+", viewer.page.locator("#details").text_content())
    fusing.close()
