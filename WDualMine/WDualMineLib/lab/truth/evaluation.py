"""The maps of every case, sound and with each fault, scored: the measure itself.

:func:`evaluate_maps` takes any function from two arrays to two reliability maps, so that a network
can be scored while it is trained, without the rest of a fusion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...palettes import UNSEEN
from ...progress import Progress, Steps
from .calibration import Calibration
from .cases import Case
from .faults import KINDS, WHOLE, Fault, faults_of
from .look import LookScore, measure_look
from .regions import Spacing
from .scoring import DOUBTED, Detection, Maps, detection, false_alarms, share, stripes

Predict = Callable[[np.ndarray, np.ndarray, Spacing], Sequence[np.ndarray]]
"""(fixed, moving, mm along K, J, I) -> reliability of fixed, of moving [, fused volume].

Arrays are float32 (K, J, I) in [0, 1]; slices lie along the first axis.
"""

_ISOTROPIC_MM = 2.0
_AIR_TOLERANCE = 1e-3


@dataclass(frozen=True)
class SoundScore:
    """A sound volume.

    Attributes:
        case, group, family: of :class:`~.cases.Case`.
        false_alarms: share of the tissue where a reliability is below .25.
        shown: share of the tissue where pictures and views show a suspicion at all, however pale.
        lesion_doubted: share of the lesion where that of the moving source, which shows it, is.
        lesion_flagged: share of the lesion where that of either source is.
        air_off: share of the air, where both sources are 0, that is not 1/2 within .001.
        suspicion: mean |reliability - 1/2| in the tissue.
        stripes: see :func:`~.scoring.stripes`; only on 2 mm isotropic.
    """

    case: str
    group: str
    family: str
    false_alarms: float
    shown: float
    lesion_doubted: float
    lesion_flagged: float
    air_off: float
    suspicion: float
    stripes: float


@dataclass(frozen=True)
class FaultScore:
    """A volume with one fault.

    Attributes:
        case, group, family: of the sound volume.
        kind, source, extent: of the :class:`~.faults.Fault`; source is the modality's name.
        size: share of the tissue that is faulty.
        change: mean change of the windowed source within the fault.
        found: how well the map of the faulty source finds it.
        stripes: as in :class:`SoundScore`.
        harm: mean change of the fused volume within the fault, with the maps.
        harm_even: the same with both sources trusted evenly.
    """

    case: str
    group: str
    family: str
    kind: str
    source: str
    extent: str
    size: float
    change: float
    found: Detection
    stripes: float
    harm: float
    harm_even: float

    @property
    def harm_excess(self) -> float:
        """What the maps add to the harm: at most 0 where they never do any."""
        return self.harm - self.harm_even


@dataclass
class Evaluation:
    """All scores of :func:`evaluate_maps`.

    Attributes:
        sound: a row a case.
        faults: a row a faulty volume.
        calibration: ``{case: table}``; sound and faulty volumes count by halves.
        look: a row a case, where ``predict`` gave the fused volume.
    """

    sound: list[SoundScore] = field(default_factory=list)
    faults: list[FaultScore] = field(default_factory=list)
    calibration: dict[str, Calibration] = field(default_factory=dict)
    look: list[LookScore] = field(default_factory=list)

    def add(self, other: Evaluation) -> None:
        """Take in the scores of other cases."""
        self.sound += other.sound
        self.faults += other.faults
        self.calibration |= other.calibration
        self.look += other.look


def evaluate_maps(
    predict: Predict,
    cases: Sequence[Case],
    kinds: tuple[str, ...] = tuple(KINDS),
    whole: tuple[str, ...] = tuple(WHOLE),
    seed: int = 0,
    even: Predict | None = None,
) -> Steps[Evaluation]:
    """Score the maps of each case, sound and with each fault; progress after each volume.

    Args:
        predict: makes the maps of two volumes.
        cases: sound volumes.
        kinds: faults of a region, keys of :data:`~.faults.KINDS`.
        whole: faults that fill the volume, keys of :data:`~.faults.WHOLE`.
        seed: of the faults; a case's do not depend on the other cases.
        even: as ``predict``, with both sources trusted evenly, for the harm; both must then
            return fused volumes.
    """
    result = Evaluation()
    for number, case in enumerate(cases):
        yield Progress(number / len(cases), f"{case.name}: sound")
        sound = Maps(*predict(*case.sources, case.spacing))
        sound_even = None if even is None else Maps(*even(*case.sources, case.spacing))
        result.sound.append(score_sound(case, sound))
        if sound.fused is not None:
            result.look.append(measure_look(case, sound.fused))
        healthy = [_calibration(case, sound, source, None) for source in (0, 1)]
        faulty = []
        for fault in faults_of(case, [seed, *case.name.encode()], kinds, whole):
            yield Progress(number / len(cases), f"{case.name}: {fault.kind}")
            sources = list(case.sources)
            sources[fault.source] = fault.faulty
            maps = Maps(*predict(*sources, case.spacing))
            harm = _harm(maps, sound, fault)
            harm_even = float("nan")
            if even is not None:
                harm_even = _harm(Maps(*even(*sources, case.spacing)), sound_even, fault)
            result.faults.append(score_fault(case, fault, maps, sound, (harm, harm_even)))
            faulty += [_calibration(case, maps, source, fault) for source in (0, 1)]
        halves = [Calibration.mean(part) for part in (healthy, faulty) if part]
        result.calibration[case.name] = Calibration.mean(halves)
    return result


def score_sound(case: Case, maps: Maps) -> SoundScore:
    """The figures of a sound volume's maps."""
    a, b = case.sources
    air = (a == 0) & (b == 0)
    doubted = flagged = float("nan")
    if case.lesion is not None:
        doubted = share(maps.moving < DOUBTED, case.lesion)
        flagged = false_alarms(maps, case.lesion)
    tissue = maps.fixed[case.tissue]
    return SoundScore(
        case.name,
        case.group,
        case.family,
        false_alarms(maps, case.tissue),
        share(np.abs(maps.fixed - 0.5) > UNSEEN, case.tissue),
        doubted,
        flagged,
        share(np.abs(maps.fixed - 0.5) > _AIR_TOLERANCE, air),
        float(np.abs(tissue - 0.5).mean()),
        _stripes(case, maps),
    )


def score_fault(
    case: Case, fault: Fault, maps: Maps, sound: Maps, harm: tuple[float, float]
) -> FaultScore:
    """The figures of a faulty volume's maps, beside those of the sound volume."""
    return FaultScore(
        case.name,
        case.group,
        case.family,
        fault.kind,
        case.modalities[fault.source],
        fault.extent,
        share(fault.mask, case.tissue),
        float(np.abs(fault.faulty - case.sources[fault.source])[fault.mask].mean()),
        detection(maps, sound, fault.source, fault.mask, fault.scored, case.tissue),
        _stripes(case, maps),
        *harm,
    )


def _stripes(case: Case, maps: Maps) -> float:
    if not np.allclose(case.spacing, _ISOTROPIC_MM, rtol=0.1):
        return float("nan")
    return stripes(maps.fixed, case.tissue, case.spacing)


def _calibration(case: Case, maps: Maps, source: int, fault: Fault | None) -> Calibration:
    if fault is None or fault.source != source:
        suspicion = (1 - maps[source])[case.tissue]
        return Calibration.of(suspicion, np.zeros(suspicion.shape, bool))
    return Calibration.of((1 - maps[source])[fault.scored], fault.mask[fault.scored])


def _harm(maps: Maps, sound: Maps, fault: Fault) -> float:
    """Mean change of the fused volume within the fault; NaN without a fused volume."""
    if maps.fused is None or sound.fused is None:
        return float("nan")
    return float(np.abs(maps.fused - sound.fused)[fault.mask].mean())
