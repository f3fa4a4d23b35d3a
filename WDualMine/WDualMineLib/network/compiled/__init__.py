"""The network of a slice with loops that numba compiles, where it is installed.

A third of what a slice costs are convolutions, which the library does near the best that a
processor can; most of the rest are hundreds of passes over maps at full resolution. Here each run
of them is one loop. What is computed is the same (``Testing/unit/network/test_compiled.py``).
"""
