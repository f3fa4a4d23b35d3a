"""A result as DICOM objects, with patient, study and frame of reference of its sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..progress import Progress, finish
from . import parts
from .ownership import require_exportable
from .request import AFFINE, RIGID
from .result import Result

if TYPE_CHECKING:  # pydicom loads only when something is exported
    from ..dicom.context import SeriesContext
    from ..dicom.export import Exported, ExportOptions, ResultVolumes


def export_dicom(
    result: Result,
    folder: str | os.PathLike[str],
    options: ExportOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    **chosen: Any,
) -> Exported:
    """Write ``result`` as DICOM objects, all or none.

    Patient, study and frame of reference are those of the fixed volume's series, if it was read
    from DICOM; else what is chosen, else visible placeholders.

    Args:
        result: fused just now, or loaded from a folder.
        folder: made if it is not there; gets ``fused/``, ``fused_colour/``, ``maps/`` and
            ``registration/``.
        options: see :class:`~..dicom.export.ExportOptions`.
        progress: called after every object.
        chosen: single fields of ``options``, in their place: ``anonymise=True``.

    Raises:
        DifferentPatients: the two series name different patients.
        InputError: the result does not lie on the fixed series.
        OutputError: the folder cannot be written, or holds such files already.
    """
    from ..dicom.export import ExportOptions, export_steps

    if chosen:
        options = ExportOptions(**chosen)
    fixed, moving = contexts_of(result)
    require_exportable(result.record, options, under_header=fixed is not None)
    steps = export_steps(volumes_for_dicom(result), folder, fixed, moving, options)
    return finish(steps, progress)


def contexts_of(result: Result) -> tuple[SeriesContext | None, SeriesContext | None]:
    """What the series of the fixed and the moving volume say; None for volumes without DICOM."""
    return result.record.fixed.context, result.record.moving.context


def volumes_for_dicom(result: Result) -> ResultVolumes:
    """What :func:`~..dicom.export.export_steps` takes of a result."""
    from ..dicom.export import ResultVolumes

    return ResultVolumes(
        fused=result.fused,
        maps={parts.BY_NAME[name].series: volume for name, volume in result.maps.items()},
        colour=result.colour,
        transform=result.alignment.transform,
        settings=result.record.described(),
        modalities=(result.record.fixed.known_modality, result.record.moving.known_modality),
        by_content=result.alignment.kind in (RIGID, AFFINE),
    )
