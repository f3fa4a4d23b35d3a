"""Are the reliability maps and the look true? Measured on volumes, by faults of others' making."""
