"""Benchmarks, a file each; for developers, and not shipped into 3D Slicer."""
