"""The MRML scene. The only part that imports slicer."""
