"""A head given by formulas, so that any grid and pose of it is exact."""

from __future__ import annotations

import numpy as np
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

# Ellipsoids from the outside in: centre and half axes in mm (LPS), MR signal, CT in HU.
PARTS = (
    ((0, 0, 0), (78, 98, 88), 700, -40),  # scalp
    ((0, -104, -25), (12, 14, 16), 650, -20),  # nose
    ((0, 0, 0), (72, 92, 82), 40, 900),  # skull
    ((0, 0, 0), (66, 86, 76), 500, 35),  # brain
    ((22, -10, 10), (9, 32, 14), 120, 5),  # ventricle, left
    ((-20, -6, 12), (7, 26, 11), 120, 5),  # ventricle, right
    ((34, 38, 22), (16, 13, 15), 880, 60),  # tumour
    ((-30, 45, -38), (26, 22, 17), 620, 45),  # cerebellum, one lobe larger
    ((24, 47, -40), (20, 19, 15), 620, 45),
    ((-28, -70, -30), (11, 11, 11), 200, 8),  # eyes
    ((28, -70, -30), (11, 11, 11), 200, 8),
)
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
OBLIQUE = (0.9659258, -0.2588190, 0.0, 0.2588190, 0.9659258, 0.0, 0.0, 0.0, 1.0)
# Slices tilted by 18 degrees while the table moves along the patient: K is not at right angles.
TILTED = (1.0, 0.0, 0.0, 0.0, 0.9510565, 0.0, 0.0, 0.3090170, 1.0)


def grid(
    spacing: tuple[float, float, float] = (3.0, 3.0, 3.0),
    direction: tuple[float, ...] = UPRIGHT,
    extent: tuple[float, float, float] = (190.0, 240.0, 210.0),
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Geometry:
    """A grid of about ``extent`` mm whose middle lies at ``centre``."""
    size = tuple(round(e / s) for e, s in zip(extent, spacing, strict=True))
    half = np.array([(n - 1) / 2 * s for n, s in zip(size, spacing, strict=True)])
    origin = np.array(centre) - np.array(direction).reshape(3, 3) @ half
    return Geometry(size, spacing, tuple(origin.tolist()), direction)


def scan(
    modality: str, geometry: Geometry, pose: np.ndarray | None = None, noise: float = 0.01
) -> Volume:
    """MR or CT of the head on ``geometry``, displaced by the 4x4 matrix ``pose`` (LPS mm)."""
    k, j, i = np.indices(geometry.array_shape).reshape(3, -1)
    index = np.stack([i, j, k, np.ones_like(i)]).astype(float)
    back = np.eye(4) if pose is None else np.linalg.inv(pose)
    x = (back @ geometry.ijk_to_lps @ index)[:3]
    mr, ct = np.zeros(x.shape[1]), np.full(x.shape[1], -1000.0)
    for centre, axes, signal, hounsfield in PARTS:
        distance = np.sqrt(np.sum(((x.T - centre) / axes) ** 2, axis=1))
        soft = np.clip((1 - distance) * min(axes) / 2 + 0.5, 0, 1)  # edges two millimetres wide
        mr += soft * (signal - mr)
        ct += soft * (hounsfield - ct)
    texture = np.sin(x[0] / 9 + 1) * np.sin(x[1] / 11 + 2) * np.sin(x[2] / 8 + 3)
    mr += np.where(mr > 300, 60 * texture, 0)
    array = ct + 6 * texture * (ct > -100) if modality == "CT" else mr
    rng = np.random.default_rng(len(modality) + array.size)
    array = array + noise * 1000 * rng.standard_normal(array.size)
    array = np.clip(array, -1000, None) if modality == "CT" else np.abs(array)
    return Volume(
        array.reshape(geometry.array_shape).astype(np.float32), geometry, modality, modality
    )


def limb(modality: str) -> Volume:
    """A thigh: a cylinder with a bone off its middle."""
    geometry = grid(extent=(180.0, 180.0, 200.0))
    k, j, i = np.indices(geometry.array_shape) * 3.0
    flesh = np.hypot(i - 90, j - 90) < 70
    bone = np.hypot(i - 105, j - 80) < 14
    ct = np.where(bone, 900.0, np.where(flesh, 50.0, -1000.0))
    mr = np.where(bone, 100.0, np.where(flesh, 500 + 0.8 * k, 0.0))
    return Volume((ct if modality == "CT" else mr).astype(np.float32), geometry, "limb", modality)
