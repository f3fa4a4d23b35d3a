"""The version, in one place: pyproject.toml, CMake and every report read it from here."""

__version__ = "0.2.0"
