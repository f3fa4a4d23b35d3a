"""The MRML scene: nodes, appearance, subject hierarchy. The only part that imports slicer.

Every function takes the scene it works on, so that the same code runs inside the application and
on slicer-core, where :mod:`.application.scene_files` stands in for the application.
"""
