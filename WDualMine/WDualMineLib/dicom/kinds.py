"""Which kinds of DICOM objects are volumes, and a plain word for those that are not."""

from __future__ import annotations

_STORAGE = "1.2.840.10008.5.1.4.1.1."

CT, MR, PET = _STORAGE + "2", _STORAGE + "4", _STORAGE + "128"
NUCLEAR_MEDICINE = _STORAGE + "20"
SECONDARY_CAPTURE = _STORAGE + "7"
PARAMETRIC_MAP = _STORAGE + "30"
SPATIAL_REGISTRATION = _STORAGE + "66.1"

SINGLE_FRAME = {CT, MR, PET}
# Enhanced and legacy converted enhanced CT, MR and PET.
ENHANCED = {_STORAGE + end for end in ("2.1", "2.2", "4.1", "4.4", "130", "128.1")}
CT_CLASSES = {CT, _STORAGE + "2.1", _STORAGE + "2.2"}
VOLUMES = SINGLE_FRAME | ENHANCED | {NUCLEAR_MEDICINE, PARAMETRIC_MAP}

_IN_WORDS = {
    SECONDARY_CAPTURE: "secondary captures (screen captures, without a place in the patient)",
    _STORAGE + "66.4": "a segmentation",
    _STORAGE + "481.3": "contours (RT structure set)",
    _STORAGE + "481.2": "a radiotherapy dose",
    _STORAGE + "6.1": "ultrasound images",
    _STORAGE + "3.1": "ultrasound images",
    SPATIAL_REGISTRATION: "a spatial registration",
}


def in_words(sop_class_uid: str, name: str) -> str:
    """What objects of this class are, for a message; ``name`` is the standard's own name."""
    return _IN_WORDS.get(sop_class_uid, f"objects of the kind {name or sop_class_uid!r}")
