"""The pairs of ``wdualmine bench registration``: local data where there is any, and simulated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...lab.registration_trials.simulation import Head, slab
from ...pipeline.sources import read
from ...samples.catalogue import GREY_MATTER, MR_T1, WHITE_MATTER
from ...samples.download import fetch, load
from ...volumes.reading import read_volume
from ...volumes.resampling import to_image
from ...volumes.volume import Volume

_MR_SPACING, _CT_SPACING, _PET_SPACING = (1.2, 1.0, 1.0), (1.0, 1.0, 3.0), (2.5, 2.5, 3.0)
_MR_NOISE, _CT_NOISE_HU, _PET_FWHM_MM, _PET_COUNTS = 0.03, 6.0, 6.0, 20.0


@dataclass(frozen=True)
class Pair:
    """Two aligned volumes.

    Attributes:
        truth: how well they are aligned, in words.
        load: reads or makes (fixed, moving).
        files: those it needs; empty where it needs none of the local data.
    """

    name: str
    truth: str
    load: Callable[[], tuple[Volume, Volume]]
    files: tuple[Path, ...] = ()

    @property
    def missing(self) -> list[Path]:
        return [path for path in self.files if not path.is_file()]


def shared_folder() -> Path:
    """Local data: ``WDUALMINE_SHARED``, else ``../shared`` beside a checkout."""
    beside = Path(__file__).resolve().parents[4] / "shared"
    return Path(os.environ.get("WDUALMINE_SHARED") or beside)


def pairs() -> list[Pair]:
    """Every pair, those with missing files too."""
    return [*_local_pairs(shared_folder() / "data" / "volumes"), *_simulated_pairs()]


def own_pair(paths: Sequence[Path]) -> Pair:
    """A pair that the user brings: two paths that ``wdualmine register`` would take."""

    def load() -> tuple[Volume, Volume]:
        fixed, moving = (read(path) for path in paths)
        return fixed, moving

    return Pair(" / ".join(path.name for path in paths), "aligned as it lies", load)


def strangers() -> Iterator[Volume]:
    """Heads that belong to no pair, where the local data has them."""
    path = shared_folder() / "data" / "volumes" / "spm12" / "canonical_single_subj_T1.nii"
    if path.is_file():
        yield read_volume(path)


def _local_pairs(folder: Path) -> Iterator[Pair]:
    t1 = folder / "spm12" / "OldNorm_T1.nii"
    template = "templates in one space, to about a millimetre"
    for name, modality, path in (
        ("MR-CT template", "", folder / "clinical" / "scct.nii"),
        ("MR-PET template", "PT", folder / "spm12" / "OldNorm_PET.nii"),
        ("MR-SPECT template", "NM", folder / "spm12" / "OldNorm_SPECT.nii"),
    ):
        yield Pair(name, template, _reader((t1, "MR"), (path, modality)), (t1, path))
    for name, patient in (("CT-PET thigh", "STS_001"), ("CT-PET pelvis", "STS_008")):
        ct, pet = (folder / "sts" / patient / f"{m}_image.nii.gz" for m in ("CT", "PET"))
        yield Pair(name, "one patient, one scanner", _reader((ct, "CT"), (pet, "PT")), (ct, pet))


def _reader(fixed: tuple[Path, str], moving: tuple[Path, str]):
    def read() -> tuple[Volume, Volume]:
        volumes = []
        for path, modality in (fixed, moving):
            volume = read_volume(path)
            volumes.append(Volume(volume.array, volume.geometry, volume.name, modality))
        return volumes[0], volumes[1]

    return read


def _simulated_pairs() -> Iterator[Pair]:
    exact = "exact, simulated"

    def mr(spacing=_MR_SPACING) -> Volume:
        return _head().mr(spacing, _MR_NOISE, np.random.default_rng(1))

    def ct() -> Volume:
        return _head().ct(_CT_SPACING, _CT_NOISE_HU, np.random.default_rng(2))

    def pet() -> Volume:
        return _head().pet(_PET_SPACING, _PET_FWHM_MM, _PET_COUNTS, np.random.default_rng(3))

    part = (1.0, 1.0, 1.5)
    yield Pair("MR-CT simulated", exact, lambda: (mr(), ct()))
    yield Pair("MR-PET simulated", exact, lambda: (mr(), pet()))
    yield Pair("part MR-whole PET", exact, lambda: (slab(mr(part), 0.35, 0.85), pet()))
    yield Pair("part MR-part CT", exact, lambda: (slab(mr(part), 0.4, 0.9), slab(ct(), 0.1, 0.75)))


@cache
def _head() -> Head:
    samples = (MR_T1, GREY_MATTER, WHITE_MATTER)
    paths = fetch(samples)
    return Head(*(to_image(load(sample, paths[sample])) for sample in samples))
