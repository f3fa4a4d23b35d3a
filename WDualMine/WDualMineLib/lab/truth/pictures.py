"""Pictures of ten volumes, five sound and five with a fault, in three planes, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import OutputError
from ...progress import Progress, Steps
from .cases import Case
from .evaluation import Predict
from .faults import Fault, faults_of
from .scoring import Maps

COUNT = 5
_PLANES = ("axial", "coronal", "sagittal")
_FAULTS = ("void", "noise", "shading", "lost slices", "motion", "ghosting", "bias field", "blur")


def draw_pictures(
    predict: Predict, cases: Sequence[Case], folder: Path, seed: int = 0
) -> Steps[None]:
    """Write ``sound-N-....png`` and ``fault-N-....png``, five each, into ``folder``.

    The cases are spread evenly over those given. Each picture shows both sources, the fused volume
    where ``predict`` gives it, and what is suspected of either source (1 - reliability, black at
    1/2 and below, white at 1), in three planes through the lesion or the fault, which is outlined.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror or error}",
            "Name a folder that can be written",
        ) from error
    chosen = [cases[round(k)] for k in np.linspace(0, len(cases) - 1, min(COUNT, len(cases)))]
    for number, case in enumerate(chosen, 1):
        yield Progress((number - 1) / len(chosen), f"Picture of {case.name}")
        maps = Maps(*predict(*case.sources, case.spacing))
        _draw(
            folder / f"sound-{number}-{_file_name(case.name)}.png", case, case.sources, maps, None
        )
        fault = _fault_of(case, number, seed)
        if fault is not None:
            sources = list(case.sources)
            sources[fault.source] = fault.faulty
            maps = Maps(*predict(*sources, case.spacing))
            name = f"fault-{number}-{_file_name(f'{case.name} {fault.kind}')}.png"
            _draw(folder / name, case, sources, maps, fault)


def _fault_of(case: Case, number: int, seed: int) -> Fault | None:
    """The first of the kinds, from ``number`` on, that can be seen in ``case``."""
    kinds = [_FAULTS[(number + k) % len(_FAULTS)] for k in range(len(_FAULTS))]
    found = (f for kind in kinds for f in faults_of(case, [seed, number], (kind,), ()))
    return next(found, None)


def _draw(
    path: Path,
    case: Case,
    sources: Sequence[np.ndarray],
    maps: Maps,
    fault: Fault | None,
) -> None:
    # Here and not above: pictures are rarely asked for.
    from matplotlib.figure import Figure

    outlined = fault.mask if fault is not None else case.lesion
    if outlined is not None and outlined.any():
        centre = _fullest(outlined)
    else:
        # The fullest slice of a head may be its neck.
        centre = tuple(int(np.median(axis)) for axis in np.nonzero(case.tissue))
    columns = {
        f"fixed: {case.modalities[0]}": sources[0],
        f"moving: {case.modalities[1]}": sources[1],
        "fused": maps.fused,
        "suspected in fixed": np.clip(1 - 2 * maps.fixed, 0, 1),
        "suspected in moving": np.clip(1 - 2 * maps.moving, 0, 1),
    }
    shown = {name: array for name, array in columns.items() if array is not None}
    heights = [_height(row, case) for row in range(3)]
    size = (3 * len(shown), 3 * sum(heights) + 0.8)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    axes = figure.subplots(3, len(shown), squeeze=False, height_ratios=heights)
    for column, (name, array) in enumerate(shown.items()):
        faulty = fault is not None and column == fault.source
        axes[0, column].set_title(name + (f" ({fault.kind})" if faulty else ""))
        for row, plane in enumerate(_PLANES):
            axis = axes[row, column]
            _show(axis, array, row, centre, case.spacing)
            if outlined is not None:
                _outline(axis, outlined, row, centre, case.spacing, "r" if fault else "c")
            if column == 0:
                axis.set_ylabel(plane)
    what = "sound, lesion in cyan" if case.lesion is not None else "sound"
    if fault is not None:
        what = f"{fault.kind} in {case.modalities[fault.source]}, outlined in red"
    figure.suptitle(f"{case.name}: {what}")
    figure.savefig(path, dpi=70)


def _plane(array: np.ndarray, row: int, centre: tuple[int, ...]) -> np.ndarray:
    return np.take(array, centre[row], axis=row)


def _show(axis, array: np.ndarray, row: int, centre: tuple[int, ...], spacing) -> None:
    axis.imshow(
        _plane(array, row, centre),
        cmap="gray",
        vmin=0,
        vmax=1,
        aspect=_aspect(row, spacing),
        origin="upper" if row == 0 else "lower",
    )
    axis.set_xticks([])
    axis.set_yticks([])


def _outline(axis, mask: np.ndarray, row: int, centre: tuple[int, ...], spacing, colour) -> None:
    plane = _plane(mask, row, centre)
    if plane.any() and not plane.all():
        axis.contour(plane, [0.5], colors=colour, linewidths=0.8)


def _aspect(row: int, spacing) -> float:
    down, along = [s for k, s in enumerate(spacing) if k != row]
    return down / along


def _height(row: int, case: Case) -> float:
    """Of a plane in mm over its width."""
    sides = [n * s for n, s in zip(case.tissue.shape, case.spacing, strict=True)]
    down, along = (side for k, side in enumerate(sides) if k != row)
    return down / along


def _fullest(mask: np.ndarray) -> tuple[int, ...]:
    """The plane along each axis that holds the most of ``mask``."""
    others = ((1, 2), (0, 2), (0, 1))
    return tuple(int(np.argmax(mask.sum(axes))) for axes in others)


def _file_name(text: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
