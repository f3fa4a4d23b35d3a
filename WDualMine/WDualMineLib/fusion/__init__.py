"""From slices to volumes: intensity, the slice engine, the correlation floor, colour."""
