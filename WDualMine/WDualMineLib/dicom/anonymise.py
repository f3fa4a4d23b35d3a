"""Basic confidentiality profile (PS3.15 Annex E) on exported objects, by dicom-anonymizer.

The library brings the table of the standard and its actions, but applies them to the top level
only; here they reach every item of every sequence, where the references to the sources are.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset

from ..errors import OutputError
from . import codes

_EDITION = "dicomfields_2026c"

# Words of our own, which name nobody: kept under the option "Clean Descriptors", because a map
# that does not say what it is, or that it is not for diagnosis, is worse than none.
_OWN_WORDS = (
    (0x0008, 0x103E),  # SeriesDescription
    (0x0008, 0x2111),  # DerivationDescription
    (0x0020, 0x4000),  # ImageComments
    (0x0070, 0x0081),  # ContentDescription
)
# Their items are cleaned one by one; as a whole they would be emptied, and the trail with them.
_CLEANED_INSIDE = ((0x0008, 0x2112), (0x0008, 0x1140))  # Source, Referenced Image Sequence

# The library's dummy, in the year 1, is a date that checkers refuse. Where the standard lets a date
# be empty (type 2) it is; elsewhere it is this one.
_EMPTY_DATES = ((0x0008, 0x0020), (0x0010, 0x0030))  # StudyDate, PatientBirthDate
_DUMMY_DATES = ((0x0008, 0x0012), (0x0008, 0x0021), (0x0008, 0x0023))  # creation, series, content
_DUMMY_DATE = "19000101"

_PROFILE = ("113100", "DCM", "Basic Application Confidentiality Profile")
_CLEAN_DESCRIPTORS = ("113105", "DCM", "Clean Descriptors Option")


class Anonymiser:
    """Applies the profile; UIDs that are equal stay equal over all objects of one process.

    Raises:
        OutputError: dicom-anonymizer is not installed.
    """

    def __init__(self) -> None:
        try:
            from dicomanonymizer import simpledicomanonymizer as library
        except ImportError as error:
            raise OutputError(
                f"Nothing can be anonymised, dicom-anonymizer does not load ({error})",
                "Install it (pip install dicom-anonymizer), or export without --anonymise",
            ) from error
        self._library = library
        self._rules = library.initialize_actions(_EDITION)
        # Groups 50xx and 60xx (curves, overlays) exist at the top level only.
        self._repeating = {tag: rule for tag, rule in self._rules.items() if len(tag) > 2}
        for tag in (*_OWN_WORDS, *_CLEANED_INSIDE):
            self._rules[tag] = library.keep
        for tag in _EMPTY_DATES:
            self._rules[tag] = library.replace_with_value([""])
        for tag in _DUMMY_DATES:
            self._rules[tag] = library.replace_with_value([_DUMMY_DATE])

    def apply(self, dataset: Dataset) -> None:
        """Anonymise ``dataset`` in place and say so in it."""
        for level in _levels(dataset):
            # Of the hundreds of rules only those that apply: a map has thousands of items.
            present = ((element.tag.group, element.tag.element) for element in level)
            rules = {tag: self._rules[tag] for tag in present if tag in self._rules}
            if level is dataset:
                rules |= self._repeating
            self._library.anonymize_dataset(level, base_rules_gen=lambda rules=rules: rules)
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = "PS3.15 Annex E Basic Profile by dicom-anonymizer"
        dataset.DeidentificationMethodCodeSequence = codes.sequence(_PROFILE, _CLEAN_DESCRIPTORS)
        dataset.LongitudinalTemporalInformationModified = "REMOVED"


def _levels(dataset: Dataset) -> Iterator[Dataset]:
    """All items of all sequences, the innermost first, then the data set itself."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _levels(item)
    yield dataset
