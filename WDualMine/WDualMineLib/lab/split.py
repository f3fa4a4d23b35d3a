"""What is kept from training, so that every measure of truth is taken on unseen patients.

One place for all of it: training asks :func:`is_held_out` of each volume that it reads, the
benchmarks read nothing else. A patient, a head and a template count as one: none of their images
may be taught, in no modality, no crop and no resampling.
"""

from __future__ import annotations

from pathlib import PurePath

from .training.dataset import VALIDATION_CASES

HARVARD_CASES = VALIDATION_CASES
"""``{modality pair: case numbers}`` of the slice pairs under ``harvard/``."""

STS_PATIENTS = ("STS_001", "STS_010", "STS_018", "STS_025", "STS_029", "STS_032")
"""Folders under ``volumes/sts``. Sizes, regions and tumours differ as they do in the other 12."""

SINGLE_HEADS = ("MR_Gd", "T2w")
"""Volumes under ``volumes/niivue``: contrast agent with a lesion, and a T2 of one subject."""

TEMPLATE_FOLDERS = ("spm12", "clinical", "ichseg")
"""Folders under ``volumes`` whose volumes are all held out. ``ichseg`` is the CT template of
``clinical`` on a finer grid: they correlate by .996 inside the brain."""


def is_held_out(path: str | PurePath) -> bool:
    """Whether training must not read a volume.

    Args:
        path: a file or folder below ``volumes``, absolute or relative to it.

    Harvard's slices are split by :func:`.training.dataset.split_by_case`, not by this.
    """
    parts = PurePath(path).parts
    if "volumes" in parts:
        parts = parts[len(parts) - parts[::-1].index("volumes") :]
    if not parts:
        return False
    if parts[0] in TEMPLATE_FOLDERS or any(part in STS_PATIENTS for part in parts):
        return True
    return parts[0] == "niivue" and parts[-1].split(".")[0] in SINGLE_HEADS
