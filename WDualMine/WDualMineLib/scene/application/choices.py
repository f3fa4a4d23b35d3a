"""What the panel offers in its lists: closed vocabularies, each with the words that users read."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ...pipeline.parts import MAPS, RELIABILITY_FIXED, RELIABILITY_MOVING


class _Choice(Enum):
    """Members are stored by name and shown by value; Slicer's parameter nodes ask for ``label``."""

    def label(self) -> str:
        return self.value


class Pair(_Choice):
    """Presets for both windows: the fixed volume is named first."""

    DISPLAY = "As displayed"
    MR_CT_BRAIN = "MR + CT, brain window"
    MR_CT_BONE = "MR + CT, bone window"
    MR_CT_SOFT = "MR + CT, soft tissue window"
    CT_BRAIN_MR = "CT + MR, brain window"
    CT_SOFT_MR = "CT + MR, soft tissue window"
    MR_PET = "MR + PET"
    MR_SPECT = "MR + SPECT"
    CT_PET = "CT + PET, soft tissue window"


class WindowChoice(_Choice):
    """How a volume's units become black and white."""

    DISPLAY = "As displayed"
    AUTO = "Automatic"
    CT_BRAIN = "CT brain, 0 to 80 HU"
    CT_BONE = "CT bone, -500 to 1500 HU"
    CT_SOFT = "CT soft tissue, -160 to 240 HU"
    PET = "PET or SPECT, from 0"
    MR = "MR, above the noise"
    NUMBERS = "From ... to ..."


class Registration(_Choice):
    """How the moving volume is brought to the fixed one."""

    OFF = "Off: they are aligned already"
    RIGID = "Rigid: one patient"
    AFFINE = "Affine: scaled and sheared too"
    TRANSFORM = "An existing transform"


class Axis(_Choice):
    """Along which the network sees slices."""

    AXIAL = "Axial"
    CORONAL = "Coronal"
    SAGITTAL = "Sagittal"
    THREE_PLANE = "All three, averaged"


class Colour(_Choice):
    """What the functional volume lends to a fused volume in colour."""

    NONE = "Grey only"
    HEAT = "PET heat"
    SHOWN = "Colours of the moving volume"


class Device(_Choice):
    """Where the network runs."""

    AUTO = "GPU if it works, else CPU"
    CPU = "CPU"
    CUDA = "NVIDIA GPU"
    MPS = "Apple GPU"


class Precision(_Choice):
    """In which numbers the network computes."""

    AUTO = "Fastest that agrees"
    FLOAT32 = "32 bit"
    FLOAT16 = "16 bit"
    BFLOAT16 = "16 bit (bfloat16)"


class Layers(_Choice):
    """What the slice views show of a result when nothing is inspected."""

    FUSED = "Fused"
    FUSED_ON_FIXED = "Fused over fixed"
    MOVING_ON_FIXED = "Moving over fixed"


if TYPE_CHECKING:  # a checker cannot know the rows of the table

    class Map(_Choice):
        RELIABILITY_FIXED = ""
        RELIABILITY_MOVING = RELIABILITY_FIXED
        ARBITRATION = ""
        SHARE = ""
else:
    _NAMES = {p.name.upper(): p.heading for p in MAPS if p.overlay}
    # Scenes of before 0.2 may have chosen the other half of the one map that shows both sources.
    _NAMES[RELIABILITY_MOVING.name.upper()] = RELIABILITY_FIXED.heading
    Map = _Choice("Map", _NAMES, module=__name__)
"""Maps that can be laid over the fused volume; names are those of the result's parts."""


class ExportTarget(_Choice):
    """Where DICOM objects go."""

    FOLDER = "A folder"
    DATABASE = "Slicer's DICOM database"


WINDOWS_OF_PAIR = {
    Pair.DISPLAY: (WindowChoice.DISPLAY, WindowChoice.DISPLAY),
    Pair.MR_CT_BRAIN: (WindowChoice.MR, WindowChoice.CT_BRAIN),
    Pair.MR_CT_BONE: (WindowChoice.MR, WindowChoice.CT_BONE),
    Pair.MR_CT_SOFT: (WindowChoice.MR, WindowChoice.CT_SOFT),
    Pair.CT_BRAIN_MR: (WindowChoice.CT_BRAIN, WindowChoice.MR),
    Pair.CT_SOFT_MR: (WindowChoice.CT_SOFT, WindowChoice.MR),
    Pair.MR_PET: (WindowChoice.MR, WindowChoice.PET),
    Pair.MR_SPECT: (WindowChoice.MR, WindowChoice.PET),
    Pair.CT_PET: (WindowChoice.CT_SOFT, WindowChoice.PET),
}
"""Windows of the fixed and the moving volume that a preset stands for."""

COLOUR_OF_PAIR = {
    Pair.MR_PET: Colour.HEAT,
    Pair.MR_SPECT: Colour.HEAT,
    Pair.CT_PET: Colour.HEAT,
}
"""Presets with a functional volume are fused in colour too; the others in grey."""
