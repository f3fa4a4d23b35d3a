"""Reader of registered 2-D slice pairs, split by case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...quality.images import read_luminance

CASE_DIGITS = 3
"""A file name is the case's number followed by a slice number of three digits: ``25015.png``."""

VALIDATION_CASES = {"CT-MRI": (33,), "PET-MRI": (30,), "SPECT-MRI": (22, 35)}
"""Cases kept from training: neighbouring slices correlate at 0.9, so a split by slice leaks."""


@dataclass(frozen=True)
class SlicePair:
    """Two registered slices.

    Attributes:
        group: the modality pair, which is the folder's name ("CT-MRI").
        case: number of the patient's case.
        name: file name.
        a, b: (H, W) float32 in [0, 1]; luminance where the file has colour. b is the MRI.
    """

    group: str
    case: int
    name: str
    a: np.ndarray
    b: np.ndarray


def _read(path: Path) -> np.ndarray:
    return read_luminance(path).astype(np.float32) / 255


def read_group(folder: Path) -> list[SlicePair]:
    """All pairs of one modality pair.

    Args:
        folder: ``X-MRI`` with subfolders ``X`` and ``MRI`` holding files of equal name.

    Raises:
        InputError: a subfolder or a partner is missing, or sizes differ.
    """
    modality = folder.name.removesuffix("-MRI")
    pairs = []
    for path in sorted((folder / modality).glob("*.png")):
        partner = folder / "MRI" / path.name
        if not partner.is_file():
            raise InputError(f"{path} has no partner {partner}", "Complete the pair or remove it")
        a, b = _read(path), _read(partner)
        if a.shape != b.shape:
            raise InputError(f"{path} and {partner} differ in size", "Resample one to the other")
        pairs.append(SlicePair(folder.name, int(path.stem[:-CASE_DIGITS]), path.name, a, b))
    if not pairs:
        raise InputError(
            f"{folder / modality} holds no PNG files", "Name a folder as data/README describes it"
        )
    return pairs


def read_pairs(root: Path, groups: Iterable[str] = tuple(VALIDATION_CASES)) -> list[SlicePair]:
    """Pairs of every modality pair under ``root``.

    Raises:
        InputError: a group's folder is absent or unusable.
    """
    pairs = []
    for group in groups:
        if not (root / group).is_dir():
            raise InputError(f"{root} has no folder {group}", "Name the folder of the slice pairs")
        pairs += read_group(root / group)
    return pairs


def split_by_case(pairs: Iterable[SlicePair]) -> tuple[list[SlicePair], list[SlicePair]]:
    """Training and validation pairs; no case is in both.

    A case's MRI may serve several groups (21 and 28 do, for CT and SPECT); the validation cases
    were chosen among those that do not.
    """
    training: list[SlicePair] = []
    validation: list[SlicePair] = []
    for pair in pairs:
        held_out = pair.case in VALIDATION_CASES.get(pair.group, ())
        (validation if held_out else training).append(pair)
    return training, validation


def group_pairs(pairs: list[SlicePair]) -> dict[str, list[SlicePair]]:
    """Pairs by modality pair."""
    groups: dict[str, list[SlicePair]] = {}
    for pair in pairs:
        groups.setdefault(pair.group, []).append(pair)
    return groups
