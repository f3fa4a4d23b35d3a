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
    "CT": {"cbct"},
}  # fmt: skip
_HINTS = {
    "CT": {"ct", "cbct"},
    "PT": {"pet", "pt", "fdg", "suv"},
    "NM": {"spect", "nm"},
    "MR": {"mr", "mri", "t1", "t2", "flair"},
}
# Suffixes of BIDS and of its extension for CT: letter pairs that count in such a name alone.
_BIDS_SUFFIXES = {"ct": "CT", "pet": "PT"}
_SYNONYMS = {"PET": "PT", "SPECT": "NM", "MRI": "MR", "MET_MOD_CT": "CT", "MET_MOD_MR": "MR"}
_KNOWN = frozenset({"CT", "MR", "PT", "NM"})
_IN_WORDS = {"PT": "PET"}


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
    found = _meaning(parts[-1:]) or _meaning(parts)
    return found[0] if len(found) == 1 else ""


def codes_in_name(name: str) -> list[str]:
    """The codes ("CT", "PT", "NM", "MR") that words of ``name`` may stand for; [] where none does.

    Letter pairs count here, so that it is a hint, good for an order of proposals, and no evidence.
    Words end at capitals, too: "MRHead" and "PET_of_head2" are found.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = set(re.findall(r"[a-z0-9]+", spaced.lower())) | set(re.findall("[a-z]+", name.lower()))
    return [code for code, known in _HINTS.items() if words & known]


def shows_uptake(modality: str, name: str) -> bool:
    """Whether a volume is PET or SPECT: by its modality, and by its name where that is ""."""
    return (known_modality(modality) or named_modality(name)) in EMISSION


def in_words(modality: str) -> str:
    """As descriptions name it: "PET" for "PT", "image" where unknown ("")."""
    return _IN_WORDS.get(modality, modality) or "image"


def _meaning(words: list[str]) -> list[str]:
    return [modality for modality, known in _WORDS.items() if known.intersection(words)]
