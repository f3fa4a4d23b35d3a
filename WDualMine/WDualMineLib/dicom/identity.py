"""Whether two series are of one patient."""

from __future__ import annotations

from ..errors import InputError
from .context import SeriesContext


class DifferentPatients(InputError):
    """The two series name different patients, and nobody said that they may.

    Whoever lets users say so in another way than the command line replaces the remedy.
    """


def require_one_patient(
    fixed: SeriesContext | None, moving: SeriesContext | None, *, allowed: bool
) -> list[str]:
    """Refuse two series of different patients; return what the user must be told if allowed.

    Args:
        fixed, moving: None for a volume without DICOM, of which nothing is known.
        allowed: whether the user said that they may differ.

    Raises:
        DifferentPatients: ID, name, birth date or sex contradict.
    """
    if fixed is None or moving is None:
        return []
    differences = ", ".join(fixed.patient.differences(moving.patient))
    if not differences:
        return []
    if not allowed:
        raise DifferentPatients(
            f"The fixed and the moving series are of different patients: {differences} differ",
            "Choose two series of one patient; where they are meant to be of two, allow that by "
            "--different-patients",
        )
    return [f"The two series are of different patients ({differences} differ), as was allowed"]
