"""4x4 matrices from pose parameters, all in millimetres, so that one step suits them all."""

from __future__ import annotations

import numpy as np

LEVER_MM = 80.0
"""A turn counts by what it moves at this distance: the half width of a head."""


def rotation(angles: np.ndarray) -> np.ndarray:
    """3x3 rotation Rz Ry Rx of angles (x, y, z) in radians."""
    x, y, z = (_turn(axis, angle) for axis, angle in enumerate(angles))
    return z @ y @ x


def _turn(axis: int, angle: float) -> np.ndarray:
    """3x3 rotation about one axis."""
    matrix = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[b, a] = np.sin(angle)
    matrix[a, b] = -matrix[b, a]
    return matrix


def _turn_slope(axis: int, angle: float) -> np.ndarray:
    """The derivative of :func:`_turn` by its angle."""
    matrix = _turn(axis, angle + np.pi / 2)
    matrix[axis, axis] = 0.0
    return matrix


def about(linear: np.ndarray, centre: np.ndarray, target: np.ndarray) -> np.ndarray:
    """4x4 matrix with the 3x3 part ``linear`` that sends ``centre`` to ``target`` (LPS mm)."""
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = target - linear @ centre
    return matrix


def rigid_pose(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """From (x, y, z) turns as mm at the lever and (x, y, z) shifts in mm; zeros are identity."""
    return about(rotation(parameters[:3] / LEVER_MM), centre, centre + parameters[3:])


def rigid_slopes(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """(6, 3, 4): the derivative of :func:`rigid_pose` by each parameter."""
    slopes = np.zeros((6, 3, 4))
    angles = parameters[:3] / LEVER_MM
    factors = [_turn(axis, angle) for axis, angle in enumerate(angles)]
    for axis, angle in enumerate(angles):
        bent = list(factors)
        bent[axis] = _turn_slope(axis, angle)
        linear = bent[2] @ bent[1] @ bent[0] / LEVER_MM
        slopes[axis, :, :3] = linear
        slopes[axis, :, 3] = -linear @ centre
    slopes[3:, :, 3] = np.eye(3)
    return slopes


def affine_slopes(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """(12, 3, 4): the derivative of :func:`affine_pose` by each parameter, the same everywhere."""
    slopes = np.zeros((12, 3, 4))
    for number in range(9):
        row, column = divmod(number, 3)
        slopes[number, row, column] = 1 / LEVER_MM
        slopes[number, row, 3] = -centre[column] / LEVER_MM
    slopes[9:, :, 3] = np.eye(3)
    return slopes


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
