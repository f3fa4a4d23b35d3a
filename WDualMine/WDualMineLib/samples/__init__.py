"""Real volumes that come inside Python packages, and a PET simulated from them."""
