"""Commands run in this process on small volumes, with a network of random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from WDualMineLib.cli.main import main
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys) -> Callable[..., Outcome]:
    """``wdualmine`` with these arguments: exit code, stdout, stderr."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(run) -> Callable[..., str]:
    """Run a command that must fail with exit code 2 and one line on stderr, which is returned."""

    def refused(*arguments: object) -> str:
        code, out, err = run(*arguments)
        assert code == 2
        assert out == ""
        assert err.count("\n") == 1, err
        return err

    return refused


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """A weights file of the shipped architecture, untrained."""
    import torch
    from WDualMineLib.network.model import DualMineNetwork
    from WDualMineLib.network.weights import save_weights

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "random.pt"
    save_weights(DualMineNetwork(), path)
    return path


def head(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """float32 (K, J, I): a textured ellipsoid in air."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(shape)
    centre, radii = (np.array(shape) - 1) / 2, np.maximum(np.array(shape) * 0.4, 1)
    inside = sum(((x - c) / r) ** 2 for x, c, r in zip((k, j, i), centre, radii, strict=True)) < 1
    texture = 100 + 60 * np.sin(i / 3 + seed) * np.cos(j / 4 * (seed + 1)) + rng.normal(0, 5, shape)
    return np.where(inside, texture, 0).astype(np.float32)


@pytest.fixture
def save(tmp_path) -> Callable[..., Path]:
    """Write a volume: an array (K, J, I), or None for a head of ``size``."""

    def save(
        name: str,
        array: np.ndarray | None = None,
        *,
        size: tuple[int, int, int] = (24, 20, 6),
        seed: int = 0,
        spacing=(1.0, 1.25, 3.0),
        origin=(-11.5, -12.0, 8.0),
        direction: np.ndarray | None = None,
    ) -> Path:
        array = head(size[::-1], seed) if array is None else array
        direction = np.eye(3) if direction is None else direction
        grid = Geometry(array.shape[2::-1], spacing, origin, tuple(direction.ravel().tolist()))
        return write_volume(Volume(array, grid), tmp_path / name)

    return save


@pytest.fixture
def geometry_of() -> Callable[[Path], tuple]:
    """What SimpleITK, and with it Slicer, reads of a file's geometry."""

    def geometry_of(path: Path) -> tuple:
        image = sitk.ReadImage(str(path))
        return image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()

    return geometry_of


@pytest.fixture
def save_image(tmp_path) -> Callable[..., Path]:
    """Write an 8-bit image into a folder of ``tmp_path``: an array, or a head in grey or colour."""

    def save_image(
        name: str,
        array: np.ndarray | None = None,
        *,
        size: tuple[int, int] = (40, 32),
        seed: int = 0,
        colour: bool = False,
    ) -> Path:
        if array is None:
            array = np.clip(head((1, *size[::-1]), seed)[0] * 1.4, 0, 255).astype(np.uint8)
            if colour:
                array = np.stack([array, array // 2, array.max() - array], axis=-1)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(array).save(path)
        return path

    return save_image


@pytest.fixture
def training_data(tmp_path) -> Callable[[int], Path]:
    """A folder laid out as the slice pairs of the training: two cases a group, square images."""

    def training_data(side: int) -> Path:
        rng = np.random.default_rng(0)
        ramp = np.linspace(0, 255, side)
        # The first case of each group is for training, the second for validation.
        for group, cases in {"CT-MRI": (2, 33), "PET-MRI": (25, 30), "SPECT-MRI": (4, 22)}.items():
            for case in cases:
                for modality, image in ((group[:-4], np.add.outer(ramp, ramp) / 2), ("MRI", ramp)):
                    path = tmp_path / "data" / group / modality / f"{case}001.png"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    noisy = image + rng.uniform(0, 60, (side, side))
                    Image.fromarray(np.uint8(np.clip(noisy, 0, 255))).save(path)
        return tmp_path / "data"

    return training_data
