"""The panel opened on series as scanners and archives leave them, as 3D Slicer's import takes them.

That is ITK's reading: slices stacked as if they were even and upright. What cannot be told from
such a volume, its files still tell.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

pytest.importorskip("PySide6", reason="PySide6 is not installed")
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

from WDualMineLib.scene.result.dicom_origin import INSTANCES
from WDualMineLib.scene.result.volume_nodes import add_volume, volume_of
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

SHARED = Path(os.environ.get("WDUALMINE_SHARED", Path(__file__).parents[3] / "shared"))
DATA = SHARED / "data" / "dicom"

# Folder: what the panel says of the fused result; "" where the slices lie as a grid has them.
SERIES = {
    "ct_head_ge_gantrytilt": "the gantry was tilted by 18.5 degrees",
    "ct_monai_4slices": "the series misses slices",
    "d2n_failing/gantrytilting/001": "the gantry was tilted",
    "d2n_failing/notavolume/001": "3 of its 4 images lie where another one does",
    "d2n_failing/slicecount/001": "",
    "d2n_failing/sliceincrement/001": "the series misses slices",
    "d2n_failing/sliceincrement/002": "the series misses slices",
    "d2n_failing/sliceorientation/001": "the series mixes orientations",
    "d2n_ge_anatomical_001": "",
    "d2n_hitachi_anatomical_001": "",
    "d2n_hyperfine_anatomical_001": "",
    "d2n_philips_anatomical_001": "",
    "d2n_philips_enhanced_anatomical_001": "",
    "d2n_siemens_anatomical_001": "",
    "sts_008_ct_pt_mr/CT/image": "",
    "sts_008_ct_pt_mr/MR_T1/image": "",
    "sts_008_ct_pt_mr/PET/image": "",
}
# Folders of objects that are no volumes of one value a voxel, and of single images of many kinds.
OTHERS = {
    "pydicom_small",
    "sc_rgb_nogeometry_ct_mr/CT",
    "sc_rgb_nogeometry_ct_mr/T1-MRI",
    "sts_008_ct_pt_mr/CT/mask",
    "sts_008_ct_pt_mr/MR_T1/mask",
    "sts_008_ct_pt_mr/PET/mask",
}


@pytest.fixture
def loaded(database, scene):
    """Load what a folder holds, as Slicer's import does: the nodes."""

    def loaded(folder: str) -> list:
        place = DATA / folder
        if not place.is_dir():
            pytest.skip(f"{place} is not here (set WDUALMINE_SHARED to the folder with data/)")
        series: dict[str, list[tuple[Path, pydicom.Dataset]]] = {}
        for path in sorted(p for p in place.iterdir() if p.is_file()):
            header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            if "Rows" in header:
                series.setdefault(str(header.SeriesInstanceUID), []).append((path, header))
                database.take(path, copy=False)
        return [node_of(scene, place, uid, files) for uid, files in series.items()]

    return loaded


def node_of(scene, place: Path, uid: str, files: list):
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(place), uid)
    image = sitk.ReadImage(names if len(names) > 1 else str(files[0][0]))
    geometry = (image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    modality = str(files[0][1].get("Modality", ""))
    volume = Volume(sitk.GetArrayFromImage(image), Geometry(*geometry), place.name, modality)
    node = add_volume(scene, volume)
    node.SetAttribute(INSTANCES, " ".join(str(header.SOPInstanceUID) for _, header in files))
    return node


def partner_of(scene, node):
    """A volume of another kind on the same grid."""
    volume = volume_of(node)
    noise = np.random.default_rng(0).uniform(0, 50, volume.array.shape)
    inside = volume.array > np.median(volume.array)
    other = "PT" if volume.modality == "MR" else "MR"
    array = (noise + 100 * inside).astype(np.float32)
    return add_volume(scene, Volume(array, volume.geometry, "Partner", other))


@pytest.mark.parametrize(("folder", "words"), SERIES.items(), ids=SERIES)
def test_a_series_is_fused_and_what_distorts_it_is_said(
    driver, shown_widget, session, loaded, scene, simple_network, folder, words
) -> None:
    (node,) = loaded(folder)
    shown_widget[1].enter()
    session.parameters.fixedVolume = node
    session.parameters.movingVolume = partner_of(scene, node)
    driver.choose("registrationCombo", "Off")
    driver.click("applyButton")
    driver.wait_until(lambda: not session.running)
    assert session.nodes is not None, driver.text("statusLabel")
    said = driver.text("statusLabel")
    assert ("may be distorted" in said) == bool(words), said
    if words:
        assert words in said and "regularize the acquisition geometry" in said, said


@pytest.mark.parametrize("folder", sorted(OTHERS))
def test_colours_are_not_offered_and_single_images_are(
    driver, shown_widget, loaded, scene, folder
) -> None:
    nodes = loaded(folder)
    shown_widget[1].enter()
    driver.settle()
    box = driver.ui.fixedSelector
    offered = {box.itemText(index) for index in range(1, box.count())}
    assert offered == {node.GetName() for node in nodes if node.IsA("vtkMRMLScalarVolumeNode")
                       and not node.IsA("vtkMRMLVectorVolumeNode")}  # fmt: skip
    if folder != "pydicom_small":
        assert not offered


def test_no_folder_is_left_out() -> None:
    if not DATA.is_dir():
        pytest.skip(f"no DICOM data in {DATA} (set WDUALMINE_SHARED to the folder that has it)")
    folders = {p.parent.relative_to(DATA).as_posix() for p in DATA.rglob("*") if p.is_file()}
    # What two series lie in that are tried one by one below it.
    assert folders - {"d2n_failing/slicecount", "d2n_failing/sliceincrement"} == {*SERIES, *OTHERS}
