"""Volumes that the evidence network is taught on: heads and bodies, alone or in aligned pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ...errors import InputError
from ...volumes.reading import read_volume
from ...volumes.resampling import resample_to
from ..split import is_held_out
from ..training.dataset import group_pairs, read_pairs, split_by_case

_SLICE_DISTANCE_MM = {"CT-MRI": 5.0, "PET-MRI": 2.0, "SPECT-MRI": 5.0}
"""Of the atlas' stacks, whose files do not tell; pixels are taken as 1 mm."""


@dataclass(frozen=True)
class Anatomy:
    """One patient or template.

    Attributes:
        name: of the file or folder.
        images: aligned volumes (K, J, I) of it, float32 in their own units.
        kinds: of each: "CT" (in HU), "PET", "MR", or "8-bit" (already in [0, 1]).
        spacing: of K, J, I in mm.
    """

    name: str
    images: tuple[np.ndarray, ...]
    kinds: tuple[str, ...]
    spacing: tuple[float, float, float]


def read_anatomies(data: Path, extra: tuple[Path, ...] = ()) -> list[Anatomy]:
    """All volumes for training; those of :mod:`..split` are left out.

    Args:
        data: folder with ``harvard`` and ``volumes``.
        extra: further volumes of single modalities; what :mod:`..split` knows is left out.

    Raises:
        InputError: the folder lacks either.
    """
    if not ((data / "harvard").is_dir() and (data / "volumes").is_dir()):
        raise InputError(
            f"{data} has no folders harvard and volumes", "Name the folder that holds both"
        )
    anatomies = [*_stacks(data / "harvard"), *_patients(data / "volumes" / "sts")]
    heads = sorted((data / "volumes" / "niivue").glob("*.nii.gz"))
    singles = [path for path in (*heads, *extra) if not is_held_out(path)]
    return anatomies + [_single(path) for path in singles]


def _stacks(root: Path) -> Iterator[Anatomy]:
    """Cases of the slice atlas, stacked."""
    training, _ = split_by_case(read_pairs(root))
    for group, pairs in group_pairs(training).items():
        for case in sorted({pair.case for pair in pairs}):
            slices = sorted((p for p in pairs if p.case == case), key=lambda p: p.name)
            yield Anatomy(
                f"{group} {case}",
                (np.stack([p.a for p in slices]), np.stack([p.b for p in slices])),
                ("8-bit", "8-bit"),
                (_SLICE_DISTANCE_MM[group], 1.0, 1.0),
            )


def _patients(root: Path) -> Iterator[Anatomy]:
    """Soft-tissue sarcomas: CT with its PET, and the MR, which is not aligned with them, alone."""
    for folder in sorted(root.glob("STS_*")):
        if is_held_out(folder):
            continue
        ct, pet = (read_volume(folder / f"{name}_image.nii.gz") for name in ("CT", "PET"))
        pet = resample_to(pet, ct.geometry, fill=0.0)
        yield Anatomy(folder.name, (ct.array, pet.array), ("CT", "PET"), ct.geometry.spacing[::-1])
        yield _single(folder / "MR_T1_image.nii.gz")


def _single(path: Path) -> Anatomy:
    image = sitk.DICOMOrient(sitk.ReadImage(str(path), sitk.sitkFloat32), "LPS")
    array = sitk.GetArrayFromImage(image)
    kind = "CT" if array.min() < -500 else "MR"
    if kind == "MR":
        array = np.maximum(array, 0)
    return Anatomy(str(path), (array,), (kind,), image.GetSpacing()[::-1])
