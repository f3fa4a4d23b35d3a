"""Volumes with their geometry: reading, writing and resampling. Knows nothing of fusion."""
