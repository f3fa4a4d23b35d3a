"""DICOM in and out, with patient, study and frame of reference kept."""
