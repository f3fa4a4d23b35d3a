"""Widget classes of ctk and qMRMLWidgets, with the properties, signals and slots that are used."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from .observers import Observers

Property, Signal = QtCore.Property, QtCore.Signal


class CtkCollapsibleButton(QtWidgets.QWidget):
    """A titled part of the panel that folds; children hide while it is collapsed."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, 24, 0, 0)

    def _get_text(self):
        return self._text

    def _set_text(self, text):
        self._text = text
        self.update()

    def _get_collapsed(self):
        return self._collapsed

    def _set_collapsed(self, collapsed):
        self._collapsed = collapsed
        self._arrange()
        self.contentsCollapsed.emit(collapsed)

    text = Property(str, _get_text, _set_text)
    collapsed = Property(bool, _get_collapsed, _set_collapsed)

    def _arrange(self):
        self.setMaximumHeight(24 if self._collapsed else 16777215)

    def mousePressEvent(self, event):
        if event.position().y() < 24:
            self._set_collapsed(not self._collapsed)

    def paintEvent(self, _event):
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), 22)
        option.text = ("\u25b8  " if self._collapsed else "\u25be  ") + self._text
        option.features = QtWidgets.QStyleOptionButton.ButtonFeature.None_
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        painter.drawText(
            option.rect.adjusted(8, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, option.text
        )


class CtkSliderWidget(QtWidgets.QWidget):
    """A slider with a spin box.

    Without tracking, dragging emits valueIsChanging only, and the value stays what it was before.
    """

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._value, self._minimum, self._maximum = 0.0, 0.0, 99.0
        self._step, self._decimals, self._tracking = 1.0, 2, True
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self.slider.setMaximum(1000)
        self.box = QtWidgets.QDoubleSpinBox()
        self.box.setKeyboardTracking(False)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self.slider.sliderMoved.connect(self._moved)
        self.slider.sliderReleased.connect(lambda: self._set(self._dragged))
        self.box.valueChanged.connect(self._set)
        self._dragged = 0.0

    def _from_slider(self, position):
        return self._minimum + (self._maximum - self._minimum) * position / 1000

    def _moved(self, position):
        self._dragged = self._from_slider(position)
        if self._tracking:
            self._set(self._dragged)
        else:
            self.valueIsChanging.emit(self._dragged)

    def _get(self):
        return self._value

    def _set(self, value):
        value = round(min(max(value, self._minimum), self._maximum), self._decimals)
        changed, self._value = value != self._value, value
        self._show()
        if changed and not self._tracking:
            self.valueIsChanging.emit(value)
        if changed:
            self.valueChanged.emit(value)

    def _show(self):
        span = (self._maximum - self._minimum) or 1.0
        for widget, value in (
            (self.slider, round(1000 * (self._value - self._minimum) / span)),
            (self.box, self._value),
        ):
            blocked = widget.blockSignals(True)
            widget.setValue(value)
            widget.blockSignals(blocked)

    def _limits(self):
        blocked = self.box.blockSignals(True)
        self.box.setDecimals(self._decimals)
        self.box.setRange(self._minimum, self._maximum)
        self.box.setSingleStep(self._step)
        self.box.blockSignals(blocked)
        self._show()

    def _setter(name):
        def set_it(self, value):
            setattr(self, name, value)
            self._limits()
            self._set(self._value)  # clamped, and told, as if somebody had chosen it

        return set_it

    value = Property(float, _get, _set)
    minimum = Property(float, lambda self: self._minimum, _setter("_minimum"))
    maximum = Property(float, lambda self: self._maximum, _setter("_maximum"))
    singleStep = Property(float, lambda self: self._step, _setter("_step"))
    decimals = Property(int, lambda self: self._decimals, _setter("_decimals"))
    tracking = Property(bool, lambda self: self._tracking, _setter("_tracking"))
    pageStep = Property(float, lambda self: 0.0, lambda self, value: None)


class CtkDirectoryButton(QtWidgets.QPushButton):
    directoryChanged = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._directory = "."

    def _set(self, directory):
        self._directory = str(directory)
        self.setText(self._directory)
        self.directoryChanged.emit(self._directory)

    directory = Property(str, lambda self: self._directory, _set)


class QMRMLWidget(QtWidgets.QWidget):
    """The panel itself: hands its scene to every node selector in it."""

    def setMRMLScene(self, scene):
        for selector in self.findChildren(QMRMLNodeComboBox):
            selector.setMRMLScene(scene)


class QMRMLNodeComboBox(QtWidgets.QComboBox):
    """Lists the nodes of its types that are in the scene now, and those that come later."""

    currentNodeChanged = Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._types, self._scene, self._ids = [], None, []
        self._none_shown, self._none, self._children = "None", True, True
        self._observers = Observers("qMRMLNodeComboBox")
        self._emitted = None
        self.currentIndexChanged.connect(self._changed)

    nodeTypes = Property(
        "QStringList", lambda self: self._types, lambda self, value: self._store("_types", value)
    )
    noneDisplay = Property(
        str, lambda self: self._none_shown, lambda self, value: self._store("_none_shown", value)
    )
    noneEnabled = Property(
        bool, lambda self: self._none, lambda self, value: self._store("_none", value)
    )
    showChildNodeTypes = Property(
        bool, lambda self: self._children, lambda self, value: self._store("_children", value)
    )
    addEnabled = Property(bool, lambda self: False, lambda self, value: None)
    removeEnabled = Property(bool, lambda self: False, lambda self, value: None)
    renameEnabled = Property(bool, lambda self: False, lambda self, value: None)

    def _store(self, name, value):
        setattr(self, name, value)
        self._fill()

    def setMRMLScene(self, scene):
        self._observers.clear()
        self._scene = scene
        if scene is not None:
            for event in (
                scene.NodeAddedEvent,
                scene.NodeRemovedEvent,
                scene.EndBatchProcessEvent,
            ):
                self._observers.add(scene, event, self._fill)
        self._fill()

    def currentNode(self):
        current = self._current_id()
        return self._scene.GetNodeByID(current) if current else None

    def _current_id(self):
        index = self.currentIndex()
        return self._ids[index] if 0 <= index < len(self._ids) else ""

    def setCurrentNode(self, node):
        self._fill()
        wanted = node.GetID() if node is not None else ""
        self.setCurrentIndex(self._ids.index(wanted) if wanted in self._ids else 0)
        self._changed()

    def _fill(self):
        if self._scene is None:
            return
        current = self._current_id()
        self._ids = [""]
        names = [self._none_shown if self._none else "Select a volume"]
        for kind in self._types:
            for index in range(self._scene.GetNumberOfNodesByClass(kind)):
                node = self._scene.GetNthNodeByClass(index, kind)
                shown = self._children or node.GetClassName() == kind
                if shown and not node.GetHideFromEditors():
                    self._ids.append(node.GetID())
                    names.append(node.GetName())
        blocked = self.blockSignals(True)
        self.clear()
        self.addItems(names)
        self.setCurrentIndex(self._ids.index(current) if current in self._ids else 0)
        self.blockSignals(blocked)
        self._changed()

    def _changed(self, *_):
        current = self._current_id()
        if current != self._emitted:
            self._emitted = current
            self.currentNodeChanged.emit(self.currentNode())


CLASSES = {
    "ctkCollapsibleButton": CtkCollapsibleButton,
    "ctkSliderWidget": CtkSliderWidget,
    "ctkDirectoryButton": CtkDirectoryButton,
    "qMRMLWidget": QMRMLWidget,
    "qMRMLNodeComboBox": QMRMLNodeComboBox,
}
"""By the names that the ``.ui`` uses."""
