"""The wheel works away from the checkout: the command is there, and so are the shipped files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = ROOT / "WDualMine" / "Resources"

PROGRAM = """
import importlib.metadata, json
import WDualMineLib
from WDualMineLib.resources import resource_path
(script,) = importlib.metadata.distribution("wdualmine").entry_points.select(name="wdualmine")
print(json.dumps({
    "package": WDualMineLib.__file__,
    "resource": str(resource_path("requirements.txt")),
    "models": sorted(path.name for path in resource_path("Models").iterdir()),
    "version": importlib.metadata.version("wdualmine"),
    "command": callable(script.load()),
}))
"""


def run_python(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel was installed into, without its dependencies."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    run_python(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(ROOT))
    (wheel,) = wheels.glob("wdualmine-*.whl")
    run_python(*pip, "install", "--no-deps", "--target", str(target), str(wheel))
    return target


def test_the_wheel_carries_command_and_resources(installed: Path) -> None:
    from WDualMineLib.version import __version__

    found = json.loads(run_python("-P", "-c", PROGRAM, PYTHONPATH=str(installed)))
    assert Path(found["package"]).is_relative_to(installed)
    assert Path(found["resource"]).is_relative_to(installed)
    assert found["models"] == sorted(path.name for path in (RESOURCES / "Models").iterdir())
    assert found["version"] == __version__
    assert found["command"]


def test_the_wheel_leaves_nothing_beside_its_package(installed: Path) -> None:
    others = {path.name for path in installed.iterdir()} - {"bin", "WDualMineLib"}
    assert all(name.endswith(".dist-info") for name in others), others


def test_a_missing_resource_is_named_with_a_remedy() -> None:
    from WDualMineLib.errors import WDualMineError
    from WDualMineLib.resources import resource_path

    with pytest.raises(WDualMineError, match=r"Resources/Models/absent\.pt.*Install"):
        resource_path("Models/absent.pt")
