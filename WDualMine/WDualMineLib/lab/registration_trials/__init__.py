"""Known misalignments, the errors left after registration, and peers measured in the same run."""
