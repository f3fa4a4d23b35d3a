"""Examples that ``--help`` shows, a few lines a command."""

from __future__ import annotations

import argparse

_HEADING = "examples:"
_EXAMPLES = {
    "fuse": (
        "wdualmine fuse mr.nii.gz ct.nii.gz -o fused",
        "wdualmine fuse MR_FOLDER PET_FOLDER -o fused --registration rigid --colour PET-Heat",
        "wdualmine fuse MR_FOLDER CT_FOLDER -o fused --dicom --moving-window ct-bone",
    ),
    "batch": (
        "wdualmine batch studies.csv -o fused --workers 4 --timeout 600",
        "wdualmine batch BIDS -o BIDS/derivatives/wdualmine --scheduler tcp://host:8786",
        "wdualmine batch DICOM_TREE -o fused --dry-run --list pairs.csv",
    ),
    "fuse-images": ("wdualmine fuse-images CT_PNGS MR_PNGS -o fused",),
    "register": ("wdualmine register mr.nii.gz ct.nii.gz -o aligned",),
    "report": (
        "wdualmine report fused -o case.pdf",
        "wdualmine report fused -o case.png --anonymise",
    ),
    "evaluate": ("wdualmine evaluate --a CT_PNGS --b MR_PNGS --fused fused",),
    "bench": ("wdualmine bench speed",),
    "train": ("wdualmine train PAIRS -o run --steps 2000",),
    "train-evidence": (
        "wdualmine train-evidence DATA -o RUN",
        "wdualmine train-evidence DATA -o RUN --resume --steps 12500 --dense 10500",
    ),
    "dicom": (
        "wdualmine dicom export fused -o objects --fixed-series MR_FOLDER",
        "wdualmine dicom send objects --to ORTHANC@127.0.0.1:4242",
    ),
    "serve": (
        "wdualmine serve fused",
        "wdualmine serve mr.nii.gz ct.nii.gz --registration rigid -o fused",
    ),
    "demo": ("wdualmine demo -o demo",),
}


def examples_of(command: str) -> str:
    """What follows the options in the help of ``command``."""
    lines = _EXAMPLES.get(command, ())
    return "\n".join([_HEADING, *(f"  {line}" for line in lines)]) if lines else ""


class HelpWithExamples(argparse.HelpFormatter):
    """Wraps descriptions, and leaves examples on lines of their own."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith(_HEADING) else super()._fill_text(text, width, indent)
