"""A result folder and a saved scene of the version at hand, for the tests of later versions.

Writes ``Testing/fixtures/VERSION/``. Run it once before a release; what an earlier version wrote is
never made again:

    python Testing/make_fixtures.py
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "WDualMine"))

from WDualMineLib.cli.main import main
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.progress import finish
from WDualMineLib.scene.application.choices import Registration
from WDualMineLib.scene.application.scene_files import headless_scene, save_scene
from WDualMineLib.scene.result.node_placement import add_registration
from WDualMineLib.scene.result.requests import SceneRequest
from WDualMineLib.scene.result.volume_nodes import add_volume
from WDualMineLib.scene.result.workflow import FusionWorkflow
from WDualMineLib.version import __version__
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

_AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def volumes() -> tuple[Volume, Volume]:
    """An MR and a PET of one small head, on different grids, the PET 2 mm aside."""
    found = []
    for name, modality, size, spacing, seed in (
        ("MR", "MR", (14, 16, 12), (2.0, 2.0, 2.5), 0),
        ("PET", "PT", (10, 12, 10), (3.0, 3.0, 3.0), 1),
    ):
        half = [(n - 1) * s / 2 for n, s in zip(size, spacing, strict=True)]
        k, j, i = np.meshgrid(
            *(np.linspace(-h, h, n) for h, n in zip(half[::-1], size[::-1], strict=True)),
            indexing="ij",
        )
        head = (i / 12) ** 2 + (j / 14) ** 2 + (k / 13) ** 2 < 1
        texture = 60 + 30 * np.cos(i / 3 + seed) * np.cos(j / (2 + seed))
        array = np.rint(np.where(head, texture, 2)).astype(np.float32)
        origin = (-half[0] + 2.0 * seed, -half[1], -half[2])
        found.append(Volume(array, Geometry(size, spacing, origin, _AXES), name, modality))
    return found[0], found[1]


def write_folder(folder: Path, fixed: Volume, moving: Volume, transform: sitk.Transform) -> None:
    """What ``wdualmine fuse`` writes, with a transform and in colour; without the picture."""
    # Relative paths, for the report repeats them.
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch):
        for volume in (fixed, moving):
            write_volume(volume, f"{volume.name}.nrrd")
        sitk.WriteTransform(transform, "aside.tfm")
        options = ["--registration", "aside.tfm", "--colour", "PET-Heat"]
        options += ["--moving-window", "pet", "--device", "cpu"]
        if main(["fuse", "MR.nrrd", "PET.nrrd", "-o", str(folder), *options]):
            sys.exit("the result folder could not be made")
    (folder / "overview.png").unlink()
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    text = json.dumps(report | {"platform": "of a test"}, indent=2)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")


def write_scene(path: Path, fixed: Volume, moving: Volume, transform: sitk.Transform) -> None:
    """A scene after one press of Apply with an existing transform, in colour."""
    with headless_scene() as scene:
        nodes = [add_volume(scene, volume) for volume in (fixed, moving)]
        aside = add_registration(scene, transform, "aside")
        settings = FusionSettings("auto", "pet", colour="PET-Heat", device="cpu")
        request = SceneRequest(*nodes, settings, Registration.TRANSFORM, aside)
        finish(FusionWorkflow(scene).steps(request))
        save_scene(scene, path)


if __name__ == "__main__":
    into = ROOT / "Testing" / "fixtures" / __version__
    aside = sitk.Euler3DTransform()
    aside.SetTranslation((2.0, 0.0, 0.0))
    write_folder(into / "result", *volumes(), aside)
    write_scene(into / "scene.mrb", *volumes(), aside)
    print(f"Written to {into}")
