"""Missing libraries: named, installed only when told to, and never in place of Slicer's own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from packaging.specifiers import SpecifierSet
from WDualMineLib.errors import WDualMineError
from WDualMineLib.progress import finish
from WDualMineLib.scene.application import dependencies
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
        finish(Dependencies().install_steps())


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
    finish(Dependencies().install_steps())
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
        finish(Dependencies().install_steps())


@pytest.fixture
def pip(monkeypatch, tmp_path):
    """Put a program in the place of Python, which ``-m pip`` is given to; its arguments so far."""
    if sys.platform == "win32":
        pytest.skip("a script is no program there")
    calls = tmp_path / "calls.txt"

    def pip(body: str) -> Path:
        program = tmp_path / "PythonSlicer"
        program.write_text(
            f"#!{sys.executable}\nimport sys, time\n"
            f"open({str(calls)!r}, 'w').write('\\n'.join(sys.argv[1:]))\n{body}\n"
        )
        program.chmod(0o755)
        monkeypatch.setattr(dependencies, "interpreter", lambda: str(program))
        return calls

    return pip


def test_packages_come_under_constraints_that_keep_slicers_own(absent, pip, tmp_path) -> None:
    absent.add("pywt")
    kept = tmp_path / "constraints.txt"
    calls = pip(
        f"open({str(kept)!r}, 'w').write(open(sys.argv[-1]).read())\n"
        "print('Collecting PyWavelets\\n[notice] a new release of pip', flush=True)\n"
        "time.sleep(0.3)"
    )
    told = []
    with pytest.raises(WDualMineError, match="PyWavelets could still not be found"):
        finish(Dependencies().install_steps(), lambda step: told.append(step.message))
    words = calls.read_text().splitlines()
    assert words[:3] == ["-m", "pip", "install"] and words[-2] == "-c"
    assert [word for word in words if word.startswith("PyWavelets")]
    assert {line.split("==")[0] for line in kept.read_text().splitlines()} == {
        "numpy",
        "SimpleITK",
        "pydicom",
    }
    assert "PyWavelets: Collecting PyWavelets" in told and not any("notice" in t for t in told)


def test_once_it_is_there_nothing_is_said(absent, pip, monkeypatch) -> None:
    absent.add("pywt")
    pip("")
    monkeypatch.setattr(
        dependencies, "run_program", lambda *_, **__: (absent.discard("pywt"), (0, []))[1]
    )
    finish(Dependencies().install_steps())


def test_no_network_is_told_with_its_remedy(absent, pip) -> None:
    absent.add("pywt")
    pip("print('ERROR: no route to host'); sys.exit(1)")
    with pytest.raises(
        WDualMineError, match=r"PyWavelets could not be installed \(no route.*internet"
    ):
        finish(Dependencies().install_steps())


def test_no_interpreter_is_told(absent, monkeypatch) -> None:
    absent.add("pywt")
    monkeypatch.setattr(dependencies, "interpreter", lambda: None)
    with pytest.raises(WDualMineError, match="no Python interpreter"):
        finish(Dependencies().install_steps())


def test_an_installation_is_stopped_with_its_program(absent, pip, tmp_path) -> None:
    absent.add("pywt")
    ended = tmp_path / "ended"
    pip(
        "print('Downloading', flush=True)\n"
        "try:\n    time.sleep(60)\n"
        f"except KeyboardInterrupt:\n    open({str(ended)!r}, 'w').close(); sys.exit(1)"
    )
    steps = Dependencies().install_steps()
    started = time.monotonic()
    while "Downloading" not in next(steps).message:
        assert time.monotonic() - started < 30
    steps.close()
    assert ended.exists() and time.monotonic() - started < 30


def test_that_pytorch_takes_the_application_is_said_before(absent, monkeypatch) -> None:
    absent.add("torch")
    told = []

    def installTorch(**_):
        assert any(dependencies.NO_ANSWER in message for message in told)
        absent.discard("torch")
        return object()

    module = types.SimpleNamespace(
        PyTorchUtilsLogic=lambda: types.SimpleNamespace(installTorch=installTorch)
    )
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    finish(Dependencies().install_steps(), lambda step: told.append(step.message))
    assert told[-1] == "PyTorch is installed"


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
