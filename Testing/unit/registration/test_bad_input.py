"""What users bring by mistake, to ``register`` and to ``fuse --registration``: 2 or 3, and why."""

from __future__ import annotations

import numpy as np
import phantom
import pytest
import SimpleITK as sitk
from WDualMineLib.lab.registration_trials.impostors import mirrored
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume


def _volume(array: np.ndarray, spacing: float = 3.0) -> Volume:
    geometry = Geometry(array.shape[2::-1], (spacing,) * 3, (-40.0,) * 3, phantom.UPRIGHT)
    return Volume(array.astype(np.float32), geometry)


NOISE = np.random.default_rng(0).random((30, 30, 30))
UNUSABLE = {
    "constant": (_volume(np.full((30, 30, 30), 7.0)), ("constant",)),
    "nothing finite": (_volume(np.full((30, 30, 30), np.nan)), ("finite",)),
    "three slices": (_volume(NOISE[:3]), ("too small",)),
    "tiny": (_volume(NOISE, 0.2), ("too small",)),
}
COMMANDS = ("register", "fuse")


@pytest.fixture(params=COMMANDS)
def align(request, command, tmp_path):
    """Either command that aligns: exit code and message; checks that nothing else is left."""

    def align(fixed, moving, transform=None) -> tuple[int, str]:
        options = {
            ("register", False): (),
            ("register", True): ("--kind", "none", "--initial", transform),
            ("fuse", False): ("--registration", "rigid"),
            ("fuse", True): ("--registration", transform),
        }[request.param, transform is not None]
        before = set(tmp_path.rglob("*"))
        outcome = command(request.param, fixed, moving, "-o", tmp_path / "out", *options)
        left = {p.name for p in set(tmp_path.rglob("*")) - before}
        report = {"out", "report.json"} if request.param == "register" else set()
        assert left == (report if outcome.code == 3 else set())
        return outcome.code, outcome.err.splitlines()[-1]

    return align


@pytest.mark.parametrize("role", ["fixed", "moving"])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_volume_that_cannot_be_aligned_is_refused_by_name(align, save, mr, kind, role) -> None:
    volume, words = UNUSABLE[kind]
    paths = [save(mr, "head.nrrd"), save(volume, "culprit.nrrd")]
    code, message = align(*(paths if role == "moving" else reversed(paths)))
    assert code == 2
    for word in ("culprit", *words):
        assert word in message


def test_another_body_part(align, save, mr) -> None:
    code, message = align(save(mr, "head.nrrd"), save(phantom.limb("CT"), "limb.nrrd"))
    assert code == 3
    assert "limb" in message and "same body part of the same patient" in message


def test_a_mirrored_volume(align, save, mr, ct) -> None:
    flipped = mirrored(ct, np.random.default_rng(0))
    code, message = align(save(mr, "head.nrrd"), save(flipped, "flipped.nrrd"))
    assert code == 3
    assert "flipped" in message and "left and right exchanged" in message


def test_a_transform_that_leads_out_of_the_volume(align, save, mr, ct, tmp_path) -> None:
    away = sitk.TranslationTransform(3, (0.0, 0.0, 4000.0))
    sitk.WriteTransform(away, str(tmp_path / "away.tfm"))
    paths = save(mr, "head.nrrd"), save(ct, "ct.nrrd")
    code, message = align(*paths, transform=tmp_path / "away.tfm")
    assert code == 3
    assert "field of view" in message and "by hand" in message


def _write_wrong(kind: str, path) -> str:
    """A transform file that cannot be used, and a word of the reason."""
    grid = sitk.Image([6, 6, 6], sitk.sitkVectorFloat64, 3)
    transforms = {
        "warp": (sitk.DisplacementFieldTransform(grid), "not linear"),
        "spline": (sitk.BSplineTransform(3), "not linear"),
        "flat": (sitk.Euler2DTransform(), "2-D"),
        "mirror": (sitk.ScaleTransform(3, (-1.0, 1.0, 1.0)), "mirrors"),
        "singular": (sitk.ScaleTransform(3, (1.0, 1e-9, 1.0)), "singular"),
    }
    if kind in transforms:
        sitk.WriteTransform(transforms[kind][0], str(path))
        return transforms[kind][1]
    if kind == "text":
        path.write_text("translate by 5 mm, please")
        return "not a transform"
    return "does not exist"


@pytest.mark.parametrize(
    "kind", ["warp", "spline", "flat", "mirror", "singular", "text", "missing"]
)
def test_a_transform_file_of_the_wrong_kind(align, save, mr, ct, tmp_path, kind) -> None:
    word = _write_wrong(kind, tmp_path / "given.h5")
    paths = save(mr, "head.nrrd"), save(ct, "ct.nrrd")
    code, message = align(*paths, transform=tmp_path / "given.h5")
    assert code == 2
    assert "given.h5" in message and word in message
