"""Training and benchmarks: installed with pip, not shipped into 3D Slicer."""
