"""Coded terms of the exported objects, as DICOM code sequence items."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

OWN_SCHEME = "99WDUALMINE"

SOURCE_IMAGE = ("121322", "DCM", "Source image for image processing operation")  # CID 7202
SPATIAL_RESAMPLING = ("113085", "DCM", "Spatial resampling")  # CID 7203
# CID 7203 knows no fusion by a network: an extension of our own beside the standard's term.
FUSION = ("FUSION", OWN_SCHEME, "Fusion of two registered volumes by a neural network")
ACQUISITION_EQUIPMENT = ("109101", "DCM", "Acquisition Equipment")  # CID 7005
IMAGE_CONTENT_BASED_ALIGNMENT = ("125024", "DCM", "Image Content-based Alignment")  # CID 7100
FRAME_OF_REFERENCE_IDENTITY = ("125021", "DCM", "Frame of Reference Identity")  # CID 7100
NO_UNITS = ("1", "UCUM", "no units")
QUANTITY = ("246205007", "SCT", "Quantity")


def item(code: tuple[str, str, str]) -> Dataset:
    """One code sequence item of (value, scheme, meaning)."""
    dataset = Dataset()
    dataset.CodeValue, dataset.CodingSchemeDesignator, dataset.CodeMeaning = code
    return dataset


def sequence(*codes: tuple[str, str, str]) -> Sequence:
    """A code sequence."""
    return Sequence([item(code) for code in codes])


def own_scheme() -> Sequence:
    """What the designator of our own codes stands for (PS3.3 C.12.1, SOP Common)."""
    dataset = Dataset()
    dataset.CodingSchemeDesignator = OWN_SCHEME
    dataset.CodingSchemeName = "WDualMine"
    dataset.CodingSchemeResponsibleOrganization = "WDualMine"
    return Sequence([dataset])
