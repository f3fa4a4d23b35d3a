"""Cases from a folder of data: only what is held out, each in its group, parts may be absent."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from WDualMineLib.errors import InputError
from WDualMineLib.lab.split import HARVARD_CASES, STS_PATIENTS
from WDualMineLib.lab.truth.patients import patient_cases
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

GRID = Geometry((20, 18, 8), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def _patient(folder: Path) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    ct = rng.normal(40, 30, GRID.array_shape)
    ct[:, :3], ct[:, 3:7], ct[:, 15:] = -1000, -100, 700
    mask = np.zeros(GRID.array_shape)
    mask[3:6, 8:12, 8:12] = 1
    pet = 1 + rng.random(GRID.array_shape) + 6 * mask
    for name, array in (("CT_image", ct), ("PET_image", pet), ("CT_mask", mask)):
        write_volume(Volume(array.astype(np.float32), GRID), folder / f"{name}.nii.gz")


def _slices(folder: Path, case: int) -> None:
    rng = np.random.default_rng(case)
    for side in ("SPECT", "MRI"):
        (folder / side).mkdir(parents=True, exist_ok=True)
        for number in range(9):
            image = rng.integers(0, 255, (24, 24), dtype=np.uint8)
            Image.fromarray(image).save(folder / side / f"{case}{number:03d}.png")


def test_held_out_patients_and_cases_alone_are_read(tmp_path) -> None:
    for patient in (STS_PATIENTS[1], "STS_003"):
        _patient(tmp_path / "volumes" / "sts" / patient)
    for case in (*HARVARD_CASES["SPECT-MRI"], 10):
        _slices(tmp_path / "harvard" / "SPECT-MRI", case)
    cases = {case.name: case for case in patient_cases(tmp_path)}
    assert set(cases) == {STS_PATIENTS[1], "stack SPECT-MRI 22", "stack SPECT-MRI 35"}
    patient = cases[STS_PATIENTS[1]]
    assert (patient.group, patient.family) == ("CT+PET", "patients")
    assert patient.lesion.sum() == 3 * 4 * 4
    assert patient.uptake.max() > 7
    stack = cases["stack SPECT-MRI 22"]
    assert stack.group == "SPECT+MRI"
    assert stack.spacing == (5.0, 1.0, 1.0)
    assert len(stack.sources[0]) == 9


def test_a_folder_of_something_else_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="neither a folder volumes nor a folder harvard"):
        list(patient_cases(tmp_path))


def test_the_shared_data_gives_every_family() -> None:
    shared = Path(os.environ.get("WDUALMINE_SHARED", Path(__file__).parents[4] / "shared"))
    if not (shared / "data").is_dir():
        pytest.skip(f"no data in {shared} (set WDUALMINE_SHARED to the folder that has it)")
    cases = list(patient_cases(shared / "data"))
    families = {case.family for case in cases}
    assert families == {"templates", "patients", "stacks", "heads"}
    assert sum(case.family == "patients" for case in cases) == 6
    assert all(case.lesion.any() for case in cases if case.family == "patients")
