"""New UIDs, all under the root 2.25 that the standard gives to UUIDs (PS3.5 B.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4, uuid5

# Of this software; the frame of reference made for a series without one is derived from it, so
# that two exports of one series agree.
_OURS = UUID("5d1c7d1e-6a0e-4f43-9d3c-0b5a7c1d2e9f")


@dataclass(frozen=True)
class Uids:
    """The UIDs of one export: by name, so that objects can refer to each other before they exist.

    Args:
        export: identifies the export; random, so that exporting again makes new objects.
    """

    export: UUID = field(default_factory=uuid4)

    def of(self, *name: object) -> str:
        """The UID for ``name``, always the same within the export."""
        return _as_uid(uuid5(self.export, "/".join(map(str, name))))


def frame_of_reference_for(series_uid: str) -> str:
    """The frame of reference of a series that carries none; always the same for the series."""
    return _as_uid(uuid5(_OURS, f"frame of reference/{series_uid}"))


def _as_uid(uuid: UUID) -> str:
    return f"2.25.{uuid.int}"
