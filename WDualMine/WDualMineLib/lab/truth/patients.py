"""Sound cases of real patients and templates, all of them held out of training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...volumes.geometry import Geometry
from ...volumes.reading import read_volume
from ...volumes.volume import Volume
from ..split import HARVARD_CASES, SINGLE_HEADS, STS_PATIENTS
from ..training.dataset import read_group, split_by_case
from .cases import Case, make_case
from .simulation import functional_like

# Group: fixed and moving template under volumes/, their modalities, the fixed one's window. The CT
# template is not in HU: -100 to 100 HU are stretched by 11 from 900 on (Rorden et al. 2012), so
# that 2000 to 2880 is a brain window; "auto" is what a user gets who knows nothing of that.
_T1, _CT = "spm12/canonical_avg152T1.nii", "clinical/scct.nii"
_TEMPLATES = (
    ("T1+PET", _T1, "spm12/OldNorm_PET.nii", ("MR", "PT"), "auto"),
    ("T1+SPECT", _T1, "spm12/OldNorm_SPECT.nii", ("MR", "NM"), "auto"),
    ("T1+T2", "spm12/OldNorm_T1.nii", "spm12/OldNorm_T2.nii", ("MR", "MR"), "auto"),
    ("CT+T1", _CT, _T1, ("", "MR"), "auto"),
    ("CT+T1", _CT, _T1, ("", "MR"), (2000.0, 2880.0)),
)

# The atlas gives no spacing: pixels of about 1 mm, slices as far apart as such scans were, and the
# PET of 73 slices as its own slices show.
_PIXEL_MM = 1.0
_SLICE_MM = {"CT-MRI": 5.0, "PET-MRI": 2.0, "SPECT-MRI": 5.0}


def patient_cases(data: Path, seed: int = 0) -> Iterator[Case]:
    """Templates, patients with a sarcoma, stacked slices and single heads under ``data``.

    Args:
        data: the folder with ``volumes`` and ``harvard``; a part that is absent is passed over.
        seed: of what is simulated beside the single heads.

    Raises:
        InputError: neither of the two is there, or a volume cannot be read.
    """
    volumes, slices = data / "volumes", data / "harvard"
    if not volumes.is_dir() and not slices.is_dir():
        raise InputError(
            f"{data} has neither a folder volumes nor a folder harvard",
            "Name the folder that holds them, or leave it out to use packaged samples alone",
        )
    yield from _templates(volumes)
    yield from _sarcomas(volumes / "sts")
    yield from _stacks(slices)
    yield from _heads(volumes / "niivue", seed)


def _templates(folder: Path) -> Iterator[Case]:
    for group, fixed, moving, modalities, window in _TEMPLATES:
        paths = [folder / fixed, folder / moving]
        if all(path.is_file() for path in paths):
            pair = [_read(p, m) for p, m in zip(paths, modalities, strict=True)]
            name = f"template {group}" + ("" if window == "auto" else ", brain window")
            yield make_case(name, group, "templates", *pair, windows=(window, "auto"))


def _sarcomas(folder: Path) -> Iterator[Case]:
    for patient in STS_PATIENTS:
        if (folder / patient).is_dir():
            ct = _read(folder / patient / "CT_image.nii.gz", "CT")
            pet = _read(folder / patient / "PET_image.nii.gz", "PT")
            tumour = _read(folder / patient / "CT_mask.nii.gz", "")
            yield make_case(patient, "CT+PET", "patients", ct, pet, lesion=tumour)


def _stacks(folder: Path) -> Iterator[Case]:
    for group, numbers in HARVARD_CASES.items():
        if not (folder / group).is_dir():
            continue
        _, held_out = split_by_case(read_group(folder / group))
        for number in numbers:
            pairs = sorted((p for p in held_out if p.case == number), key=lambda p: p.name)
            a, b = (np.stack([getattr(p, side) for p in pairs]) for side in ("a", "b"))
            spacing = (_PIXEL_MM, _PIXEL_MM, _SLICE_MM[group])
            grid = Geometry(a.shape[::-1], spacing, (0.0,) * 3, (1, 0, 0, 0, 1, 0, 0, 0, 1))
            name = group.replace("-", "+")
            # 8-bit slices are windowed already.
            yield make_case(
                f"stack {group} {number}",
                name,
                "stacks",
                Volume(a, grid, "fixed", "OT"),
                Volume(b, grid, "moving", "MR"),
                windows=((0.0, 1.0), (0.0, 1.0)),
            )


def _heads(folder: Path, seed: int) -> Iterator[Case]:
    for number, name in enumerate(SINGLE_HEADS):
        path = folder / f"{name}.nii.gz"
        if path.is_file():
            head = _read(path, "MR")
            partner = functional_like(head, np.random.default_rng([seed, 7, number]))
            yield make_case(f"head {name}", "MR+simulated", "heads", head, partner)


def _read(path: Path, modality: str) -> Volume:
    return replace(read_volume(path), modality=modality)
