"""What changes with the look of a fusion, and not with the network: composed anew at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..fusion.colour import colour_table, colourise, luminance
from ..fusion.composition import compose
from ..fusion.correlation import FloorReport, apply_floor, correlation
from ..fusion.settings import FusionSettings
from ..fusion.share import share_of_first, surroundings_of
from ..fusion.slices import Slicing
from ..fusion.tone import VOLUME_KNEE
from ..quality.volume_measures import flicker
from ..volumes.volume import Volume
from . import parts
from .pair import PreparedPair
from .record import Record

# Below this share of the network's image the user should know that the floor decided, not it.
_LITTLE_KEPT = 0.25


@dataclass(frozen=True)
class NetworkOutput:
    """What does not change with the look; see :class:`~..fusion.engine.NetworkMaps`.

    Attributes:
        residual, reliability, arbitration: float32 (K, J, I); reliability is that of the fixed one.
        slicing: the first axis along which was cut; flicker is measured along it.
        notes: what the user must be told of the computation.
        measures: device, precision and times.
        sensitivity: derivatives of the residual by the fixed and by the moving source, float32
            (K, J, I) each; None if they were not asked for, and of what a scene kept.
    """

    residual: np.ndarray
    reliability: np.ndarray
    arbitration: np.ndarray
    slicing: Slicing
    notes: tuple[str, ...] = ()
    measures: dict[str, Any] = field(default_factory=dict)
    sensitivity: tuple[np.ndarray, np.ndarray] | None = None


def parts_of_look(
    pair: PreparedPair, network: NetworkOutput, settings: FusionSettings, record: Record
) -> tuple[dict[str, Volume], list[str], dict[str, Any]]:
    """The parts that depend on the look, notes and measures."""
    names = pair.fixed_name, pair.moving_name
    # Without a name for what is composed: it is of the size of the volume, and not needed later.
    array, floor = apply_floor(
        compose(pair.fixed, pair.moving, network.residual, settings.strength),
        pair.fixed,
        pair.moving,
        settings.correlation_floor,
        in_head=True,
        knee=VOLUME_KNEE,
    )
    fused = Volume(
        array, pair.geometry, parts.FUSED.title_for(*names), attributes=record.attributes()
    )
    looks = {parts.FUSED.name: fused}
    measures = network.measures | _floor_measures(floor)
    stacks = (network.slicing.stack(x) for x in (array, pair.fixed, pair.moving))
    measures["flicker"] = defined(flicker(*stacks))
    if settings.colour is not None and pair.table_rows is not None:
        rgb = colourise(array, pair.table_rows, colour_table(settings.colour))
        title = parts.COLOUR.title_for(*names)
        looks[parts.COLOUR.name] = Volume(rgb, pair.geometry, title)
        # 8 bits a channel cost a little; this is what is left of it in the colour volume.
        in_colour = correlation(luminance(rgb), pair.fixed, pair.moving)
        measures["cc_over_bound_in_colour"] = defined(in_colour / floor.bound)
    if settings.share and network.sensitivity is not None:
        share = share_of_first(
            pair.fixed,
            pair.moving,
            network.residual,
            network.sensitivity,
            settings.strength,
            floor,
            surroundings_of(pair.geometry.spacing[::-1]),
        )
        looks[parts.SHARE.name] = Volume(share, pair.geometry, parts.SHARE.title_for(*names))
    notes = [*pair.notes, *network.notes, *_floor_notes(floor)]
    return looks, notes, measures


def _floor_measures(floor: FloorReport) -> dict[str, Any]:
    return {
        "cc": defined(floor.cc),
        "cc_bound": defined(floor.bound),
        "cc_over_bound": defined(floor.cc_over_bound),
        "cc_over_bound_in_head": defined(floor.cc_over_bound_in_head),
        "cc_over_bound_in_tissue": defined(floor.cc_over_bound_in_tissue),
        "cc_over_bound_before_floor": defined(floor.cc_over_bound_before),
        "floor_kept": floor.kept,
        "floor_met": floor.met,
        "floor_met_in_head": floor.met_in_head,
    }


def _floor_notes(floor: FloorReport) -> list[str]:
    notes = [floor.reason[0].upper() + floor.reason[1:] + "."] if floor.reason else []
    if floor.kept < _LITTLE_KEPT:
        notes.append(
            f"The correlation floor of {floor.floor:g} kept only {100 * floor.kept:.0f} % of the "
            "network's image; a lower floor shows more of it."
        )
    return notes


def defined(value: float) -> float | None:
    """For JSON, which knows no NaN."""
    return float(value) if math.isfinite(value) else None
