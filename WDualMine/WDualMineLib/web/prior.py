"""A prior study beside the current one, at the same place in millimetres."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from ..errors import InputError
from .catalogue import Catalogue
from .fusing import Fusing
from .study import Study

OTHER_FRAME = (
    "The prior study lies in another frame of reference: the same place in millimetres is not the "
    "same place in the patient."
)
UNKNOWN_FRAME = (
    "Nothing tells whether the prior study lies in the same frame of reference: the same place in "
    "millimetres may not be the same place in the patient."
)


class BesidePrior:
    """The only study of one catalogue, with that of another one beside it."""

    def __init__(self, current: Catalogue, prior: Catalogue) -> None:
        self._current, self._prior = current, prior
        self._both: tuple[Study, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    @property
    def fusing(self) -> Fusing | None:
        return self._current.fusing

    def rows(self) -> list[dict[str, Any]]:
        return []

    def open(self, number: int) -> tuple[Study, dict[str, Any]]:
        """See :class:`.catalogue.Catalogue`.

        Raises:
            InputError: also where they are of two patients.
        """
        study, described = self._current.open(number)
        with self._lock:
            if self._both is None:
                prior, of_prior = self._prior.open(0)
                require_one_patient(study, prior)
                told = {key: of_prior[key] for key in ("title", "parts", "sources", "notes")}
                told["warning"] = frame_warning(study, prior)
                self._both = replace(study, prior=prior), described | {"prior": told}
            return self._both


def require_one_patient(study: Study, prior: Study) -> None:
    """Refuse to show two patients as one.

    Raises:
        InputError: what is known of both contradicts itself.
    """
    for ours in study.patients:
        for theirs in prior.patients:
            if differences := ours.differences(theirs):
                raise InputError(
                    f"The prior study is of another patient: {', '.join(differences)} differ",
                    "Give an earlier study of this patient with --prior",
                )


def frame_warning(study: Study, prior: Study) -> str:
    """What must be told of where they lie; "" where DICOM says that it is one frame."""
    frames = study.frame_of_reference, prior.frame_of_reference
    if not all(frames):
        return UNKNOWN_FRAME
    return "" if frames[0] == frames[1] else OTHER_FRAME
