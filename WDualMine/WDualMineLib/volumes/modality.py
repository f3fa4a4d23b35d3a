"""Which scanner a volume came from: by its header, else by an unmistakable word in its name.

A pair of letters is no evidence: "pt" is as often the patient, and "ct" or "nm" are parts of words.
Names after BIDS end in a suffix that says what the file holds (``sub-01_ses-2_T1w``), and that
counts before any other word. Words that point to different scanners cancel each other out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .volume import Volume

EMISSION = frozenset({"PT", "NM"})
"""Modalities that show uptake rather than anatomy."""

MODALITY = "modality"
"""Attribute, and NRRD key, that carries DICOM's code from file to file."""

_WORDS = {
    "PT": {"pet", "fdg", "18ffdg", "suv", "suvbw"},
    "NM": {"spect"},
    "MR": {
        "mri", "t1w", "t2w", "t1", "t2", "t1map", "t2map", "t2star", "t2starw", "pdw", "pdt2",
        "flair", "mprage", "mp2rage", "inplanet1", "inplanet2", "bold", "dwi", "adc", "phase",
        "phasediff", "unit1", "angio", "swi",
    },
}  # fmt: skip
# Suffixes of BIDS and of its extension for CT: letter pairs that count in such a name alone.
_BIDS_SUFFIXES = {"ct": "CT", "pet": "PT"}
_SYNONYMS = {"PET": "PT", "SPECT": "NM", "MRI": "MR", "MET_MOD_CT": "CT", "MET_MOD_MR": "MR"}
_IN_WORDS = {"PT": "PET"}
# What is a hint at the most.
_LETTERS: dict[str, set[str]] = {
    "CT": {"ct", "cbct"},
    "PT": {"pt"},
    "NM": {"nm"},
    "MR": {"mr"},
}
_KNOWN = frozenset({"CT", "MR", "PT", "NM"})


def modality_of(volume: Volume) -> str:
    """DICOM's code ("CT", "MR", "PT", "NM", or another that a header gave), "" where unknown."""
    return known_modality(volume.modality) or named_modality(volume.name)


def known_modality(said: object) -> str:
    """What a header says, in upper case and DICOM's own word; "" for nothing."""
    word = str(said or "").strip().upper()
    return _SYNONYMS.get(word, word)


def header_modality(attributes: Mapping[str, object]) -> str:
    """One of "CT", "MR", "PT" and "NM" from the key/value pairs of an image file, else ""."""
    for key in (MODALITY, "Modality"):
        if (found := known_modality(attributes.get(key))) in _KNOWN:
            return found
    return ""


def named_modality(name: str) -> str:
    """What the name of a file, without folder and suffix, says for certain; "" for nothing."""
    parts = [part for part in re.split(r"[\W_]+", name.lower()) if part]
    if not parts:
        return ""
    if re.match(r"sub-[0-9a-z]+_", name.lower()) and parts[-1] in _BIDS_SUFFIXES:
        return _BIDS_SUFFIXES[parts[-1]]
    if last := _meaning(parts[-1:]):
        return last.pop() if len(last) == 1 else ""
    found = _meaning(parts)
    return found.pop() if len(found) == 1 else ""


def suggested_modalities(name: str) -> list[str]:
    """Codes that ``name`` may stand for, likely ones first; [] where it suggests none.

    For a choice that the user sees and can change: pairs of letters count here, and words end at
    capitals, so that "CTBrain" and "MRHead" are found.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = set(re.findall(r"[a-z0-9]+", spaced.lower()))
    return [code for code in _LETTERS if words & (_LETTERS[code] | _WORDS.get(code, set()))]


def in_words(modality: str) -> str:
    """As descriptions name it: "PET" for "PT", "image" where unknown ("")."""
    return _IN_WORDS.get(modality, modality) or "image"


def _meaning(parts: list[str]) -> set[str]:
    return {modality for modality, words in _WORDS.items() if words & set(parts)}
