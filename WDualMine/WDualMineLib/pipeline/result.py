"""What a fusion gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..fusion.chunks import complement
from ..fusion.settings import FusionSettings
from ..fusion.slices import slicings
from ..progress import Steps
from ..quality.volume_measures import VolumeMeasures, measure_volume_steps
from ..volumes.volume import Volume
from . import parts
from .alignment import Alignment
from .look import NetworkOutput, defined, parts_of_look
from .pair import PreparedPair
from .record import Record, SourceRecord

_SHARE_LOST = (
    "The share of the fixed volume was that of the earlier look and was removed: what it is made "
    "of is not kept with a scene. Apply again to have it."
)
# What a report tells beside what the floor knows anyway.
_REPORTED = ("MI", "SSIM", "Qabf")


@dataclass(frozen=True, repr=False)
class Result:
    """A fused volume with its maps, all on exactly the fixed volume's grid.

    Attributes:
        volumes: each part by its name in :data:`~.parts.PARTS`. The attributes of "fused" hold the
            affine map back to the units of either source: ``units = low + (high - low) * value``
            with ``fixed_window_low`` and so on, for values up to ``fixed_window_knee``; above it
            units grow faster. Where there is ``fixed_suv_factor`` or
            ``moving_suv_factor``, ``SUV = factor * units``.
        settings: what was asked for.
        notes: sentences that the user must be told.
        measures: figures for a report, ready for JSON; None where one is undefined. ``cc``,
            ``cc_bound`` and ``cc_over_bound`` over the volume, ``cc_over_bound_in_head`` where a
            source is above 0, ``cc_over_bound_in_tissue`` where one is above .05,
            ``cc_over_bound_before_floor``, ``floor_kept`` (share of the network's image),
            ``floor_met``, ``floor_met_in_head``, ``flicker`` (mean change from slice to slice over
            the mean of that of the sources), device, precision and seconds.
        record: the sources, and how they were fused.
        alignment: of the two sources.
        inputs: the sources in [0, 1]; None for a result that was read from a folder.
        output: what the network found; None there too.
    """

    volumes: Mapping[str, Volume]
    settings: FusionSettings
    notes: list[str]
    measures: dict[str, Any]
    record: Record
    alignment: Alignment = field(default_factory=Alignment)
    inputs: PreparedPair | None = None
    output: NetworkOutput | None = None

    def __repr__(self) -> str:
        """Short: names, size, and how far the sources are kept."""
        size = " x ".join(map(str, self.fused.geometry.size))
        ratio = self.measures.get("cc_over_bound")
        kept = "" if ratio is None else f", CC/bound {ratio:.4f}"
        parts = ", ".join(self.volumes)
        return f"<Result {self.record.pair_name!r}: {size} voxels{kept}; {parts}>"

    @property
    def fused(self) -> Volume:
        """float32 in [0, 1]."""
        return self.volumes[parts.FUSED.name]

    @property
    def colour(self) -> Volume | None:
        """uint8 RGB with the luminance of :attr:`fused`, if a colour table was chosen."""
        return self.volumes.get(parts.COLOUR.name)

    @property
    def reliability_fixed(self) -> Volume:
        """float32 in [0, 1]: 1/2 where nothing speaks against either source; below it, 1 minus the
        probability of a fault in the fixed one."""
        return self.part(parts.RELIABILITY_FIXED.name)

    @property
    def reliability_moving(self) -> Volume:
        """float32 in [0, 1]: 1 minus :attr:`reliability_fixed`."""
        return self.part(parts.RELIABILITY_MOVING.name)

    @property
    def arbitration(self) -> Volume:
        """float32 in [0, 1]: 1 where the spatial expert decided, 0 where the frequency expert."""
        return self.part(parts.ARBITRATION.name)

    @property
    def share(self) -> Volume | None:
        """float32 in [0, 1]: how far the fused value follows the fixed volume and not the moving
        one, 1/2 in air; None if it was not asked for."""
        return self.volumes.get(parts.SHARE.name)

    @property
    def maps(self) -> dict[str, Volume]:
        """Those of :data:`~.parts.MAPS` that there are, by name."""
        return {part.name: self.volumes[part.name] for part in parts.MAPS
                if part.name in self.volumes}  # fmt: skip

    @property
    def pair(self) -> PreparedPair:
        """The sources in [0, 1].

        Raises:
            InputError: the result was read from a folder, which does not hold them.
        """
        if self.inputs is None:
            raise _not_here(self)
        return self.inputs

    @property
    def network(self) -> NetworkOutput:
        """The residual and how it came about.

        Raises:
            InputError: the result was read from a folder, which does not hold it.
        """
        if self.output is None:
            raise _not_here(self)
        return self.output

    @property
    def average(self) -> np.ndarray:
        """(fixed + moving) / 2, float32 (K, J, I): what is fused at strength 0."""
        return (self.pair.fixed + self.pair.moving) * np.float32(0.5)

    @property
    def residual(self) -> np.ndarray:
        """What the network adds to :attr:`average` at strength 1, float32 (K, J, I)."""
        return self.network.residual

    def part(self, name: str) -> Volume:
        """The part of that name.

        Raises:
            InputError: this result has none.
        """
        if name not in self.volumes:
            raise InputError(
                f"The result {self.record.pair_name} has no part {name!r}, but "
                f"{', '.join(self.volumes)}",
                "Choose one of these, or fuse again",
            )
        return self.volumes[name]

    def with_look(
        self, strength: float | None = None, correlation_floor: float | None = None
    ) -> Result:
        """The same fusion with another detail strength or correlation floor; no network is run.

        The share is that of the look. What it takes is not kept with a scene; without it the result
        loses its share and says so.

        Raises:
            InputError: a number out of range; or the result was read from a folder.
        """
        settings = replace(
            self.settings,
            strength=self.settings.strength if strength is None else strength,
            correlation_floor=(
                self.settings.correlation_floor if correlation_floor is None else correlation_floor
            ),
        )
        lost = self.network.sensitivity is None and settings != self.settings and settings.share
        if lost:
            settings = replace(settings, share=False)
        record = self.record.with_settings(settings)
        looks, notes, measures = parts_of_look(self.pair, self.network, settings, record)
        volumes = dict(self.volumes) | looks
        if lost and volumes.pop(parts.SHARE.name, None) is not None:
            notes.append(_SHARE_LOST)
        return replace(
            self,
            volumes=volumes,
            settings=settings,
            notes=notes,
            measures=measures,
            record=record,
        )

    def measure_steps(self) -> Steps[VolumeMeasures]:
        """MI, SSIM, Qabf and others against both sources, yielding progress after each slice.

        Of a functional volume that is shown in colour the luminance of its colours counts, which
        is what was fused.

        Raises:
            InputError: the result was read from a folder.
        """
        pair, axis = self.pair, slicings(self.fused.geometry, self.settings.axis)[0].permutation[0]
        return (yield from measure_volume_steps(self.fused.array, pair.fixed, pair.moving, axis))

    def with_inputs(self, pair: PreparedPair) -> Result:
        """With the sources, prepared again."""
        return replace(self, inputs=pair, notes=[*pair.notes])

    def with_measures(self, found: VolumeMeasures) -> Result:
        """With what :meth:`measure_steps` found of the whole among its measures."""
        told = {name.lower(): defined(found.whole[name]) for name in _REPORTED}
        return replace(self, measures=self.measures | told)


def assemble(
    pair: PreparedPair,
    network: NetworkOutput,
    settings: FusionSettings,
    record: Record | None = None,
    alignment: Alignment | None = None,
) -> Result:
    """The result for what the network found on ``pair``.

    Args:
        record: of the sources; without it, what ``pair`` tells of them.
        alignment: of the two; without it, as they lie.
    """
    record = record or record_of(pair, settings)
    looks, notes, measures = parts_of_look(pair, network, settings, record)
    maps = {
        parts.RELIABILITY_FIXED.name: network.reliability,
        parts.RELIABILITY_MOVING.name: complement(network.reliability),
        parts.ARBITRATION.name: network.arbitration,
    }
    names = pair.fixed_name, pair.moving_name
    volumes = looks | {
        name: Volume(array, pair.geometry, parts.BY_NAME[name].title_for(*names))
        for name, array in maps.items()
    }
    return Result(
        volumes, settings, notes, measures, record, alignment or Alignment(), pair, network
    )


def record_of(pair: PreparedPair, settings: FusionSettings) -> Record:
    """What ``pair`` itself tells of its sources."""
    return Record(
        SourceRecord(pair.fixed_name, pair.fixed_window),
        SourceRecord(pair.moving_name, pair.moving_window),
        settings,
        pair.functional,
    )


def _not_here(result: Result) -> InputError:
    return InputError(
        f"The result {result.record.pair_name} was read from a folder, which holds neither its "
        "sources nor what the network found",
        "Fuse the two volumes again",
    )
