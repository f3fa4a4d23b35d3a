"""Intensity windows: from a scanner's units to [0, 1], one map for a whole volume.

Never one for each slice: neighbouring slices would flicker. The map is affine, up to the bright end
of the windows that are found from the values alone: nobody chose that end, and the hottest voxels
lie beyond it, so it is bent there and cuts nothing off.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, isfinite

import numpy as np

from ..errors import InputError
from ..volumes import scratch
from ..volumes.modality import known_modality, modality_of, shows_uptake
from ..volumes.volume import Volume
from .body_region import Region, region_of
from .chunks import for_ranges, taken_every
from .tone import bend_top, unbend_top

# Width and level as radiologists use them, given as (low, high) in HU.
CT_WINDOWS = {
    "ct-brain": (0.0, 80.0),
    "ct-bone": (-500.0, 1500.0),
    "ct-soft": (-160.0, 240.0),
}
WINDOW_NAMES = ("auto", *CT_WINDOWS, "pet", "mr")

_KNEES = {"pet": 0.75, "mr": 0.9}
"""Share of the windows found from the values up to which they are affine. Up to half of a hot
tumour lies beyond the window that suits the rest of a PET; brightest in MR are fat and fluid, and
what took up contrast agent."""

_SAMPLE = 1 << 19
_AIR = -900.0  # HU; nothing in a body is below
_RESCALED = 300.0  # soft tissue with all else cut away stays below; as stored it is near 1000


@dataclass(frozen=True)
class Window:
    """The map ``(value - low) / (high - low)`` to [0, 1].

    Attributes:
        low, high: values shown black and white, in the volume's units. A display that knows nothing
            of ``brightest`` shows the same but for what is brighter than that.
        name: one of :data:`WINDOW_NAMES` but "auto", or "explicit".
        units: those that the volume's attribute "units" names, "HU" where the values can be nothing
            else or the header says that it is a CT, or "".
        suv_factor: a value times this is an SUV by body weight; the volume's attribute of that
            name, None where it has none.
        brightest: in the volume's units; where it is above ``high``, it becomes 1 in its stead, and
            the map is bent towards it from :attr:`knee` on. None cuts off at ``high``, as a user
            who gave that number expects.
    """

    low: float
    high: float
    name: str
    units: str = ""
    suv_factor: float | None = None
    brightest: float | None = None

    @property
    def knee(self) -> float:
        """The level in [0, 1] up to which the map is affine; 1 where it is so throughout."""
        return _KNEES.get(self.name, 1.0) if self._ceiling > 1 else 1.0

    @property
    def _ceiling(self) -> float:
        if self.brightest is None or self.name not in _KNEES:
            return 1.0
        return max(1.0, (self.brightest - self.low) / (self.high - self.low))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """float32 in [0, 1] of any real array; what is not finite becomes 0."""
        result = scratch.empty(values.shape)
        flat, source = result.reshape(-1), np.ascontiguousarray(values).reshape(-1)
        span, ceiling, knee = np.float32(self.high - self.low), self._ceiling, self.knee

        def apply(piece: slice) -> None:
            out = flat[piece]
            np.subtract(source[piece], np.float32(self.low), out=out, casting="unsafe")
            out /= span
            if source.dtype.kind == "f":
                out[~np.isfinite(source[piece])] = 0
            np.clip(out, 0, ceiling, out=out)
            bend_top(out, ceiling, knee)

        for _ in for_ranges(apply, source.size):
            pass
        return result

    def to_units(self, fraction: np.ndarray | np.floating) -> np.ndarray:
        """The inverse map, from [0, 1] to the volume's units."""
        fraction = unbend_top(np.asarray(fraction), self._ceiling, self.knee)
        return self.low + (self.high - self.low) * fraction


def parse_window(window: str | tuple[float, float]) -> str | tuple[float, float]:
    """A window as given by a user: a name of :data:`WINDOW_NAMES`, ``"LO,HI"`` or ``(lo, hi)``.

    Raises:
        InputError: none of these, or ``lo`` is not below ``hi``.
    """
    if isinstance(window, str) and window in WINDOW_NAMES:
        return window
    try:
        low, high = map(float, window.split(",") if isinstance(window, str) else window)
    except (TypeError, ValueError):
        raise InputError(
            f"There is no intensity window {window!r}",
            f"Use one of {', '.join(WINDOW_NAMES)}, or two numbers LO,HI",
        ) from None
    if not (isfinite(low) and isfinite(high) and low < high):
        raise InputError(
            f"The intensity window {low:g},{high:g} is empty",
            "Give two numbers LO,HI with LO below HI",
        )
    return low, high


def choose_window(volume: Volume, window: str | tuple[float, float]) -> Window:
    """The window for a scalar volume, in its own units.

    ``"auto"``: Hounsfield units get the brain window where a head is shown, else the soft-tissue
    window (:mod:`~.body_region`); everything else the robust range of its own values, from 0 for
    PET and SPECT and from above the noise of the air for MR.

    Args:
        volume: scalar; ``modality`` and the attribute "units" are trusted where given, else values
            and an unmistakable word in the name (:mod:`~..volumes.modality`) decide.
        window: what :func:`parse_window` accepts.

    Raises:
        InputError: no finite voxel, constant, or nothing of the volume lies inside the window.
    """
    window = parse_window(window)
    lowest, highest = _finite_range(volume)
    sample = _sample(volume)
    hounsfield = _in_hounsfield(volume, sample)
    if window == "auto":
        window = _guess(volume, sample, hounsfield)
        low, high = CT_WINDOWS.get(window, (-np.inf, np.inf))
        if lowest >= high or highest <= low:  # HU as the header says, and nothing of a body
            window = "mr"
    units = str(volume.attributes.get("units") or _unit_of(volume, lowest, highest, hounsfield))
    suv_factor = _suv_factor(volume)
    if isinstance(window, tuple):
        chosen = Window(*window, "explicit", units, suv_factor)
    elif window in CT_WINDOWS:
        chosen = Window(*CT_WINDOWS[window], window, units, suv_factor)
    else:
        low, high = _robust_range(sample, from_zero=window == "pet")
        if not low < high:  # something small on a constant ground
            low, high = lowest, highest
        chosen = Window(low, high, window, units, suv_factor, highest)
    if lowest >= chosen.high or highest <= chosen.low:
        raise InputError(
            f"The window {chosen.low:g} to {chosen.high:g} ({chosen.name}) leaves nothing to be "
            f"seen of {volume.name!r}, whose values are {lowest:g} to {highest:g}",
            "Choose another intensity window, or leave it to auto",
        )
    return chosen


def _suv_factor(volume: Volume) -> float | None:
    """As the DICOM reader left it; an image file may bring it as text, or as anything."""
    try:
        factor = float(volume.attributes["suv_factor"])
    except (KeyError, TypeError, ValueError):
        return None
    return factor if isfinite(factor) and factor > 0 else None


def shows_a_head(volume: Volume) -> bool:
    """Whether ``volume`` is a CT of a head, in Hounsfield units or not."""
    return region_of(volume, _sample(volume)) is Region.HEAD


def count_not_finite(volume: Volume) -> int:
    """Voxels that are NaN or infinite; :meth:`Window.apply` puts the window's low end there."""
    if volume.array.dtype.kind != "f":
        return 0
    flat = np.ascontiguousarray(volume.array).reshape(-1)
    finite = for_ranges(lambda piece: int(np.isfinite(flat[piece]).sum()), flat.size)
    return flat.size - sum(finite)


def _finite_range(volume: Volume) -> tuple[float, float]:
    flat = np.ascontiguousarray(volume.array).reshape(-1)

    def extremes(piece: slice) -> tuple[float, float]:
        values = flat[piece]
        low, high = values.min(), values.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            finite = np.isfinite(values)
            low = values.min(where=finite, initial=np.inf)
            high = values.max(where=finite, initial=-np.inf)
        return float(low), float(high)

    ranges = list(for_ranges(extremes, flat.size))
    lowest, highest = min(r[0] for r in ranges), max(r[1] for r in ranges)
    if lowest > highest:
        raise InputError(
            f"{volume.name!r} holds no finite voxel: all are NaN or infinite",
            "Check how it was exported, or choose another volume",
        )
    if lowest == highest:
        raise InputError(
            f"{volume.name!r} is constant: every voxel is {lowest:g}",
            "Choose a volume that shows something",
        )
    return lowest, highest


def _sample(volume: Volume) -> np.ndarray:
    """Finite float32 values of voxels spread over the volume."""
    flat = volume.array.reshape(-1)
    step = max(1, flat.size // _SAMPLE)
    row = volume.array.shape[-1]
    # A step that shares a factor with the rows would see some columns only.
    while step > 1 and gcd(step, row * volume.array.shape[-2]) > 1:
        step += 1
    sample = taken_every(flat, step).astype(np.float32)
    return sample[np.isfinite(sample)]


def _guess(volume: Volume, sample: np.ndarray, hounsfield: bool) -> str:
    if hounsfield:
        return "ct-brain" if region_of(volume, sample) is Region.HEAD else "ct-soft"
    return "pet" if shows_uptake(volume.modality, volume.name) else "mr"


def _in_hounsfield(volume: Volume, sample: np.ndarray) -> bool:
    """By what the header says, whatever was cut away since (a skull, a table); else by values."""
    units = str(volume.attributes.get("units") or "").upper()
    if modality_of(volume) not in ("CT", "") or units not in ("HU", ""):
        return False
    return units == "HU" or _is_hounsfield(sample)


def _unit_of(volume: Volume, lowest: float, highest: float, hounsfield: bool) -> str:
    """ "HU" where values can be nothing else, or where a header says CT and they do not contradict.

    CT has no other unit, but what a scanner stored before it was rescaled starts at 0.
    """
    of_header = known_modality(volume.modality) == "CT" and lowest >= -4096 and highest <= 32767
    return "HU" if hounsfield or (of_header and (lowest < 0 or highest < _RESCALED)) else ""


def _is_hounsfield(sample: np.ndarray) -> bool:
    """Air or fat clearly below 0, something dense clearly above, and no more than CT can hold.

    Where the skull was stripped nothing is dense: then there must be air itself.
    """
    if not sample.size:
        return False
    low, high = np.percentile(sample, [0.5, 99.9])
    dense = 100 if low > _AIR else 20
    return bool(-4096 <= low <= -100 and dense <= high <= 32767)


def _robust_range(sample: np.ndarray, from_zero: bool) -> tuple[float, float]:
    """(low, high): black at 0 or above the noise of the air, white at the head's 99.5th percentile.

    Not in order where the sample shows next to nothing.
    """
    bottom, top = np.percentile(sample, [0.5, 99.9])
    shown = sample[sample > bottom + 0.05 * (top - bottom)]
    high = float(np.percentile(shown, 99.5)) if shown.size else float(top)
    if from_zero:
        return 0.0, high
    air = sample[sample < bottom + 0.1 * (high - bottom)]
    if not air.size:
        return float(bottom), high
    middle = float(np.median(air))
    # 1.4826 x the median absolute deviation estimates a standard deviation; two of them hold
    # nearly all of the noise, and the tenth of the range caps what dark tissue may lose.
    noise = 1.4826 * float(np.median(np.abs(air - middle)))
    return min(middle + 2 * noise, float(bottom + 0.1 * (high - bottom))), high
