"""Libraries that a 3D Slicer does not bring along: which are missing, and how they get in."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import logging
import tempfile
from pathlib import Path

import slicer

from ...background import Job, run_in_background
from ...errors import WDualMineError
from ...progress import Steps
from ...resources import resource_path

PYTORCH = "PyTorch"
TORCH_VERSIONS = ">=2.3,<2.13"
"""What the extension PyTorch is asked for. Below 2.3 it cannot work with 3D Slicer's numpy; 2.13 is
reported not to install into 3D Slicer 5.12 on Windows, for its paths get too long. What is there
already is used, whatever its version."""
# Requirement to the name it is imported by.
_IMPORTED_AS = {"PyWavelets": "pywt"}
# Slicer's own: an install must not replace what the rest of the application was built against.
_KEPT = ("numpy", "SimpleITK", "pydicom")


class Dependencies:
    """PyTorch comes through the PyTorch extension, the rest from the Python Package Index."""

    def missing(self) -> list[str]:
        """Names of what has to be installed before anything can be fused."""
        names = [] if importlib.util.find_spec("torch") else [PYTORCH]
        return names + [_name(requirement) for requirement in self._missing_requirements()]

    def install(self) -> None:
        """Install what is missing; call it only once the user agreed.

        Raises:
            WDualMineError: the PyTorch extension is missing, the user declined its question, or
                the packages could not be fetched.
        """
        if PYTORCH in self.missing():
            self._install_pytorch()
        requirements = self._missing_requirements()
        if requirements:
            self._install_packages(requirements)
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

    def _install_pytorch(self) -> None:
        try:
            utilities = importlib.import_module("PyTorchUtils")
        except ModuleNotFoundError as error:
            raise WDualMineError(
                "PyTorch is missing, and so is the extension PyTorch, which installs it",
                "Install the extension PyTorch in the Extensions Manager, restart 3D Slicer and "
                "open this module again",
            ) from error
        try:
            torch = utilities.PyTorchUtilsLogic().installTorch(
                askConfirmation=True, torchVersionRequirement=TORCH_VERSIONS
            )
        except Exception as error:
            raise _not_installed(PYTORCH, error) from error
        if torch is None:
            raise WDualMineError(
                "PyTorch was not installed", "Press the button again when it may be installed"
            )

    def _install_packages(self, requirements: list[str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text("\n".join(_kept_versions()), encoding="utf-8")
            try:
                if importlib.util.find_spec("slicer.packaging") is not None:
                    packaging = importlib.import_module("slicer.packaging")
                    packaging.pip_ensure(
                        requirements,
                        constraints=str(constraints),
                        prompt_install=False,
                        requester="WDualMine",
                    )
                else:  # Slicer 5.10
                    slicer.util.pip_install([*requirements, "-c", str(constraints)])
            except Exception as error:
                raise _not_installed(" and ".join(map(_name, requirements)), error) from error


def _not_installed(what: str, error: Exception) -> WDualMineError:
    return WDualMineError(
        f"{what} could not be installed ({type(error).__name__}: {error})",
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
