"""DICOM in and out: series read with their context, results written as a PACS takes them."""
