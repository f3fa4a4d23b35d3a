"""What kind of scanner a volume came from: DICOM's codes, and the words that names hold."""

from __future__ import annotations

import re

EMISSION = frozenset({"PT", "PET", "NM", "SPECT"})
"""Codes and names of modalities that show uptake rather than anatomy."""

_WORDS = {
    "CT": {"ct", "cbct"},
    "PT": {"pet", "pt", "fdg", "suv"},
    "NM": {"spect", "nm"},
    "MR": {"mr", "mri", "t1", "t2", "flair"},
}
_IN_WORDS = {"PT": "PET"}


def codes_in_name(name: str) -> list[str]:
    """The codes ("CT", "PT", "NM", "MR") that words of ``name`` stand for; [] where none does.

    Words end at capitals, too: "MRHead" and "PET_of_head2" are found.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = set(re.findall(r"[a-z0-9]+", spaced.lower())) | set(re.findall("[a-z]+", name.lower()))
    return [code for code, known in _WORDS.items() if words & known]


def shows_uptake(modality: str, name: str) -> bool:
    """Whether a volume is PET or SPECT: by its modality, and by its name where that is ""."""
    if modality:
        return modality.upper() in EMISSION
    return bool(EMISSION.intersection(codes_in_name(name)))


def in_words(modality: str) -> str:
    """As descriptions name it: "PET" for "PT", "image" where unknown ("")."""
    return _IN_WORDS.get(modality, modality) or "image"
