"""The referee: a user's session in a running 3D Slicer, and what the views show after each step."""
