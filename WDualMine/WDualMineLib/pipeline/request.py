"""What to fuse and how: one value object, refused early where it makes no sense."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import SimpleITK as sitk

from ..dicom.identity import require_one_patient
from ..errors import InputError
from ..fusion.settings import FusionSettings
from ..registration.transforms import read_transform, simplified
from ..volumes.volume import Volume
from .sources import read

AS_THEY_LIE, RIGID, AFFINE, GIVEN = "none", "rigid", "affine", "transform"
REGISTRATIONS = (AS_THEY_LIE, RIGID, AFFINE, GIVEN)

Source = Volume | str | os.PathLike[str]
"""A volume, or where one lies on the disk."""


@dataclass(frozen=True, eq=False)
class Request:
    """One job.

    Attributes:
        fixed: scalar volume, whose grid the results get.
        moving: scalar volume of the same patient.
        settings: of the fusion.
        registration: how the two are aligned. "none": they lie as they should, under
            ``transform`` where there is one. "rigid" or "affine": by their content, starting from
            ``transform`` where there is one. "transform": by ``transform``, which is judged.
        transform: linear, from points of the fixed volume to the moving one (LPS mm).
        transform_name: the file or node that ``transform`` came from, for reports.
        different_patients: whether the volumes may be of different patients.

    Raises:
        DifferentPatients: DICOM says that they are, and it was not allowed.
        InputError: a volume in colour, an unknown registration, or a transform that is missing or
            not linear.
    """

    fixed: Volume
    moving: Volume
    settings: FusionSettings = field(default_factory=FusionSettings)
    registration: str = AS_THEY_LIE
    transform: sitk.Transform | None = None
    transform_name: str = ""
    different_patients: bool = False

    def __post_init__(self) -> None:
        self.notes_on_patients()
        for volume in (self.fixed, self.moving):
            if volume.is_colour:
                raise InputError(
                    f"{volume.name!r} is a colour volume",
                    "Give a scalar volume: one number a voxel",
                )
        if self.registration not in REGISTRATIONS:
            raise InputError(
                f"There is no registration {self.registration!r}",
                f"Use one of {', '.join(REGISTRATIONS)}",
            )
        if self.registration == GIVEN:
            if self.transform is None:
                raise InputError(
                    "No transform is given", "Give the transform that aligns the moving volume"
                )
            simplified(self.transform, self.transform_name or "The transform")

    def notes_on_patients(self) -> list[str]:
        """What must be told of whose the volumes are; see :mod:`~..dicom.identity`."""
        contexts = self.fixed.context, self.moving.context
        return require_one_patient(*contexts, allowed=self.different_patients)

    @classmethod
    def of(
        cls,
        fixed: Source,
        moving: Source,
        settings: FusionSettings | None = None,
        registration: str | os.PathLike[str] | sitk.Transform = AS_THEY_LIE,
        different_patients: bool = False,
    ) -> Request:
        """A request in a caller's words: paths for volumes, a file or a transform to align by.

        Args:
            fixed, moving: volumes, image files or DICOM folders.
            settings: defaults as in :class:`~..fusion.settings.FusionSettings`.
            registration: "none", "rigid", "affine", a transform, or the file of one.
            different_patients: as in :class:`Request`.

        Raises:
            InputError: see :class:`Request`; or a file cannot be read.
        """
        transform, name = None, ""
        if isinstance(registration, sitk.Transform):
            transform, kind = simplified(registration), GIVEN
        elif registration in (AS_THEY_LIE, RIGID, AFFINE):
            kind = str(registration)
        else:
            transform, kind, name = read_transform(registration), GIVEN, str(Path(registration))
        chosen = settings or FusionSettings()
        volumes = read(fixed), read(moving)
        return cls(*volumes, chosen, kind, transform, name, different_patients)
