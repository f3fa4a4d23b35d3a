"""A small result in a folder, servers of it in a thread, and viewers of these in Chromium."""

from __future__ import annotations

import asyncio
import base64
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.pipeline.alignment import Alignment
from WDualMineLib.pipeline.folder import save
from WDualMineLib.pipeline.look import NetworkOutput
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.pipeline.record import Record, SourceRecord
from WDualMineLib.pipeline.result import Result, assemble
from WDualMineLib.pipeline.sources import read
from WDualMineLib.registration.transforms import affine_transform
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume
from WDualMineLib.web.study import Study, study_of

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE = 30

GRID = Geometry((40, 48, 36), (2.0, 1.5, 2.5), (-40, -35, -44), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture(scope="session")
def sources(tmp_path_factory) -> tuple[Path, Path]:
    """Files of a fixed volume in no unit and of a moving one in HU, named after a patient."""
    folder = tmp_path_factory.mktemp("sources")
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in GRID.array_shape), indexing="ij")
    inside = i**2 + j**2 + k**2 < 0.7
    fixed = np.where(inside, 300 + 200 * np.cos(6 * i) * np.cos(5 * j), 0).astype(np.float32)
    moving = np.where(inside, 40 + 30 * np.sin(7 * k + 3 * i), -1000).astype(np.float32)
    paths = folder / "Doe_mr.nrrd", folder / "Doe_ct.nrrd"
    for path, array in zip(paths, (fixed, moving), strict=True):
        write_volume(Volume(array, GRID, path.stem), path)
    return paths


@pytest.fixture(scope="session")
def fused(sources: tuple[Path, Path]) -> tuple[Result, Volume, Volume]:
    """A result with made-up maps, so that no network is needed to test what is shown."""
    fixed, moving = map(read, sources)
    settings = FusionSettings(fixed_window=(0.0, 600.0), moving_window=(-20.0, 100.0))
    pair = prepare(fixed, moving, settings)
    shape = GRID.array_shape
    residual = np.where(pair.fixed > 0, 0.1 * np.sin(np.arange(shape[2]) / 2), 0).astype(np.float32)
    reliability = np.full(shape, 0.5, np.float32)
    reliability[10:16, 12:20, 8:14] = 0.1
    arbitration = np.linspace(0, 1, shape[2], dtype=np.float32) * np.ones(shape, np.float32)
    network = NetworkOutput(residual, reliability, arbitration, slicings(GRID, "axial")[0])
    records = (
        SourceRecord.of(volume, window)
        for volume, window in ((fixed, pair.fixed_window), (moving, pair.moving_window))
    )
    return assemble(pair, network, settings, Record(*records, settings)), fixed, moving


@pytest.fixture(scope="module")
def study(fused) -> Study:
    """What viewers of the result are shown."""
    return study_of(*fused, anonymise=False)


@pytest.fixture(scope="module")
def shifted(fused) -> tuple[Study, Volume]:
    """The same, with the moving volume aligned by two voxels along I, and the moving volume."""
    result, fixed, moving = fused
    matrix = np.eye(4)
    matrix[0, 3] = 4.0
    aligned = replace(result, alignment=Alignment("rigid", affine_transform(matrix, np.zeros(3))))
    return study_of(aligned, fixed, moving, anonymise=False), moving


@pytest.fixture(scope="module")
def pictures(study: Study) -> Iterator[Any]:
    """Renders it."""
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")
    from WDualMineLib.scene.views.served_slices import served_slices
    from WDualMineLib.web.pictures import Pictures

    with served_slices() as slices:
        yield Pictures(study, slices)


@pytest.fixture(scope="session")
def folder(fused, tmp_path_factory) -> Path:
    """The result as `wdualmine fuse` leaves it."""
    return save(fused[0], tmp_path_factory.mktemp("results") / "fused")


class Running:
    """A server in a thread."""

    def __init__(self, catalogue, **address) -> None:
        from WDualMineLib.web.server import Address, Server

        self.server = Server(catalogue, Address(**address))
        self._listening = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._listening.wait(30), "the server does not start"
        if self._failure:
            raise self._failure[0]
        self.url = self.server.url
        parts = urlsplit(self.url)
        self.base, self.host = f"{parts.scheme}://{parts.netloc}", parts.netloc

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self.server.run(lambda _: self._listening.set()))
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._failure.append(error)
            self._listening.set()
        finally:
            self._loop.close()

    def drop_sockets(self) -> None:
        """Break every connection, as a network does."""

        def drop() -> None:
            for socket in list(self.server._sockets):
                socket._req.transport.abort()

        self._loop.call_soon_threadsafe(drop)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server does not end"


@pytest.fixture
def serve(folder: Path, sources) -> Iterator[Callable[..., Running]]:
    """``serve()`` the result; other catalogues and addresses by name."""
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[web]'")
    from WDualMineLib.web.catalogue import Folders

    running: list[Running] = []

    def start(catalogue=None, *, anonymise: bool = False, **address) -> Running:
        allowed = [sources[0].parent]
        catalogue = catalogue or Folders(folder, allowed, anonymise=anonymise)
        running.append(Running(catalogue, **address))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install '.[dev]'"
    )
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, headless=True, args=_FLAGS)
        yield browser
        browser.close()


class Viewer:
    """A page of its own, with cookies of its own."""

    def __init__(self, browser: Any, url: str, **context) -> None:
        size = {"width": 900, "height": 620}
        self.context = browser.new_context(**({"viewport": size} | context))
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)

    def settled(self) -> Viewer:
        """Once every pane shows, without loss, what was asked for last."""
        self.until(
            lambda: self.page.evaluate(
                """() => globalThis.workbench?.panes.length > 0
                && workbench.panes.every(each => each.element.dataset.settled === "true")"""
            )
        )
        assert not self.errors
        return self

    def until(self, happened) -> None:
        end = time.monotonic() + _PATIENCE
        while not happened():
            assert time.monotonic() < end, self.page.locator("body").inner_text()[:500]
            self.page.wait_for_timeout(20)

    def view(self) -> dict:
        return self.page.evaluate("() => workbench.view")

    def set(self, control: str, value: float | str) -> None:
        """Move a slider, or choose from a list, as a hand does: with its events."""
        if isinstance(value, str):
            self.page.select_option(f"#{control}", value)
        else:
            self.page.locator(f"#{control}").fill(str(value))
        self.settled()

    def pixels(self, pane: int = 0) -> np.ndarray:
        """(height, width, 3) of a pane's canvas."""
        found = self.page.evaluate(
            """n => { const c = workbench.panes[n].canvas;
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            const text = Array.from(d, x => String.fromCharCode(x)).join("");
            return [c.width, c.height, btoa(text)] }""",
            pane,
        )
        width, height, text = found
        flat = np.frombuffer(base64.b64decode(text), np.uint8)
        return flat.reshape(height, width, 4)[..., :3]

    def at_cross(self, pane: int = 0) -> np.ndarray:
        """Colour under the cross, which lies in the middle once the picture is moved there."""
        picture = self.pixels(pane).astype(float)
        h, w = picture.shape[0] // 2, picture.shape[1] // 2
        return picture[h - 1 : h + 1, w - 1 : w + 1].reshape(-1, 3).mean(axis=0)

    def box(self, pane: int = 0) -> tuple[float, float, float, float]:
        """Left, top, width and height of a picture, in pixels of the page."""
        found = self.page.locator(".picture").nth(pane).bounding_box()
        return found["x"], found["y"], found["width"], found["height"]

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """With the mouse, in pixels of the page."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=6)
        self.page.mouse.up()
        self.settled()

    def fingers(self, *places: list[tuple[float, float]]) -> None:
        """Fingers that go down, move from place to place, and up; one list for each step."""
        touch = self.context.new_cdp_session(self.page)
        for step, points in enumerate([*places, []]):
            kind = "touchStart" if step == 0 else "touchMove" if points else "touchEnd"
            down = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": down})
        self.settled()

    def voxel_under_the_cross(self, geometry: Geometry) -> tuple[int, int, int]:
        """(k, j, i)."""
        r, a, s = self.view()["pos"]
        place = np.linalg.inv(geometry.ijk_to_lps) @ [-r, -a, s, 1]
        i, j, k = np.rint(place[:3]).astype(int).tolist()
        return k, j, i

    def close_up(self) -> None:
        """So near that the voxel under the cross fills the middle of each pane."""
        self.page.evaluate(
            """() => { const { view, study } = workbench; view.zoom = 30;
            view.pan = view.pos.map((x, i) => x - study.centre[i]); workbench.changed(false); }"""
        )
        self.settled()


@pytest.fixture
def view(chromium) -> Iterator:
    opened: list[Viewer] = []

    def open_viewer(url: str, **context) -> Viewer:
        opened.append(Viewer(chromium, url, **context))
        return opened[-1]

    yield open_viewer
    for each in opened:
        each.context.close()
