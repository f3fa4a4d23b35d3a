"""The real panel over a real scene, in a window that nobody sees."""

from __future__ import annotations

import gc
import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SCREENSHOTS = os.environ.get("WDUALMINE_SCREENSHOTS")
"""Folder to write screenshots into; none are written without it."""

UI = Path(__file__).resolve().parents[2] / "WDualMine" / "Resources" / "UI" / "WDualMine.ui"


@pytest.fixture(scope="session")
def application():
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    pytest.importorskip(
        "PySide6.QtWidgets",
        exc_type=ImportError,
        reason="PySide6, or a library that Qt needs, is not installed",
    )
    from PySide6 import QtWidgets

    from .stand_ins.application import install

    app = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    app.setStyle("Fusion")
    install()
    yield app
    # What Python leaves to its end is taken apart in no order: not with Qt and VTK in it.
    gc.collect()
    app.processEvents()


@pytest.fixture
def scene(application):
    from WDualMineLib.scene.application.scene_files import headless_scene

    from .stand_ins import observers

    with headless_scene() as scene:
        yield scene
        assert not observers.of(scene), "who observed it outlives its scene"


@pytest.fixture
def volumes(scene):
    """(fixed, moving): two heads of an ellipsoid skull with different insides."""
    from WDualMineLib.scene.result.volume_nodes import add_volume
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume

    size = (72, 80, 40)
    grid = Geometry(size, (2.4, 2.4, 4.0), (-85.0, -95.0, -78.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij")
    radius = np.sqrt((i / 0.85) ** 2 + (j / 0.9) ** 2 + (k / 0.95) ** 2)
    rng = np.random.default_rng(0)
    fixed = np.where(radius < 0.9, 300 + 200 * np.cos(9 * i) * np.cos(7 * j), 0)
    fixed = np.where((radius >= 0.9) & (radius < 1), 80, fixed) + rng.normal(0, 8, radius.shape)
    moving = np.where(radius < 1, 40, -1000) + np.where((radius > 0.9) & (radius < 1), 900, 0)
    moving = np.where((i - 0.3) ** 2 + (j + 0.2) ** 2 + (k * 0.7) ** 2 < 0.06, 75, moving)
    return (
        add_volume(scene, Volume(np.maximum(fixed, 0).astype(np.float32), grid, "MRHead", "MR")),
        add_volume(scene, Volume(moving.astype(np.float32), grid, "CTHead", "CT")),
    )


class Driver:
    """Does with widgets what a user does: clicks, chooses, drags, waits."""

    def __init__(self, application, root, ui) -> None:
        from PySide6 import QtCore, QtTest

        self._application, self._root, self.ui = application, root, ui
        self._qt, self._test = QtCore.Qt, QtTest.QTest
        self.clicked: list[str] = []

    def click(self, name: str) -> None:
        widget = getattr(self.ui, name)
        assert widget.isEnabled(), f"{name} is off: {widget.toolTip()}"
        self.clicked.append(name)
        if hasattr(widget, "animateClick"):
            widget.click()
        self._application.processEvents()

    def choose(self, name: str, text: str) -> None:
        """The entry of a list that starts with ``text``."""
        box = getattr(self.ui, name)
        entries = [box.itemText(i) for i in range(box.count())]
        found = [i for i, entry in enumerate(entries) if entry.startswith(text)]
        assert found, f"{name} offers {entries}, not {text}"
        self.clicked.append(f"{name}: {text}")
        box.setCurrentIndex(found[0])
        box.activated.emit(found[0])
        self._application.processEvents()

    def drag(self, name: str, value: float) -> None:
        """Move a slider there, and let go."""
        self.drag_without_release(name, value)
        slider = getattr(self.ui, name).slider
        slider.setSliderDown(False)
        self._application.processEvents()

    def drag_without_release(self, name: str, value: float) -> None:
        widget = getattr(self.ui, name)
        assert widget.isEnabled(), f"{name} is off: {widget.toolTip()}"
        self.clicked.append(f"{name}: {value}")
        low, high = widget.property("minimum"), widget.property("maximum")
        position = round(1000 * (value - low) / (high - low))
        widget.slider.setSliderDown(True)
        widget.slider.setValue(position)
        widget.slider.sliderMoved.emit(position)
        self._application.processEvents()

    def wait_until(self, condition, seconds: float = 120.0) -> list[float]:
        """Process events until ``condition()``.

        Returns:
            Processor seconds that this process, all its threads together, worked between one
            processing of events and the next. Unlike the time on the wall, it does not grow where
            other programs have the processors.
        """
        gaps, started = [], time.perf_counter()
        last = time.process_time()
        while not condition():
            assert time.perf_counter() - started < seconds, "nothing came in time"
            self._application.processEvents()
            now = time.process_time()
            gaps.append(now - last)
            last = now
        return gaps

    def settle(self) -> None:
        for _ in range(20):
            self._application.processEvents()
            time.sleep(0.002)

    def text(self, name: str) -> str:
        """What a label says, without its markup."""
        from PySide6 import QtGui

        document = QtGui.QTextDocument()
        document.setHtml(getattr(self.ui, name).text())
        return document.toPlainText().replace("\u200b", "")

    def resize(self, width: int) -> None:
        """Make the panel as wide as this; it is as high as it has to be."""
        self._root.window().resize(width, 200)
        self.settle()

    def screenshot(self, name: str) -> None:
        if SCREENSHOTS:
            self.resize(430)
            picture = self._root.grab().toImage()
            # Of which panel it is: Testing/packaging/test_extensions_index.py asks.
            picture.setText("ui", hashlib.sha256(UI.read_bytes()).hexdigest())
            picture.save(str(Path(SCREENSHOTS) / f"{name}.png"))


@pytest.fixture
def shown_widget(application, scene):
    """(module, its widget in a window), as Slicer sets it up when the user opens the module."""
    from PySide6 import QtCore, QtWidgets

    from .stand_ins.application import load_module

    window = QtWidgets.QWidget()
    QtWidgets.QVBoxLayout(window)
    window.isEntered = True
    module = load_module()
    widget = module.WDualMineWidget(window)
    widget.setup()
    # As Slicer's module panel does: as high as its contents want to be at its width.
    scroll = QtWidgets.QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setVerticalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
    scroll.setWidget(window)
    scroll.resize(430, 400)
    scroll.show()
    application.processEvents()
    yield module, widget, window
    widget.cleanup()
    widget.ui.fixedSelector.parent().parent().setMRMLScene(None)
    scroll.close()
    scroll.deleteLater()
    del widget, module, window, scroll
    application.processEvents()
    gc.collect()


@pytest.fixture
def driver(application, shown_widget) -> Driver:
    _, widget, window = shown_widget
    return Driver(application, window, widget.ui)


@pytest.fixture
def session(shown_widget):
    return shown_widget[1].panel.session


@pytest.fixture
def ready(driver, volumes, shown_widget, simple_network) -> Driver:
    """Both volumes chosen, aligned as they are."""
    shown_widget[1].enter()
    driver.choose("registrationCombo", "Off")
    return driver


@pytest.fixture
def fused(ready, session) -> Driver:
    """A result in the scene."""
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    assert session.nodes is not None, ready.text("statusLabel")
    ready.settle()  # the views come after the nodes
    return ready


@pytest.fixture
def database(application, tmp_path):
    """3D Slicer's DICOM database, empty."""
    import slicer

    from .stand_ins import dicom

    database = dicom.Database(tmp_path / "database")
    dicom.install(slicer, database)
    yield database
    dicom.uninstall(slicer)


def snapshot(scene) -> dict[str, tuple]:
    """What the scene holds, by node: enough to see that nothing was changed."""
    found = {}
    for index in range(scene.GetNumberOfNodes()):
        node = scene.GetNthNode(index)
        state = [node.GetClassName(), node.GetName()]
        if node.IsA("vtkMRMLVolumeNode"):
            image, display = node.GetImageData(), node.GetDisplayNode()
            state += [image and image.GetMTime(), node.GetTransformNodeID(), node.GetOrigin()]
            state += [(name, node.GetAttribute(name)) for name in node.GetAttributeNames()]
            state += [display and display.GetWindowLevelMin(), display and display.GetColorNodeID()]
        found[node.GetID()] = tuple(state)
    return found
