"""A small result in a folder, with its sources beside it, and servers of it in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.pipeline.folder import save
from WDualMineLib.pipeline.look import NetworkOutput
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.pipeline.record import Record, SourceRecord
from WDualMineLib.pipeline.result import Result, assemble
from WDualMineLib.pipeline.sources import read
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

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
