"""Data sets to DICOM files, alike under pydicom 2.4 and 3."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

_PYDICOM_2 = int(pydicom.__version__.split(".")[0]) < 3


def write_file(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> None:
    """Write ``dataset`` as a DICOM file (PS3.10), explicit VR little endian.

    ``syntax`` is that of its pixels, where they are compressed already.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    dataset.file_meta = meta
    if _PYDICOM_2:
        dataset.is_little_endian, dataset.is_implicit_VR = True, False
        pydicom.dcmwrite(path, dataset, write_like_original=False)
    else:
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
