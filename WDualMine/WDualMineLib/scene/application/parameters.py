"""The module's parameter node: every choice of the panel, kept with the scene."""

from __future__ import annotations

from typing import Annotated

from slicer import (
    vtkMRMLMarkupsROINode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLTransformNode,
    vtkMRMLVectorVolumeNode,
)
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from ...fusion.settings import DEFAULT_FLOOR, DEFAULT_STRENGTH, LARGEST_STRENGTH
from .choices import (
    Axis,
    Colour,
    Device,
    ExportTarget,
    Layers,
    Map,
    Pair,
    Precision,
    Registration,
    WindowChoice,
)


@parameterNodeWrapper
class FusionParameters:
    """Values of the panel's widgets, each bound to the one whose ``SlicerParameterName`` it is.

    Attributes:
        fixedVolume, movingVolume: the sources.
        pair: preset for both windows.
        fixedWindow, movingWindow: how units become black and white; the Low and High numbers, in
            the volume's units, count where the choice is NUMBERS.
        registration, transform: how the two are aligned; the transform counts for TRANSFORM only.
        axis, colour, device, precision: of the fusion; mapShare: whether it also maps which source
            each voxel follows.
        fused ... shareVolume: nodes to write into; None makes new ones.
        livePreview: whether the current slice is fused as the user scrolls.
        strength, correlationFloor: the look.
        layers: what the slice views show of the result; foregroundOpacity: of its top layer, in all
            views at once; linkViews: whether zoom and position are linked too.
        map, mapThreshold, mapOpacity: what lies over the fused volume in the map layout; the
            threshold is for maps that are not transparent by themselves.
        tiles: checkerboard squares along the shorter side; reveal: position of the curtain, 0..1.
        region, roi: segmentation and box in which mean reliabilities are measured.
        exportTarget: where DICOM objects go.
        patientName, patientId: for export where the sources carry none.
        anonymise: whether the export is anonymised.
    """

    fixedVolume: vtkMRMLScalarVolumeNode
    movingVolume: vtkMRMLScalarVolumeNode
    pair: Pair = Pair.DISPLAY
    fixedWindow: WindowChoice = WindowChoice.DISPLAY
    fixedLow: float = 0.0
    fixedHigh: float = 100.0
    movingWindow: WindowChoice = WindowChoice.DISPLAY
    movingLow: float = 0.0
    movingHigh: float = 100.0

    registration: Registration = Registration.RIGID
    transform: vtkMRMLTransformNode

    axis: Axis = Axis.AXIAL
    colour: Colour = Colour.NONE
    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    mapShare: bool = False

    fused: vtkMRMLScalarVolumeNode
    reliabilityFixed: vtkMRMLScalarVolumeNode
    reliabilityMoving: vtkMRMLScalarVolumeNode
    arbitration: vtkMRMLScalarVolumeNode
    colourVolume: vtkMRMLVectorVolumeNode
    shareVolume: vtkMRMLScalarVolumeNode

    livePreview: bool = False

    strength: Annotated[float, WithinRange(0.0, LARGEST_STRENGTH)] = DEFAULT_STRENGTH
    correlationFloor: Annotated[float, WithinRange(0.0, 0.999)] = DEFAULT_FLOOR
    layers: Layers = Layers.FUSED
    linkViews: bool = True
    foregroundOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5

    map: Map = Map.RELIABILITY_FIXED
    mapThreshold: Annotated[float, WithinRange(0.0, 1.0)] = 0.55
    mapOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.6
    tiles: Annotated[float, WithinRange(2.0, 40.0)] = 8.0
    reveal: Annotated[float, WithinRange(0.0, 1.0)] = 0.5

    region: vtkMRMLSegmentationNode
    roi: vtkMRMLMarkupsROINode

    exportTarget: ExportTarget = ExportTarget.FOLDER
    patientName: str = ""
    patientId: str = ""
    anonymise: bool = False
