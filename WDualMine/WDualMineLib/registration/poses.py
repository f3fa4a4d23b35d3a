"""4x4 matrices from pose parameters, all in millimetres, so that one step suits them all."""

from __future__ import annotations

import numpy as np

LEVER_MM = 80.0
"""A turn counts by what it moves at this distance: the half width of a head."""


def rotation(angles: np.ndarray) -> np.ndarray:
    """3x3 rotation Rz Ry Rx of angles (x, y, z) in radians."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return rz @ ry @ rx


def about(linear: np.ndarray, centre: np.ndarray, target: np.ndarray) -> np.ndarray:
    """4x4 matrix with the 3x3 part ``linear`` that sends ``centre`` to ``target`` (LPS mm)."""
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = target - linear @ centre
    return matrix


def rigid_pose(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """From (x, y, z) turns as mm at the lever and (x, y, z) shifts in mm; zeros are identity."""
    return about(rotation(parameters[:3] / LEVER_MM), centre, centre + parameters[3:])


def affine_pose(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """From nine changes of the matrix as mm at the lever and three shifts in mm."""
    linear = np.eye(3) + parameters[:9].reshape(3, 3) / LEVER_MM
    return about(linear, centre, centre + parameters[9:])


def rigid_mean(matrices: list[np.ndarray], centre: np.ndarray) -> np.ndarray:
    """The rigid 4x4 between several: nearest rotation to the mean, mean image of ``centre``."""
    left, _, right = np.linalg.svd(np.mean([m[:3, :3] for m in matrices], axis=0))
    linear = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    target = np.mean([m[:3, :3] @ centre + m[:3, 3] for m in matrices], axis=0)
    return about(linear, centre, target)
