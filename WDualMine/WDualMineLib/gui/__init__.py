"""The Slicer panel. The only part that imports qt."""
