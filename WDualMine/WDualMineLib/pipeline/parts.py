"""The parts of a result: one table for volumes, files, pictures, scenes and DICOM.

A new map is one row here, and whatever computes it under its name in
:func:`~.result.assemble`. Optional parts need not be there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..dicom.series import COLOUR as COLOUR_SERIES
from ..dicom.series import FUSED as FUSED_SERIES
from ..dicom.series import SeriesKind
from ..fusion.settings import FusionSettings

_UNITLESS = "no unit"
_LONGEST_NAME = 20
_SERIES_NUMBER = re.compile(r"^\d+: *(?=\S)")


@dataclass(frozen=True)
class Part:
    """One volume of a result, on the grid of the fixed volume.

    Attributes:
        name: its key wherever parts are kept.
        title: what its volume and its node are called, to be filled with ``pair``, ``fixed`` and
            ``moving``.
        heading: what a picture or a list calls it.
        file: its name in a result folder.
        series: of DICOM objects that it goes into.
        palette: a name of :data:`~..palettes.PALETTES`; "" is shown in grey, or is a colour volume.
        ends: what the lowest and the highest value of the scale mean; ("", "") needs no legend.
        unit: of its values.
        shown_from: lowest value that an overlay shows unless the user chooses another; None where
            all of it is shown, if its palette is not transparent where there is nothing to show.
        overlay: whether the panel offers it over the fused volume, as far as it is a map.
        short_ends: ``ends`` in a word each, below a small colour bar; ("", "") for numbers alone.
        says_nothing: values, from and to, that slice views leave out, so that what lies below is
            seen; None where the palette knows by itself.
        optional: whether a result may lack it.
        is_map: whether it tells of the fusion, and is not a fused volume itself.
    """

    name: str
    title: str
    heading: str
    file: str
    series: SeriesKind
    palette: str = ""
    ends: tuple[str, str] = ("", "")
    short_ends: tuple[str, str] = ("", "")
    unit: str = _UNITLESS
    shown_from: float | None = 0.55
    overlay: bool = True
    says_nothing: tuple[float, float] | None = None
    optional: bool = False
    is_map: bool = True

    @property
    def scale(self) -> tuple[float, float]:
        """The values that are shown with the first and the last colour."""
        return self.series.scale

    @property
    def legend(self) -> str:
        """Short lines for a colour legend: what is shown, and what both ends of the scale mean."""
        (low, high), (of_low, of_high) = self.scale, self.short_ends
        subject = self.heading.split(" of ")[0]
        return f"{subject}\n{high:g}: {of_high}\n{low:g}: {of_low}"

    def title_for(self, fixed: str, moving: str) -> str:
        """:attr:`title` for two sources of these names, which are shortened."""
        fixed, moving = short_name(fixed), short_name(moving)
        return self.title.format(pair=f"{fixed} + {moving}", fixed=fixed, moving=moving)


def short_name(name: str) -> str:
    """The name of a source as a part of another: without the number of its series, and cut.

    DICOM's names ("301: eT1W_3D_TFE_SENSE_GADO sag") make a list of results that nobody can read.
    """
    name = _SERIES_NUMBER.sub("", name.strip())
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip(" _-,") + "…"


_FAULTS = ("fault in the fixed volume", "fault in the moving volume")

FUSED = Part(
    "fused", "{pair} fused", "Fused", "fused.nrrd", FUSED_SERIES, is_map=False
)  # fmt: skip
COLOUR = Part(
    "colour",
    "{pair} fused in colour",
    "Fused in colour",
    "fused_colour.nrrd",
    COLOUR_SERIES,
    optional=True,
    is_map=False,
)
RELIABILITY_FIXED = Part(
    "reliability_fixed",
    "{pair} reliability of {fixed}",
    "Suspected faults",
    "reliability_fixed.nrrd",
    SeriesKind(
        "reliability_fixed",
        103,
        "Reliability of fixed {fixed}: 1 - P(fault), not for diagnosis",
        "maps",
        "RELIABILITY_FIX",
        "1 minus the probability of a fault in the fixed volume",
    ),
    "suspected faults",
    _FAULTS,
    ("fault in fixed", "in moving"),
    shown_from=None,
)
"""Below 1/2, 1 minus it is the probability of a fault in the fixed volume; above, the value itself
that of a fault in the moving one. 1/2 where nothing speaks against either."""

RELIABILITY_MOVING = Part(
    "reliability_moving",
    "{pair} reliability of {moving}",
    "Reliability of the moving volume",
    "reliability_moving.nrrd",
    SeriesKind(
        "reliability_moving",
        104,
        "Reliability of moving {moving}: 1 - P(fault), not for diagnosis",
        "maps",
        "RELIABILITY_MOV",
        "1 minus the probability of a fault in the moving volume",
    ),
    "suspected faults, moving",
    _FAULTS[::-1],
    ("fault in moving", "in fixed"),
    shown_from=None,
    overlay=False,  # it says what the other one says
)
"""1 minus :data:`RELIABILITY_FIXED`."""

ARBITRATION = Part(
    "arbitration",
    "{pair} arbitration",
    "Arbitration",
    "arbitration.nrrd",
    SeriesKind(
        "arbitration",
        105,
        "Arbitration: 0 frequency, 1 spatial expert, not for diagnosis",
        "maps",
        "ARBITRATION",
        "Share of the spatial expert against the frequency expert",
    ),
    "arbitration",
    ("frequency expert", "spatial expert"),
    ("frequency", "spatial"),
)

SHARE = Part(
    "share",
    "{pair} share of {fixed}",
    "Share of the fixed volume",
    "share_fixed.nrrd",
    SeriesKind(
        "share",
        107,
        "Share of fixed {fixed} in the fused value, not for diagnosis",
        "maps",
        "SHARE_FIXED",
        "Share of the fixed volume in the fused value",
    ),
    "share",
    ("moving volume", "fixed volume"),
    ("moving", "fixed"),
    shown_from=None,
    says_nothing=(0.45, 0.55),  # both alike, or air
    optional=True,
)
"""How far the fused value follows the fixed volume; 1/2 in air. Says nothing of faults."""

PARTS = (FUSED, COLOUR, RELIABILITY_FIXED, RELIABILITY_MOVING, ARBITRATION, SHARE)
"""Every part, in the order in which files, nodes and series are listed."""

MAPS = tuple(part for part in PARTS if part.is_map)
BY_NAME = {part.name: part for part in PARTS}
BY_CONTENT_LABEL = {part.series.label: part for part in MAPS}
"""The maps by what their DICOM objects are labelled."""


def asked_for(settings: FusionSettings) -> list[Part]:
    """The parts that a fusion with these settings gives."""
    chosen = {COLOUR: settings.colour is not None, SHARE: settings.share}
    return [part for part in PARTS if chosen.get(part, True)]
