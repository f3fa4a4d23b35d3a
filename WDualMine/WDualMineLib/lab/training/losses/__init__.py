"""Differentiable forms of what a fused slice is judged by. Slices are (N, 1, H, W) in [0, 1]."""
