"""Teaching the evidence network: volumes of every anatomy at hand, sound things, and faults."""
