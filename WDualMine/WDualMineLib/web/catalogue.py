"""What a server was given: one result, a batch of them, or two volumes that are being fused."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ..errors import InputError, WDualMineError
from . import batch_table
from .fusing import Fusing
from .study import Study, describe, read_study, unnamed

_STUDIES_KEPT = 2


class Catalogue(Protocol):
    """The studies of a server.

    Attributes:
        fusing: where the only study is still to be made, else None.
    """

    @property
    def fusing(self) -> Fusing | None: ...

    def rows(self) -> list[dict[str, Any]]:
        """The table of studies; empty where there is only one."""

    def open(self, number: int) -> tuple[Study, dict[str, Any]]:
        """A study and its description; may take seconds, in any thread.

        Raises:
            InputError: there is no such study, or it cannot be read.
        """


class Folders:
    """A result folder, or that of a batch; read on first use, the last ones are kept."""

    fusing: Fusing | None = None

    def __init__(self, folder: Path, sources: Sequence[Path], *, anonymise: bool) -> None:
        self._folder, self._sources, self._anonymise = folder, sources, anonymise
        self._is_batch = batch_table.is_batch(folder)
        self._open: OrderedDict[int, tuple[Study, dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self) -> list[dict[str, Any]]:
        if not self._is_batch:
            return []
        return batch_table.rows_of(self._folder, anonymise=self._anonymise)

    def open(self, number: int) -> tuple[Study, dict[str, Any]]:
        with self._lock:
            if number not in self._open:
                try:
                    self._open[number] = self._read(number)
                except WDualMineError as error:
                    if self._anonymise:
                        raise unnamed(error) from None
                    raise
            self._open.move_to_end(number)
            while len(self._open) > _STUDIES_KEPT:
                self._open.popitem(last=False)
            return self._open[number]

    def _read(self, number: int) -> tuple[Study, dict[str, Any]]:
        folder = self._folder
        if self._is_batch:
            folder = batch_table.folder_of(folder, number)
        study = read_study(folder, self._sources, anonymise=self._anonymise)
        return study, describe(study)


class Fused:
    """The study that a fusion gives."""

    def __init__(self, fusing: Fusing) -> None:
        self.fusing: Fusing | None = fusing
        self._fusing = fusing
        self._described: dict[str, Any] | None = None
        self._lock = threading.Lock()

    def rows(self) -> list[dict[str, Any]]:
        return []

    def open(self, number: int) -> tuple[Study, dict[str, Any]]:
        study = self._fusing.study
        if study is None:
            raise InputError("The volumes are not fused yet", "Wait until they are")
        with self._lock:
            if self._described is None:
                self._described = describe(study)
            return study, self._described
