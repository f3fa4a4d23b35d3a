"""What a fusion gives back, and how its look changes without the network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..quality.volume import flicker
from ..volumes.volume import Volume
from .colour import colour_table, colourise, luminance
from .composition import compose
from .correlation import FloorReport, apply_floor, correlation
from .preparation import PreparedPair
from .settings import FusionSettings
from .slices import Slicing
from .tone import VOLUME_KNEE

# Below this share of the network's image the user should know that the floor decided, not it.
_LITTLE_KEPT = 0.25


@dataclass(frozen=True)
class NetworkOutput:
    """What does not change with the look; see :class:`~.engine.NetworkMaps`.

    Attributes:
        residual, reliability, arbitration: float32 (K, J, I); reliability is that of the fixed one.
        slicing: the first axis along which was cut; flicker is measured along it.
        notes: what the user must be told of the computation.
        measures: device, precision and times.
    """

    residual: np.ndarray
    reliability: np.ndarray
    arbitration: np.ndarray
    slicing: Slicing
    notes: tuple[str, ...] = ()
    measures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FusionResult:
    """A fused volume with its maps, all on exactly the fixed volume's grid.

    Attributes:
        fused: float32 in [0, 1]. ``attributes`` hold the affine map back to the units of either
            source: ``units = low + (high - low) * value`` with ``fixed_window_low`` and so on, for
            values up to ``fixed_window_knee``; above it units grow faster.
            Where there is ``fixed_suv_factor`` or ``moving_suv_factor``, ``SUV = factor * units``.
        reliability_fixed, reliability_moving: float32 in [0, 1], summing to 1: the weight that the
            network gave to each source.
        arbitration: float32 in [0, 1]: 1 where the spatial expert decided, 0 where the frequency
            expert did.
        colour: uint8 RGB with the luminance of ``fused``, if a colour table was chosen.
        settings: what was asked for.
        notes: sentences that the user must be told.
        measures: figures for a report, ready for JSON; None where one is undefined. ``cc``,
            ``cc_bound`` and ``cc_over_bound`` over the volume, ``cc_over_bound_in_head`` where a
            source is above 0, ``cc_over_bound_in_tissue`` where one is above .05,
            ``cc_over_bound_before_floor``, ``floor_kept`` (share of the network's image),
            ``floor_met``, ``floor_met_in_head``, ``flicker`` (mean change from slice to slice over
            the mean of that of the sources), device, precision and seconds.
        pair: the sources in [0, 1].
        network: the residual and how it came about.
    """

    fused: Volume
    reliability_fixed: Volume
    reliability_moving: Volume
    arbitration: Volume
    colour: Volume | None
    settings: FusionSettings
    notes: list[str]
    measures: dict[str, Any]
    pair: PreparedPair
    network: NetworkOutput

    @property
    def average(self) -> np.ndarray:
        """(fixed + moving) / 2, float32 (K, J, I): what is fused at strength 0."""
        return (self.pair.fixed + self.pair.moving) * np.float32(0.5)

    @property
    def residual(self) -> np.ndarray:
        """What the network adds to :attr:`average` at strength 1, float32 (K, J, I)."""
        return self.network.residual

    def with_look(
        self, strength: float | None = None, correlation_floor: float | None = None
    ) -> FusionResult:
        """The same fusion with another detail strength or correlation floor; no network is run.

        Raises:
            InputError: a number out of range.
        """
        settings = replace(
            self.settings,
            strength=self.settings.strength if strength is None else strength,
            correlation_floor=(
                self.settings.correlation_floor if correlation_floor is None else correlation_floor
            ),
        )
        fused, colour, notes, measures = _look(self.pair, self.network, settings)
        return replace(
            self, fused=fused, colour=colour, settings=settings, notes=notes, measures=measures
        )


def assemble(pair: PreparedPair, network: NetworkOutput, settings: FusionSettings) -> FusionResult:
    """The result for what the network found on ``pair``."""
    fused, colour, notes, measures = _look(pair, network, settings)

    def map_of(array: np.ndarray, name: str) -> Volume:
        return Volume(array, pair.geometry, name)

    return FusionResult(
        fused,
        map_of(network.reliability, f"Reliability of {pair.fixed_name}"),
        map_of(1 - network.reliability, f"Reliability of {pair.moving_name}"),
        map_of(network.arbitration, f"Arbitration of {pair.fixed_name} + {pair.moving_name}"),
        colour,
        settings,
        notes,
        measures,
        pair,
        network,
    )


def _look(
    pair: PreparedPair, network: NetworkOutput, settings: FusionSettings
) -> tuple[Volume, Volume | None, list[str], dict[str, Any]]:
    name = f"{pair.fixed_name} + {pair.moving_name}"
    composed = compose(pair.fixed, pair.moving, network.residual, settings.strength)
    array, floor = apply_floor(
        composed,
        pair.fixed,
        pair.moving,
        settings.correlation_floor,
        in_head=True,
        knee=VOLUME_KNEE,
    )
    fused = Volume(array, pair.geometry, f"{name} fused", attributes=_attributes(pair, settings))
    measures = network.measures | _floor_measures(floor)
    stacks = (network.slicing.stack(x) for x in (array, pair.fixed, pair.moving))
    measures["flicker"] = _defined(flicker(*stacks))
    colour = None
    if settings.colour is not None and pair.table_rows is not None:
        rgb = colourise(array, pair.table_rows, colour_table(settings.colour))
        colour = Volume(rgb, pair.geometry, f"{name} fused in colour")
        # 8 bits a channel cost a little; this is what is left of it in the colour volume.
        in_colour = correlation(luminance(rgb), pair.fixed, pair.moving)
        measures["cc_over_bound_in_colour"] = _defined(in_colour / floor.bound)
    notes = [*pair.notes, *network.notes, *_floor_notes(floor)]
    return fused, colour, notes, measures


def _attributes(pair: PreparedPair, settings: FusionSettings) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for role, name, window in (
        ("fixed", pair.fixed_name, pair.fixed_window),
        ("moving", pair.moving_name, pair.moving_window),
    ):
        attributes[f"{role}_name"] = name
        attributes[f"{role}_window"] = window.name
        attributes[f"{role}_window_low"] = window.low
        attributes[f"{role}_window_high"] = window.high
        attributes[f"{role}_window_knee"] = window.knee
        attributes[f"{role}_units"] = window.units
        if window.suv_factor is not None:
            attributes[f"{role}_suv_factor"] = window.suv_factor
    if pair.functional:
        attributes["luminance_of_colours"] = pair.functional
    attributes["axis"] = settings.axis
    attributes["strength"] = settings.strength
    attributes["correlation_floor"] = settings.correlation_floor
    return attributes


def _floor_measures(floor: FloorReport) -> dict[str, Any]:
    return {
        "cc": _defined(floor.cc),
        "cc_bound": _defined(floor.bound),
        "cc_over_bound": _defined(floor.cc_over_bound),
        "cc_over_bound_in_head": _defined(floor.cc_over_bound_in_head),
        "cc_over_bound_before_floor": _defined(floor.cc_over_bound_before),
        "cc_over_bound_in_tissue": _defined(floor.cc_over_bound_in_tissue),
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


def _defined(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
