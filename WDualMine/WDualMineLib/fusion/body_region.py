"""Whether a CT shows a head: the brain window suits nothing else.

A thigh or a pelvis in a window of 0 to 80 HU is white muscle and streaks. So a head has to be
proven, by header, name, size and content together, and whatever is not counts as a body, which the
soft tissue window shows well. Command line, panel and Python all ask here.
"""

from __future__ import annotations

import re
from enum import Enum

import numpy as np

from ..volumes.volume import Volume

BODY_PART = "body_part"
"""Attribute of a volume: DICOM's Body Part Examined, where it is known without a context."""

_HEAD_WORDS = {"head", "brain", "skull", "cranium", "cerebral", "neuro", "ich", "stroke"}
_BODY_WORDS = {
    "neck", "headneck", "chest", "thorax", "lung", "heart", "breast", "abdomen", "abdpelvis",
    "liver", "kidney", "pelvis", "hip", "prostate", "extremity", "leg", "thigh", "knee", "calf",
    "foot", "ankle", "arm", "upperarm", "elbow", "forearm", "hand", "wrist", "shoulder", "spine",
    "cspine", "tspine", "lspine", "trunk", "wholebody", "body", "torso", "femur", "humerus",
}  # fmt: skip

# Of the values, in HU. Measured: 18 limbs and trunks of adults have .26 to .63 of fat and .02 to
# .07 of bone, a head has .16 and .18 (docs/method.md).
_FAT, _SOFT, _BONE, _TISSUE = (-150.0, -30.0), (0.0, 80.0), 300.0, -200.0
_MUCH_FAT, _SKULL = 0.25, 0.08
_BARE_FAT, _BARE_BONE = 0.05, 0.02  # of a brain whose skull was taken away
_LONGEST_HEAD_MM = 400.0  # from the vertex to the shoulders, with room to spare


class Region(Enum):
    """What of a body a CT shows, as far as windows care."""

    HEAD = "head"
    BODY = "body"


def region_of(volume: Volume, sample: np.ndarray) -> Region:
    """The region of a CT in Hounsfield units.

    Content and size overrule header and name: a whole-body scan is often filed under "HEAD", and a
    protocol of the head is used for a hand.

    Args:
        volume: its name, geometry, DICOM context and attribute :data:`BODY_PART` are looked at.
        sample: (N,) finite values of it, in HU, spread over the volume.
    """
    if _looks_like_body(volume, sample):
        return Region.BODY
    told = told_region(volume)
    if told is not None:
        return told
    return Region.HEAD if _looks_like_head(sample) else Region.BODY


def told_region(volume: Volume) -> Region | None:
    """What the header says, else the name; None where they say nothing, or both."""
    part = volume.attributes.get(BODY_PART) or getattr(volume.context, "body_part", "")
    for text in (str(part or ""), volume.name):
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
        words = set(re.findall("[a-z]+", spaced.lower()))
        head, body = words & _HEAD_WORDS, words & _BODY_WORDS
        if bool(head) != bool(body):
            return Region.HEAD if head else Region.BODY
    return None


def _looks_like_body(volume: Volume, sample: np.ndarray) -> bool:
    directions = np.abs(volume.geometry.direction_matrix[2])  # along the patient's long axis
    extent = directions @ (np.array(volume.geometry.size) * volume.geometry.spacing)
    # Limbs, pelvis and trunk are more than a quarter fat beside soft tissue; heads are less.
    return bool(extent > _LONGEST_HEAD_MM or _share_of_fat(sample) > _MUCH_FAT)


def _looks_like_head(sample: np.ndarray) -> bool:
    """Little fat, and a skull's worth of bone; or next to neither, where the skull was removed."""
    tissue = np.count_nonzero(sample > _TISSUE)
    if not tissue:
        return False
    bone, fat = np.count_nonzero(sample > _BONE) / tissue, _share_of_fat(sample)
    return bool(bone >= _SKULL or (bone < _BARE_BONE and fat < _BARE_FAT))


def _share_of_fat(sample: np.ndarray) -> float:
    """Of fat and soft tissue together; 0 where there is neither."""
    fat, soft = (np.count_nonzero((sample > low) & (sample < high)) for low, high in (_FAT, _SOFT))
    return fat / (fat + soft) if fat + soft else 0.0
