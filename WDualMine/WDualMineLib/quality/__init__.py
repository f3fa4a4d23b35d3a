"""How good a fused image is: metrics with their sources, and tables of them."""
