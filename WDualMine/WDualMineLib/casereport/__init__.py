"""A case on one page: what was fused, how, with what verdict, and where it is doubtful."""
