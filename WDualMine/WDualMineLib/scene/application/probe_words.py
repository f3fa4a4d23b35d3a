"""The data probe over a result: what a value means, and what the sources hold there, in units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import slicer

from ...errors import WDualMineError
from ...fusion.intensity import Window
from ...pipeline.parts import (
    ARBITRATION,
    COLOUR,
    FUSED,
    RELIABILITY_FIXED,
    RELIABILITY_MOVING,
    SHARE,
)
from ..result.node_placement import ijk_to_ras
from ..result.result_nodes import FIXED_ROLE, MOVING_ROLE, OUTPUT, record_in
from ..result.volume_nodes import array_of

_SOUND = 0.005
"""Nearer to 1/2 than this, nothing is suspected."""

_LONGEST_NAME = 16
_MARK = "of_wdualmine"


def describe(node: slicer.vtkMRMLVolumeNode, ijk: Sequence[int]) -> str:
    """A line on the voxel (i, j, k) of a part of a result; "" for any other volume or place."""
    name = node.GetAttribute(OUTPUT)
    words = _WORDS.get(name or "")
    image = node.GetImageData()
    if words is None or image is None:
        return ""
    if not all(0 <= n < size for n, size in zip(ijk, image.GetDimensions(), strict=True)):
        return ""
    i, j, k = ijk
    return words(node, array_of(node)[k, j, i], ijk)


def extend(probe: Any) -> None:
    """Let Slicer's data probe say :func:`describe` for results, and what it says for the rest.

    Args:
        probe: ``slicer.modules.DataProbeInstance.infoWidget``.
    """
    usual = probe.generateIJKPixelValueDescription
    usual = getattr(usual, _MARK, usual)  # of an earlier load of this module: not twice

    def value_description(ijk: Sequence[int], layer: Any) -> str:
        node = layer.GetVolumeNode()
        try:
            words = describe(node, ijk) if node is not None else ""
        except (WDualMineError, KeyError, ValueError):
            words = ""  # a damaged result: the mouse must not raise at every move
        return f"<b>{words}</b>" if words else usual(ijk, layer)

    setattr(value_description, _MARK, usual)
    probe.generateIJKPixelValueDescription = value_description


def _fused(node: slicer.vtkMRMLVolumeNode, value: Any, ijk: Sequence[int]) -> str:
    return "; ".join([f"{float(value):.3f}, no unit", *_sources(node, ijk)])


def _colour(node: slicer.vtkMRMLVolumeNode, value: Any, ijk: Sequence[int]) -> str:
    rgb = ", ".join(str(int(channel)) for channel in value)
    return "; ".join([f"RGB {rgb}", *_sources(node, ijk)])


def _sources(node: slicer.vtkMRMLVolumeNode, ijk: Sequence[int]) -> list[str]:
    """ "T1 412", "CT 38 HU": the sources' own values at that point, as they lie now."""
    record = record_in(node)
    point = ijk_to_ras(node) @ np.array([*ijk, 1.0])
    said = []
    for role, window in ((FIXED_ROLE, record.fixed.window), (MOVING_ROLE, record.moving.window)):
        source = node.GetNodeReference(role)
        if source is None or source.GetImageData() is None:
            continue
        place = np.rint(np.linalg.inv(ijk_to_ras(source)) @ point)[:3].astype(int)
        inside = (place >= 0) & (place < source.GetImageData().GetDimensions())
        if inside.all():
            i, j, k = place
            value = float(array_of(source)[k, j, i])
            said.append(f"{_short(source.GetName())} {in_units(value, window)}")
        else:
            said.append(f"{_short(source.GetName())} outside")
    return said


def in_units(value: float, window: Window) -> str:
    """A value of a source with its unit, and as an SUV where that is known."""
    said = f"{value:.4g} {window.units}".rstrip()
    if window.suv_factor is not None and "SUV" not in window.units.upper():
        said += f" (SUV {window.suv_factor * value:.2f})"
    return said


def _reliability(of_fixed: bool) -> Callable[[Any, Any, Any], str]:
    def words(node: slicer.vtkMRMLVolumeNode, value: Any, _ijk: Sequence[int]) -> str:
        fixed = float(value) if of_fixed else 1 - float(value)
        if abs(fixed - 0.5) < _SOUND:
            return f"{float(value):.2f}: nothing suspected"
        role, likely = ("fixed", 1 - fixed) if fixed < 0.5 else ("moving", fixed)
        source = node.GetNodeReference(FIXED_ROLE if role == "fixed" else MOVING_ROLE)
        where = _short(source.GetName()) if source is not None else f"the {role} volume"
        return f"{float(value):.2f}: fault in {where} {100 * likely:.0f} % likely"

    return words


def _arbitration(_node: Any, value: Any, _ijk: Sequence[int]) -> str:
    return f"{float(value):.2f}: spatial expert {100 * float(value):.0f} %"


def _share(_node: Any, value: Any, _ijk: Sequence[int]) -> str:
    return f"{float(value):.2f}: follows the fixed volume by {100 * float(value):.0f} %"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


_WORDS = {
    FUSED.name: _fused,
    COLOUR.name: _colour,
    RELIABILITY_FIXED.name: _reliability(True),
    RELIABILITY_MOVING.name: _reliability(False),
    ARBITRATION.name: _arbitration,
    SHARE.name: _share,
}
