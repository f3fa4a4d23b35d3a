"""Standardised uptake value by body weight, from what a PET header says.

``SUVbw = activity [Bq/ml] * weight [g] / dose at the time of decay correction [Bq]``, in the
vendor-neutral form of the QIBA FDG-PET profile.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from .context import SuvFactor
from .headers import number, text

# Philips scanners in counts keep the factors in private elements of this creator.
_PHILIPS = "Philips PET Private Group"
# Later than this after the injection, date and time of the two contradict each other.
_MOST_HALF_LIVES = 10


def suv_factor(headers: list[Dataset]) -> SuvFactor:
    """The factor from stored units to SUV by body weight of one PET series.

    Args:
        headers: of all its slices; decay correction refers to the earliest acquisition.
    """
    first = headers[0]
    units = text(first, "Units").upper()
    suv_type = text(first, "SUVType").upper()
    if units == "GML" and suv_type in ("", "BW"):
        return SuvFactor(1.0, "the values are SUV by body weight already (units GML)")
    if units == "CNTS":
        return _philips_counts(first)
    if units != "BQML":
        return SuvFactor(None, f"values in {units or 'unknown units'} {suv_type}".strip())
    try:
        return _from_activity(headers)
    except ValueError as error:
        return SuvFactor(None, str(error))


def _from_activity(headers: list[Dataset]) -> SuvFactor:
    first = headers[0]
    weight = number(first, "PatientWeight")
    if not weight or weight <= 0:
        raise ValueError("the header gives no patient weight")
    drugs = first.get("RadiopharmaceuticalInformationSequence")
    if not drugs:
        raise ValueError("the header gives no radiopharmaceutical")
    dose = number(drugs[0], "RadionuclideTotalDose")
    half_life = number(drugs[0], "RadionuclideHalfLife")
    if not dose or dose <= 0:
        raise ValueError("the header gives no injected dose")
    correction = text(first, "DecayCorrection").upper()
    if correction == "ADMIN":
        return SuvFactor(weight * 1000 / dose, "decay corrected to the injection")
    if correction != "START":
        raise ValueError("the values are not corrected for decay")
    if not half_life or half_life <= 0:
        raise ValueError("the header gives no half-life")
    elapsed = _seconds_since_injection(headers, drugs[0], half_life)
    remaining = dose * 2 ** (-elapsed / half_life)
    minutes = elapsed / 60
    return SuvFactor(weight * 1000 / remaining, f"scanned {minutes:.0f} min after the injection")


def _seconds_since_injection(headers: list[Dataset], drug: Dataset, half_life: float) -> float:
    scan = _decay_reference(headers)
    injected = _moment(text(drug, "RadiopharmaceuticalStartDateTime"))
    if injected is None:
        clock = text(drug, "RadiopharmaceuticalStartTime")
        injected = _moment(scan.strftime("%Y%m%d") + clock) if clock else None
        if injected is not None and injected > scan:
            injected -= timedelta(days=1)  # injected before midnight
    if injected is None:
        raise ValueError("the header gives no time of injection")
    elapsed = (scan - injected).total_seconds()
    if not 0 <= elapsed <= _MOST_HALF_LIVES * half_life:
        raise ValueError(f"the header has the scan {elapsed / 3600:.1f} h after the injection")
    return elapsed


def _decay_reference(headers: list[Dataset]) -> datetime:
    """When the series began: the series time, unless it was rewritten after the acquisition."""
    moments = [_moment(text(h, "AcquisitionDate") + text(h, "AcquisitionTime")) for h in headers]
    known = [moment for moment in moments if moment is not None]
    series = _moment(text(headers[0], "SeriesDate") + text(headers[0], "SeriesTime"))
    if series is not None and (not known or series <= min(known)):
        return series
    if not known:
        raise ValueError("the header gives no time of acquisition")
    return min(known)


def _philips_counts(header: Dataset) -> SuvFactor:
    try:
        block = header.private_block(0x7053, _PHILIPS)
    except KeyError:
        return SuvFactor(None, "values in counts without the Philips scale factor")
    if 0x00 in block and (factor := float(block[0x00].value or 0)):
        return SuvFactor(factor, "Philips' own factor from counts to SUV")
    return SuvFactor(None, "values in counts without the Philips scale factor")


def _moment(value: str) -> datetime | None:
    """DA followed by TM, or DT, without fractions and zone; None where it is none."""
    digits = value.split(".")[0].split("+")[0].split("-")[0].replace(":", "")
    if len(digits) < 12 or not digits.isdigit():
        return None
    try:
        return datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
