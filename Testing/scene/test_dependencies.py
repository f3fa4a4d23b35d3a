"""Missing libraries: named, installed only when told to, and never in place of Slicer's own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from pathlib import Path

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from packaging.specifiers import SpecifierSet
from WDualMineLib.errors import WDualMineError
from WDualMineLib.progress import finish
from WDualMineLib.scene.application.dependencies import Dependencies


@pytest.fixture
def absent(monkeypatch) -> set[str]:
    """Names of modules that cannot be found."""
    names: set[str] = set()
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name in names else real(name, *a)
    )
    return names


def test_nothing_is_missing_here() -> None:
    assert Dependencies().missing() == []


def test_what_is_missing_has_the_name_that_users_know(absent) -> None:
    absent |= {"torch", "pywt"}
    assert Dependencies().missing() == ["PyTorch", "PyWavelets"]


def test_without_the_pytorch_extension_the_way_to_it_is_told(absent) -> None:
    absent.add("torch")
    with pytest.raises(WDualMineError, match="Extensions Manager"):
        Dependencies().install()


def test_pytorch_comes_through_its_extension(absent, monkeypatch) -> None:
    absent.add("torch")
    asked = []

    class PyTorchUtilsLogic:
        def installTorch(
            self,
            askConfirmation=False,
            forceComputationBackend=None,
            torchVersionRequirement=None,
            torchvisionVersionRequirement=None,
        ):
            asked.extend([askConfirmation, torchVersionRequirement])
            absent.discard("torch")
            return object()

    module = types.SimpleNamespace(PyTorchUtilsLogic=PyTorchUtilsLogic)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    Dependencies().install()
    confirmed, versions = asked
    assert confirmed
    # Too long paths for 3D Slicer 5.12 on Windows, and too old for numpy 2.
    wanted = SpecifierSet(versions)
    assert "2.13.0" not in wanted and "2.2.2" not in wanted
    assert "2.12.1" in wanted and "2.3.0" in wanted


def test_a_user_who_declines_is_heard(absent, monkeypatch) -> None:
    absent.add("torch")
    logic = types.SimpleNamespace(installTorch=lambda **_: None)
    module = types.SimpleNamespace(PyTorchUtilsLogic=lambda: logic)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    with pytest.raises(WDualMineError, match="not installed"):
        Dependencies().install()


def test_packages_come_under_constraints_that_keep_slicers_own(absent, monkeypatch) -> None:
    absent.add("pywt")
    told: list[str] = []

    def pip_install(arguments) -> None:
        told.extend(arguments[:-2])
        assert arguments[-2] == "-c"
        told.append(Path(arguments[-1]).read_text())
        absent.discard("pywt")

    monkeypatch.setattr(slicer.util, "pip_install", pip_install)
    Dependencies().install()
    (requirement, constraints) = told
    assert requirement.startswith("PyWavelets")
    assert {line.split("==")[0] for line in constraints.splitlines()} == {
        "numpy",
        "SimpleITK",
        "pydicom",
    }


def test_no_network_is_told_with_its_remedy(absent, monkeypatch) -> None:
    absent.add("pywt")

    def pip_install(_) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(slicer.util, "pip_install", pip_install)
    with pytest.raises(WDualMineError, match=r"PyWavelets could not be installed.*internet"):
        Dependencies().install()


def test_what_a_first_fusion_imports_is_loaded_ahead() -> None:
    """In a process that has not imported it yet."""
    program = """
import sys
from WDualMineLib.progress import finish
from WDualMineLib.scene.application.dependencies import Dependencies
wanted = {"torch", "WDualMineLib.fusion.engine", "WDualMineLib.registration.api"}
assert not wanted & sys.modules.keys(), "nothing to be loaded"
finish(Dependencies().preload_steps())
assert wanted <= sys.modules.keys(), wanted - sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_cannot_be_loaded_ahead_is_told_later(monkeypatch) -> None:
    """By whoever needs it; here it is no error of the user's."""
    monkeypatch.setitem(sys.modules, "torch", None)
    finish(Dependencies().preload_steps())
