"""What must be known of a volume that Slicer made of DICOM files whose slices lie unevenly.

Slicer's import stacks them as if they were even and upright, says so in its own list of series
only, and bends them right by a transform where its settings ask for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import slicer

from ...errors import Caution
from .dicom_origin import files_of

if TYPE_CHECKING:
    from ...dicom.slice_layout import SliceLayout

_Known = dict[tuple[Path, ...], "SliceLayout | None"]


class LoadedSlices:
    """Looks into the headers of a series once."""

    def __init__(self) -> None:
        self._known: _Known = {}

    def asked_of(self, node: slicer.vtkMRMLVolumeNode) -> Asked:
        """What is to be looked at, for a thread that may not touch nodes."""
        size = node.GetImageData().GetDimensions()
        return Asked(node.GetName(), tuple(size), tuple(files_of(node)), self._known)


@dataclass(frozen=True)
class Asked:
    """A volume without its node.

    Attributes:
        name: of the node.
        size: (I, J, K).
        files: that it was made of; none where they are not known.
        known: what was found in files before.
    """

    name: str
    size: tuple[int, ...]
    files: tuple[Path, ...]
    known: _Known

    def notes(self) -> tuple[Caution, ...]:
        """One where the volume still holds slice for slice what its files hold, and they lie
        otherwise than a grid can. Reads headers, some milliseconds a file, once."""
        if not self.files:
            return ()
        if self.files not in self.known:
            # Here and not above: pydicom is slow to import, and most volumes are not from DICOM.
            from ...dicom.slice_layout import layout_of

            self.known[self.files] = layout_of(self.files)
        layout = self.known[self.files]
        if layout is None or not layout.fault or layout.size != self.size:
            return ()
        return (
            Caution(
                f"{self.name} may be distorted: {layout.fault}, and 3D Slicer stacks slices "
                "evenly unless its import is told to regularize the acquisition geometry "
                "(Application Settings, DICOM). Import it again so and harden the transform, or "
                "fuse its folder by `wdualmine fuse`."
            ),
        )
