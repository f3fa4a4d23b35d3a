"""A parameter node wrapper over a real ``vtkMRMLScriptedModuleNode``.

As Slicer's, it keeps enumerations by name and nodes by reference, connects widgets by their
``SlicerParameterName``, and refuses types that Slicer's wrapper has no connection for.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated, ClassVar, get_args, get_origin, get_type_hints

from PySide6 import QtWidgets

from .observers import Observers
from .widgets import CtkSliderWidget, QMRMLNodeComboBox


@dataclass
class WithinRange:
    minimum: float
    maximum: float


def plain_type(hint):
    """(type, annotations) of a possibly ``Annotated`` hint."""
    if get_origin(hint) is Annotated:
        kind, *annotations = get_args(hint)
        return kind, annotations
    return hint, []


def parameterNodeWrapper(cls):
    hints = get_type_hints(cls, include_extras=True)

    class Wrapped(_Wrapper):
        __doc__ = cls.__doc__
        parameters: ClassVar = {name: plain_type(hint) for name, hint in hints.items()}
        defaults: ClassVar = {name: getattr(cls, name) for name in hints if hasattr(cls, name)}

    for name in hints:
        setattr(Wrapped, name, _parameter(name))
    Wrapped.__name__ = cls.__name__
    return Wrapped


def _parameter(name):
    return property(lambda self: self._get(name), lambda self, value: self._set(name, value))


class _Wrapper:
    parameters: ClassVar = {}
    defaults: ClassVar = {}

    def __init__(self, node):
        self.parameterNode = node
        self._connections = {}
        for name, value in self.defaults.items():
            if not node.GetParameter(name):
                self._write(name, value)

    def _get(self, name):
        kind, _ = self.parameters[name]
        if _is_node(kind):
            return self.parameterNode.GetNodeReference(name)
        text = self.parameterNode.GetParameter(name)
        if issubclass(kind, enum.Enum):
            return kind[text]
        return text == "True" if kind is bool else kind(text)

    def _set(self, name, value):
        kind, annotations = self.parameters[name]
        if _is_node(kind):
            if value is not None and not value.IsA(kind.__name__):
                raise TypeError(f"{name} takes {kind.__name__}, not {value.GetClassName()}")
        elif not isinstance(value, kind):
            raise TypeError(f"{name} takes {kind}, not {value!r}")
        for limit in annotations:
            if not limit.minimum <= value <= limit.maximum:
                raise ValueError(f"{name} = {value} is out of range")
        if self._get(name) != value:
            self._write(name, value)

    def _write(self, name, value):
        kind, _ = self.parameters[name]
        if _is_node(kind):
            self.parameterNode.SetNodeReferenceID(name, value.GetID() if value else None)
        else:
            text = value.name if isinstance(value, enum.Enum) else str(value)
            self.parameterNode.SetParameter(name, text)

    def AddObserver(self, event, react, priority=0.0):
        return self.parameterNode.AddObserver(event, react, priority)

    def RemoveObserver(self, tag):
        self.parameterNode.RemoveObserver(tag)

    def connectGui(self, ui):
        """Returns nothing, as in some versions of Slicer: nobody can disconnect it again."""
        self.connectParametersToGui({
            name: w for w in vars(ui).values() if (name := w.property("SlicerParameterName"))
        })  # fmt: skip

    def connectParametersToGui(self, mapping):
        tag = len(self._connections)
        self._connections[tag] = [_Connection(self, w, name) for name, w in mapping.items()]
        return tag

    def disconnectGui(self, tag):
        for each in self._connections.get(tag, []):
            each.stop()
        self._connections[tag] = []


def _is_node(kind):
    return isinstance(kind, type) and kind.__name__.startswith("vtkMRML")


class _Connection:
    """Keeps one widget and one parameter alike."""

    def __init__(self, wrapper, widget, name):
        self._wrapper, self._widget, self._name = wrapper, widget, name
        self._kind, annotations = wrapper.parameters[name]
        self._busy = False
        self._signal, self._read, self._write = self._accessors(annotations)
        self._show()
        self._signal.connect(self._from_widget)
        self._observers = Observers(f"the connection of {name}")
        self._observers.add(wrapper.parameterNode, "ModifiedEvent", self._show)

    def stop(self):
        self._signal.disconnect(self._from_widget)
        self._observers.clear()

    def _show(self):
        if not self._busy:
            self._busy = True
            self._write(getattr(self._wrapper, self._name))
            self._busy = False

    def _from_widget(self, *_):
        if not self._busy:
            self._busy = True
            setattr(self._wrapper, self._name, self._read())
            self._busy = False

    def _accessors(self, annotations):
        w, kind = self._widget, self._kind
        if _is_node(kind) and isinstance(w, QMRMLNodeComboBox):
            w.setProperty("nodeTypes", [kind.__name__])
            return w.currentNodeChanged, w.currentNode, w.setCurrentNode
        if isinstance(w, QtWidgets.QComboBox) and issubclass(kind, enum.Enum):
            members = list(kind)
            w.clear()
            w.addItems([kind.label(member) for member in members])
            return (
                w.currentIndexChanged,
                lambda: members[max(w.currentIndex(), 0)],
                lambda value: w.setCurrentIndex(members.index(value)),
            )
        if isinstance(w, QtWidgets.QCheckBox) and kind is bool:
            return w.toggled, w.isChecked, w.setChecked
        if isinstance(w, QtWidgets.QLineEdit) and kind is str:
            return w.textChanged, w.text, w.setText
        if isinstance(w, (QtWidgets.QDoubleSpinBox, CtkSliderWidget)) and kind is float:
            for limit in annotations:
                w.setProperty("minimum", limit.minimum)
                w.setProperty("maximum", limit.maximum)
            return (
                w.valueChanged,
                lambda: w.property("value"),
                lambda value: w.setProperty("value", value),
            )
        raise RuntimeError(f"Slicer cannot connect {kind} with {type(w).__name__}")
