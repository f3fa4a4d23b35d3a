"""Pairs of a BIDS dataset, found by the entities of its file names.

Within a subject and session one anatomical image (T1w before T2w) is fixed, and the PET or CT
moves; without either, the T2w moves to the T1w. BIDS has no folder for CT yet: ``ct/*_ct.nii.gz``
and ``anat/*_ct.nii.gz`` are what its proposal and users write.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .study import Bids, Row

DESCRIPTION = "dataset_description.json"
_DATATYPES = ("anat", "pet", "ct")
_FIXED, _MOVING = ("T1w", "T2w"), ("pet", "ct")
_NAME = re.compile(
    r"(?P<entities>[a-zA-Z0-9]+-[^_]+(?:_[a-zA-Z0-9]+-[^_]+)*)_(?P<suffix>\w+)\.nii(\.gz)?"
)
_WINDOWS = {"pet": "pet"}


@dataclass(frozen=True)
class Image:
    """An image of a dataset, by its name."""

    path: Path
    datatype: str
    suffix: str
    entities: tuple[tuple[str, str], ...]

    @property
    def owner(self) -> tuple[tuple[str, str], ...]:
        """Subject and session."""
        return tuple((key, label) for key, label in self.entities if key in ("sub", "ses"))


def is_dataset(folder: Path) -> bool:
    """Whether ``folder`` says that it is a BIDS dataset."""
    return (folder / DESCRIPTION).is_file()


def pairs_of(root: Path) -> list[Row]:
    """A row a pair. One subject may have several: each PET or CT with the anatomy of its session,
    or of the subject where its session has none.

    Raises:
        InputError: there is no pair at all.
    """
    images = list(_images(root))
    of_owner: dict[tuple[tuple[str, str], ...], list[Image]] = defaultdict(list)
    for image in images:
        of_owner[image.owner].append(image)
    rows = []
    for owner, there in sorted(of_owner.items()):
        moving = [image for image in there if image.suffix in _MOVING]
        fixed = [image for image in there if image.suffix in _FIXED]
        if moving and not fixed:
            subject = owner[:1]
            fixed = [i for i in images if i.owner[:1] == subject and i.suffix in _FIXED]
        if not moving and {image.suffix for image in fixed} == set(_FIXED):
            moving = [image for image in fixed if image.suffix == "T2w"][:1]
            fixed = [image for image in fixed if image.suffix == "T1w"]
        if fixed and moving:
            best = min(fixed, key=lambda image: (_FIXED.index(image.suffix), image.path.as_posix()))
            rows += [_row(root, best, other) for other in moving]
    if not rows:
        raise InputError(
            f"{root} is a BIDS dataset in which no subject has an anatomical image (T1w, T2w) and "
            f"another one beside it (pet, ct); {len(images)} images were looked at",
            "Give a study list in CSV, with a row for each pair",
        )
    return rows


def _images(root: Path) -> Iterator[Image]:
    for subject in sorted(root.glob("sub-*")):
        for datatype in _DATATYPES:
            folders = [subject / datatype, *sorted(subject.glob(f"ses-*/{datatype}"))]
            for path in (file for folder in folders for file in sorted(folder.glob("*.nii*"))):
                match = _NAME.fullmatch(path.name)
                if match is not None and match["suffix"] in (*_FIXED, *_MOVING):
                    split = (entity.partition("-") for entity in match["entities"].split("_"))
                    entities = tuple((key, label) for key, _, label in split)
                    yield Image(path, datatype, match["suffix"], entities)


def _row(root: Path, fixed: Image, moving: Image) -> Row:
    own = [entity for entity in moving.entities if entity not in fixed.entities]
    words = [f"{key}-{label}" for key, label in (*fixed.entities, *own)]
    name = "_".join([*words, f"{fixed.suffix}+{moving.suffix}"])
    owner = tuple(dict((*fixed.owner, *moving.owner)).items())
    options = {
        f"{role}-window": _WINDOWS[image.suffix]
        for role, image in (("fixed", fixed), ("moving", moving))
        if image.suffix in _WINDOWS
    }
    tag = "".join([moving.suffix.capitalize(), *(f"{k.capitalize()}{v}" for k, v in own)])
    return Row(
        place="/".join(f"{key}-{label}" for key, label in owner) + f" ({moving.path.name})",
        fixed=fixed.path.relative_to(root).as_posix(),
        moving=moving.path.relative_to(root).as_posix(),
        name=name,
        words=options,
        bids=Bids(root, fixed.entities, fixed.datatype, fixed.suffix, re.sub(r"\W", "", tag)),
    )
