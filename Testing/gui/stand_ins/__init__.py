"""Stand-ins for the parts of 3D Slicer that the Python Package Index does not have.

MRML is real (slicer-core) and so is Qt (PySide6). Made up are: the module names ``qt`` and ``ctk``,
six widget classes of ctk and qMRMLWidgets, the parameter node wrapper, the base classes of
scripted modules, and what the widgets of slice views do. They behave as badly as the originals:
lists are cleared while they are connected, sliders clamp their values and tell so, views have no
size until the event loop ran, legends do not notice a change of layers. They can not prove that the
real classes behave alike; Testing/Python runs the same workflow inside a real 3D Slicer for that.
"""
