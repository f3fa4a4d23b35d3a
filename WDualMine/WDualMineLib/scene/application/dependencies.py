"""Libraries that a 3D Slicer does not bring along: which are missing, and how they get in."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import logging
import tempfile
import time
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from ...background import Job, run_in_background
from ...errors import WDualMineError
from ...interpreter import interpreter
from ...progress import Progress, Steps
from ...resources import resource_path
from ...stoppable import run_program

PYTORCH = "PyTorch"
TORCH_VERSIONS = ">=2.3,<2.13"
"""What the extension PyTorch is asked for. Below 2.3 it cannot work with 3D Slicer's numpy; 2.13 is
reported not to install into 3D Slicer 5.12 on Windows, for its paths get too long. What is there
already is used, whatever its version."""
NO_ANSWER = "Until it is through, some minutes, 3D Slicer may not answer."
# Requirement to the name it is imported by.
_IMPORTED_AS = {"PyWavelets": "pywt"}
# Slicer's own: an install must not replace what the rest of the application was built against.
_KEPT = ("numpy", "SimpleITK", "pydicom")
# As long as a window takes to show what was put into it, before it cannot any more.
_SEEN_S = 0.3
# What pip says of itself rather than of its work.
_ASIDE = ("[notice]", "WARNING: Running pip", "WARNING: The script")


class Dependencies:
    """PyTorch comes through the PyTorch extension, the rest from the Python Package Index."""

    def missing(self) -> list[str]:
        """Names of what has to be installed before anything can be fused."""
        names = [] if importlib.util.find_spec("torch") else [PYTORCH]
        return names + [_name(requirement) for requirement in self._missing_requirements()]

    def install_steps(self) -> Steps[None]:
        """Install what is missing; start it only once the user agreed.

        The packages come through pip in a process of its own, which closing ends. PyTorch comes
        through its extension, which does that within one step, however long it takes, and asks the
        user itself.

        Raises:
            WDualMineError: the PyTorch extension is missing, the user declined its question, or
                the packages could not be fetched.
        """
        if PYTORCH in self.missing():
            utilities = _pytorch_extension()
            told = time.monotonic()
            while time.monotonic() - told < _SEEN_S:
                yield Progress(0, f"{PYTORCH} comes through its extension. {NO_ANSWER}")
            _install_pytorch(utilities)
            yield Progress(0, f"{PYTORCH} is installed")
        requirements = self._missing_requirements()
        if requirements:
            yield from run_in_background(partial(_install_packages, requirements))
        importlib.invalidate_caches()
        if still := self.missing():
            raise WDualMineError(
                f"{' and '.join(still)} could still not be found after the installation",
                "Restart 3D Slicer and open this module again",
            )

    def preload_steps(self) -> Steps[None]:
        """Load PyTorch and what computes with it, in a thread; nothing comes of a failure."""

        def work(job: Job) -> None:
            try:
                import torch  # noqa: F401

                from ...fusion import engine  # noqa: F401
                from ...network import weights  # noqa: F401

                job.check()
                from ...registration import api  # noqa: F401
            except Exception:
                # Whoever needs it imports it again, and tells the user what is wrong.
                logging.info("WDualMine could not load PyTorch ahead", exc_info=True)

        return run_in_background(work)

    def _missing_requirements(self) -> list[str]:
        lines = resource_path("requirements.txt").read_text(encoding="utf-8").splitlines()
        wanted = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        return [each for each in wanted if not importlib.util.find_spec(_module(each))]


def _pytorch_extension() -> ModuleType:
    try:
        return importlib.import_module("PyTorchUtils")
    except ModuleNotFoundError as error:
        raise WDualMineError(
            "PyTorch is missing, and so is the extension PyTorch, which installs it",
            "Install the extension PyTorch in the Extensions Manager, restart 3D Slicer and "
            "open this module again",
        ) from error


def _install_pytorch(utilities: Any) -> None:
    try:
        torch = utilities.PyTorchUtilsLogic().installTorch(
            askConfirmation=True, torchVersionRequirement=TORCH_VERSIONS
        )
    except Exception as error:
        raise _not_installed(PYTORCH, f"{type(error).__name__}: {error}") from error
    if torch is None:
        raise WDualMineError(
            "PyTorch was not installed", "Press the button again when it may be installed"
        )


def _install_packages(requirements: list[str], job: Job) -> None:
    """As ``slicer.util.pip_install`` does it, which cannot be stopped."""
    names = " and ".join(map(_name, requirements))
    program = interpreter()
    if program is None:
        raise _not_installed(names, "no Python interpreter was found")

    def tell(line: str) -> None:
        logging.info(line)
        if line.strip() and not line.startswith(_ASIDE):
            job.report(0, f"{names}: {line.strip()}")

    job.report(0, f"{names}: asking the Python Package Index")
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(_kept_versions()), encoding="utf-8")
        command = [program, "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
                   "--progress-bar", "off", *requirements, "-c", str(constraints)]  # fmt: skip
        try:
            failed, said = run_program(command, job.check, tell)
        except OSError as error:
            raise _not_installed(names, error.strerror or str(error)) from error
    if failed:
        lines = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR")]
        raise _not_installed(names, (lines or said or ["no reason given"])[-1])


def _not_installed(what: str, reason: str) -> WDualMineError:
    return WDualMineError(
        f"{what} could not be installed ({reason})",
        "Check the internet connection and the free disk space, then press the button again; the "
        "Python console has the details",
    )


def _kept_versions() -> list[str]:
    versions = []
    for name in _KEPT:
        try:
            versions.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _name(requirement: str) -> str:
    return requirement.split(">")[0].split("=")[0].split("<")[0].strip()


def _module(requirement: str) -> str:
    return _IMPORTED_AS.get(_name(requirement), _name(requirement))
