"""Results to DICOM out of the scene, and maps back into it."""
