"""Alignment of a moving volume to a fixed one, and a verdict on it."""
