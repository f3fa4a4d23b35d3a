"""*Fuse with ...* in the subject hierarchy: a right click, a volume, and the module is ready."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")

MENU = "Fuse with (WDualMine)"


@pytest.fixture
def hierarchy(scene, shown_widget, volumes, monkeypatch):
    """The handler with the plugin registered as at Slicer's start, and the item of a node."""
    import slicer
    from WDualMineLib.scene.result.result_nodes import item_of

    from .stand_ins import subject_hierarchy

    module, widget, _ = shown_widget
    handler = subject_hierarchy.install(slicer, scene)
    monkeypatch.setattr(slicer, "modules", type("Modules", (), {})(), raising=False)
    monkeypatch.setattr(slicer.util, "selectModule", lambda _: widget.enter(), raising=False)
    monkeypatch.setattr(slicer.util, "getModuleWidget", lambda _: widget, raising=False)
    module.extend_application()  # as at the end of Slicer's start
    yield handler, lambda node: item_of(handler.subjectHierarchyNode(), node)
    subject_hierarchy.uninstall(slicer)


def test_every_other_volume_is_offered_and_a_choice_opens_the_module(
    hierarchy, volumes, session, driver
) -> None:
    handler, item = hierarchy
    offered = handler.menu(item(volumes[1]))[MENU]
    assert list(offered) == ["MRHead"]
    offered["MRHead"].trigger()
    assert session.parameters.fixedVolume is volumes[0], "the MR keeps its grid"
    assert session.parameters.movingVolume is volumes[1]
    assert driver.ui.pairCombo.currentText() == "MR + CT, brain window"
    driver.choose("registrationCombo", "Off")
    assert driver.ui.applyButton.isEnabled(), "one click is left"


def test_it_overrules_what_was_chosen_before(hierarchy, volumes, scene, session) -> None:
    from WDualMineLib.scene.result.volume_nodes import add_volume, volume_of

    handler, item = hierarchy
    third = add_volume(scene, volume_of(volumes[0]))
    third.SetName("Tom & Jerry")
    offered = handler.menu(item(volumes[1]))[MENU]
    assert list(offered) == ["MRHead", "Tom && Jerry"]
    offered["Tom && Jerry"].trigger()
    assert session.parameters.fixedVolume is third


def test_results_folders_and_lonely_volumes_offer_nothing(
    hierarchy, volumes, scene, fused, session
) -> None:
    handler, item = hierarchy
    assert handler.menu(item(session.nodes.fused)) == {}
    assert handler.menu(handler.subjectHierarchyNode().GetSceneItemID()) == {}
    assert handler.menu(0) == {}
    offered = handler.menu(item(volumes[0]))[MENU]
    assert list(offered) == ["CTHead"], "neither the result nor what is hidden"
    scene.RemoveNode(volumes[1])
    assert handler.menu(item(volumes[0])) == {}


def test_a_volume_that_goes_while_the_menu_is_open_is_not_missed(
    hierarchy, volumes, scene, session
) -> None:
    handler, item = hierarchy
    entry = handler.menu(item(volumes[1]))[MENU]["MRHead"]
    scene.RemoveNode(volumes[0])
    entry.trigger()
    chosen = session.parameters.fixedVolume, session.parameters.movingVolume
    assert chosen == (None, None), "half a pair was chosen"
