"""A result from a folder whose look can be changed, since its network was run again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[web]'")
pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

from WDualMineLib.errors import InputError
from WDualMineLib.pipeline.folder import save
from WDualMineLib.pipeline.run import fuse
from WDualMineLib.progress import finish
from WDualMineLib.web.again import again_steps
from WDualMineLib.web.study import study_of


@pytest.fixture(scope="module")
def real(sources, tmp_path_factory) -> Path:
    """What the network itself made of the sources."""
    return save(fuse(*sources), tmp_path_factory.mktemp("real") / "fused")


def test_it_is_the_same_and_its_look_changes(real: Path, sources) -> None:
    result, fixed, moving = finish(again_steps(real, [sources[0].parent]))
    kept = sitk.GetArrayFromImage(sitk.ReadImage(str(real / "fused.nrrd")))
    np.testing.assert_allclose(result.fused.array, kept, atol=1e-6)
    study = study_of(result, fixed, moving, anonymise=False)
    assert study.has_looks
    assert np.abs(study.with_look((0.0, 0.985)).fused.array - kept).max() > 0.01


def test_sources_elsewhere_are_not_read_for_it(real: Path) -> None:
    with pytest.raises(InputError, match="lies outside"):
        finish(again_steps(real, []))


def test_another_result_is_not_passed_off_as_it(real: Path, sources, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(real, other)
    image = sitk.ReadImage(str(other / "fused.nrrd"))
    changed = sitk.Clamp(image * 0.5, sitk.sitkFloat32)
    for key in image.GetMetaDataKeys():
        changed.SetMetaData(key, image.GetMetaData(key))
    sitk.WriteImage(changed, str(other / "fused.nrrd"))
    with pytest.raises(InputError, match="is another one"):
        finish(again_steps(other, [sources[0].parent]))
