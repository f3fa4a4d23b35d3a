"""Whatever goes wrong: the panel says what failed and what to do, and the scene is as it was."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
vtk = pytest.importorskip("vtk", reason="slicer-core is not installed")

from .conftest import snapshot

SHAPE = (40, 80, 72)


def label_map(scene, parameters) -> None:
    from WDualMineLib.scene.result.volume_nodes import update_volume

    node = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    update_volume(node, _volume(np.ones(SHAPE, np.uint8)))
    parameters.movingVolume = node


def colour_volume(scene, parameters) -> None:
    from WDualMineLib.scene.result.volume_nodes import add_volume

    parameters.fixedVolume = add_volume(scene, _volume(np.ones((*SHAPE, 3), np.uint8)))


def time_series(scene, parameters) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Series")
    image = vtk.vtkImageData()
    image.SetDimensions(SHAPE[::-1])
    image.AllocateScalars(vtk.VTK_FLOAT, 4)
    node.SetAndObserveImageData(image)
    parameters.fixedVolume = node


def no_voxels(scene, parameters) -> None:
    parameters.movingVolume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")


def one_volume_twice(_scene, parameters) -> None:
    parameters.movingVolume = parameters.fixedVolume


def bent_parent(scene, parameters) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Bent")
    parameters.movingVolume.SetAndObserveTransformNodeID(node.GetID())


def bent_choice(scene, parameters) -> None:
    from WDualMineLib.scene.application.choices import Registration

    parameters.transform = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Bent")
    parameters.registration = Registration.TRANSFORM


def no_transform(_scene, parameters) -> None:
    from WDualMineLib.scene.application.choices import Registration

    parameters.registration = Registration.TRANSFORM


def output_is_input(_scene, parameters) -> None:
    parameters.fused = parameters.fixedVolume


def output_twice(scene, parameters) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Mine")
    parameters.fused = parameters.arbitration = node


def _volume(array):
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume

    grid = Geometry(SHAPE[::-1], (2.4, 2.4, 4.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return Volume(array, grid, "Picture")


@pytest.mark.parametrize(
    ("spoil", "what", "remedy"),
    [
        (label_map, "Labels is a label map.", "Choose a volume of grey values."),
        (
            colour_volume,
            "Picture holds 3 values a voxel",
            "extract one component or time point first.",
        ),
        (
            time_series,
            "Series holds 4 values a voxel",
            "extract one component or time point first.",
        ),
        (no_voxels, "Empty holds no voxels.", "choose another volume."),
        (
            one_volume_twice,
            "as both the fixed and the moving volume.",
            "Choose two different volumes",
        ),
        (bent_parent, "The transform Bent of CTHead is not linear.", "Harden it"),
        (bent_choice, "The transform Bent is not linear.", "or choose a linear one."),
        (no_transform, "No transform is chosen.", "Choose the transform"),
        (output_is_input, "The output MRHead is also an input.", "Choose another node"),
        (output_twice, "The output Mine is also another output.", "Choose another node"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_what_cannot_be_fused_turns_apply_off(ready, session, scene, spoil, what, remedy) -> None:
    spoil(scene, session.parameters)
    session.changed.emit()
    before = snapshot(scene)
    assert not ready.ui.applyButton.isEnabled()
    for said in (ready.text("reasonLabel"), ready.ui.applyButton.toolTip()):
        assert what in said and remedy in said
    assert ready.ui.reasonLabel.isVisible()
    ready.settle()
    assert snapshot(scene) == before and not session.running


def apply(driver, session) -> str:
    driver.click("applyButton")
    driver.wait_until(lambda: not session.running)
    return driver.text("statusLabel")


def test_volumes_that_do_not_overlap(ready, session, scene, volumes) -> None:
    volumes[1].SetOrigin(5000, 0, 0)
    before = snapshot(scene)
    said = apply(ready, session)
    assert "CTHead does not overlap" in said.replace("'", "") and len(said.splitlines()) == 2
    assert snapshot(scene) == before


def test_a_window_in_which_nothing_is_seen(ready, session, scene) -> None:
    ready.choose("movingWindowCombo", "From")
    ready.ui.movingLowSpin.setValue(5000)
    ready.ui.movingHighSpin.setValue(6000)
    before = snapshot(scene)
    assert "leaves nothing to be seen" in apply(ready, session)
    assert snapshot(scene) == before


@pytest.mark.parametrize("which", [0, 1])
def test_a_volume_deleted_during_the_run(ready, session, scene, volumes, which) -> None:
    ready.click("applyButton")
    name = volumes[which].GetName()
    scene.RemoveNode(volumes[which])
    before = snapshot(scene)
    ready.wait_until(lambda: not session.running)
    said = ready.text("statusLabel")
    assert f"{name} was deleted during the run." in said and "apply again." in said
    assert snapshot(scene) == before


def test_an_output_deleted_during_the_run_is_made_again(fused, session, scene) -> None:
    old = session.nodes.arbitration
    fused.click("applyButton")
    scene.RemoveNode(old)
    fused.wait_until(lambda: not session.running)
    assert fused.text("statusLabel").startswith("Fused.")
    assert session.nodes.arbitration is not old and session.nodes.arbitration.GetScene() is scene


@pytest.fixture
def network(monkeypatch, simple_network):
    """Lets the network run out of memory for batches larger than ``most``, or on any GPU."""
    import torch
    from WDualMineLib.network import weights

    inner = weights.load_model()

    def limit(most: int) -> None:
        class Short(torch.nn.Module):
            def forward(self, a, b, *rest):
                if len(a) > most or a.device.type != "cpu":
                    raise torch.cuda.OutOfMemoryError("CUDA out of memory")
                return inner(a, b, *rest)

        monkeypatch.setattr(weights, "load_model", lambda *_: Short())

    return limit


def test_too_little_memory_for_a_slice(ready, session, scene, network) -> None:
    network(0)
    before = snapshot(scene)
    said = apply(ready, session)
    assert "too little memory for one slice" in said and "Close other programs" in said
    assert snapshot(scene) == before


def test_little_memory_is_made_do_with_and_told(ready, session, network) -> None:
    network(1)
    said = apply(ready, session)
    assert said.startswith("Fused.") and "Memory ran short" in said


def test_a_full_gpu_gives_way_to_the_cpu_and_it_is_told(
    ready, session, network, monkeypatch
) -> None:
    import torch
    from WDualMineLib.fusion import engine

    network(99)
    # The meta device computes nothing, which is enough of a GPU to run out of memory.
    monkeypatch.setattr(engine, "choose_device", lambda name: (torch.device("meta"), []))
    said = apply(ready, session)
    assert said.startswith("Fused.") and "on the CPU" in said
    assert "The GPU has too little memory, so the CPU computed instead." in said


def test_no_memory_for_the_outputs(fused, session, scene, monkeypatch) -> None:
    """Those of an earlier run, half of them written already, are as they were."""
    from WDualMineLib.scene.result import result_nodes as outputs

    done = []

    def update(node, volume, image):
        if len(done) == 3:
            raise MemoryError
        done.append(node)
        real(node, volume, image)

    real = outputs.update_volume
    monkeypatch.setattr(outputs, "update_volume", update)
    fused.ui.strengthSlider.setProperty("value", 0.0)
    fused.wait_until(lambda: not session.running)
    before = snapshot(scene)
    said = apply(fused, session)
    assert "too little memory for these volumes." in said and "Close other programs" in said
    assert len(done) == 3 and snapshot(scene) == before


def test_weights_that_are_not_there(ready, session, scene, monkeypatch) -> None:
    from WDualMineLib.errors import WeightsError
    from WDualMineLib.network import weights

    def fail(*_):
        raise WeightsError("The weights are missing", "Install WDualMine again")

    monkeypatch.setattr(weights, "load_model", fail)
    before = snapshot(scene)
    assert apply(ready, session) == "The weights are missing.\nInstall WDualMine again."
    assert snapshot(scene) == before


def test_no_alignment(ready, session, scene, monkeypatch) -> None:
    from WDualMineLib.errors import RegistrationFailed

    def fail(*_):
        raise RegistrationFailed("No alignment was found", "Align them by hand first")
        yield

    monkeypatch.setattr("WDualMineLib.registration.api.register_steps", fail)
    ready.choose("registrationCombo", "Rigid")
    before = snapshot(scene)
    assert apply(ready, session) == "No alignment was found.\nAlign them by hand first."
    assert snapshot(scene) == before


def test_no_room_for_the_export(fused, session, scene, tmp_path, little_room) -> None:
    fused.ui.exportFolderButton.setProperty("directory", str(tmp_path / "out"))
    fused.ui.patientNameEdit.setText("Doe^Jane")
    before = snapshot(scene)
    with little_room(500):
        fused.click("exportButton")
        fused.wait_until(lambda: not session.running)
    said = fused.text("exportLabel")
    assert "room" in said and "written." not in said, said
    assert not list(tmp_path.rglob("*.dcm")) and snapshot(scene) == before


def test_no_room_for_the_preview(ready, session, scene, little_room) -> None:
    before = snapshot(scene)
    ready.click("livePreviewCheck")
    with little_room(500):
        session.changed.emit()
        ready.wait_until(lambda: "room on the disk" in ready.text("previewLabel"))
    assert ready.ui.previewImage.pixmap().isNull() and snapshot(scene) == before


def test_a_failed_inspection_is_told(fused, session, scene, volumes) -> None:
    scene.RemoveNode(volumes[1])
    before = snapshot(scene)
    for button in ("checkerboardButton", "revealButton"):
        fused.click(button)
        fused.wait_until(lambda: not session.running)
        assert "not in the scene any more." in fused.text("statusLabel")
        assert not getattr(fused.ui, button).isChecked()
    fused.click("measureButton")
    fused.wait_until(lambda: not session.running)
    assert "Load it and apply again." in fused.text("regionLabel")
    assert snapshot(scene) == before
