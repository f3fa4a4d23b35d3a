"""Standardised uptake value by body weight, from what a PET header says.

``SUVbw = activity [Bq/ml] * weight [g] / dose at the time of decay correction [Bq]``, in the
vendor-neutral form of the QIBA FDG-PET profile.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from .context import SuvFactor
from .headers import number, text

# Philips scanners in counts keep the factors in private elements of this creator.
_PHILIPS = "Philips PET Private Group"
# Later than this after the injection nobody scans (FDG: 8 h): dates, clocks or zones contradict.
_MOST_HALF_LIVES = 4.5
# What is given to patients and animals, in Bq and kg: rubidium and water to 3 GBq, a mouse 1 MBq.
# Doses in MBq or mCi and weights in g lie far outside.
_DOSES = (1e5, 1e10)
_WEIGHTS = (0.01, 400.0)
_DOSES_PER_KG = (1e5, 2e9)
# Half-lives in s of the nuclides of PET (Laboratoire National Henri Becquerel, recommended data):
# one in minutes or hours is none of them.
_HALF_LIVES = {
    "Rb-82": 75.4, "O-15": 122.2, "Cu-62": 580.2, "N-13": 597.9, "C-11": 1221.8, "Tc-94m": 3120.0,
    "Ga-68": 4062.6, "F-18": 6586.2, "Cu-61": 12020.0, "Sc-44": 14540.0, "Cu-64": 45721.0,
    "Br-76": 58320.0, "Y-86": 53064.0, "Co-55": 63108.0, "Y-90": 230600.0, "Zr-89": 282300.0,
    "I-124": 360800.0, "Mn-52": 483100.0,
}  # fmt: skip
_SAME_HALF_LIFE = 0.05


def suv_factor(headers: list[Dataset], units: str | None = None) -> SuvFactor:
    """The factor from stored units to SUV by body weight of one PET series.

    Dose, weight, half-life and times must be plausible; where they are not, there is no factor and
    the reason is given.

    Args:
        headers: of all its slices; decay correction refers to the earliest acquisition.
        units: of the values, where they do not come from the header's Units.
    """
    first = headers[0]
    units = text(first, "Units").upper() if units is None else units
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
    if len(drugs) > 1:
        raise ValueError(f"the header gives {len(drugs)} radiopharmaceuticals")
    dose = number(drugs[0], "RadionuclideTotalDose")
    half_life = number(drugs[0], "RadionuclideHalfLife")
    if not dose or dose <= 0:
        raise ValueError("the header gives no injected dose")
    _require_plausible(dose, weight)
    correction = text(first, "DecayCorrection").upper()
    if correction == "ADMIN":
        return SuvFactor(weight * 1000 / dose, "decay corrected to the injection")
    if correction != "START":
        raise ValueError("the values are not corrected for decay")
    if not half_life or half_life <= 0:
        raise ValueError("the header gives no half-life")
    if all(abs(half_life / known - 1) > _SAME_HALF_LIFE for known in _HALF_LIVES.values()):
        raise ValueError(f"the half-life of {half_life:g} s is that of no nuclide used in PET")
    elapsed = _seconds_since_injection(headers, drugs[0], half_life)
    remaining = dose * 2 ** (-elapsed / half_life)
    minutes = elapsed / 60
    return SuvFactor(weight * 1000 / remaining, f"scanned {minutes:.0f} min after the injection")


def _require_plausible(dose: float, weight: float) -> None:
    """ValueError where dose (Bq) or weight (kg) cannot be in the unit that DICOM wants."""
    if not _DOSES[0] <= dose <= _DOSES[1]:
        raise ValueError(f"the injected dose of {dose:g} Bq is not plausible; is it in MBq or mCi?")
    if not _WEIGHTS[0] <= weight <= _WEIGHTS[1]:
        raise ValueError(f"the patient weight of {weight:g} kg is not plausible; is it in g?")
    if not _DOSES_PER_KG[0] <= dose / weight <= _DOSES_PER_KG[1]:
        raise ValueError(f"a dose of {dose:g} Bq for {weight:g} kg is not plausible")


def _seconds_since_injection(headers: list[Dataset], drug: Dataset, half_life: float) -> float:
    scan, zone = _decay_reference(headers), _zone(text(headers[0], "TimezoneOffsetFromUTC"))
    said = text(drug, "RadiopharmaceuticalStartDateTime")
    injected = _moment(said)
    if injected is not None and (own := _zone(said[8:])) is not None:
        if zone is None:
            raise ValueError("the injection is in a time zone, and the scan does not say in which")
        injected += zone - own
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


def _zone(text_: str) -> timedelta | None:
    """The offset from UTC at the end of a DT, or a whole TimezoneOffsetFromUTC; None without."""
    match = re.search(r"([+-])(\d\d)(\d\d)$", text_)
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset


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
