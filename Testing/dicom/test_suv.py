"""SUV by body weight against values worked out by hand, and every reason not to give one."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from WDualMineLib.dicom.read import read_series
from WDualMineLib.dicom.suv import suv_factor

F18 = 6586.2  # half-life in seconds


def _header(**changes: object) -> Dataset:
    """70 kg, 370 MBq at 12:00, scan at 13:00."""
    header = Dataset()
    header.Units, header.DecayCorrection = "BQML", "START"
    header.PatientWeight = "70"
    header.SeriesDate = header.AcquisitionDate = "20240301"
    header.SeriesTime, header.AcquisitionTime = "130000", "130000"
    drug = Dataset()
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = "370000000", str(F18)
    drug.RadiopharmaceuticalStartTime = "120000.00"
    header.RadiopharmaceuticalInformationSequence = [drug]
    for keyword, value in changes.items():
        holder = drug if keyword.startswith("Radio") and "Sequence" not in keyword else header
        if value is None:
            delattr(holder, keyword)
        else:
            setattr(holder, keyword, value)
    return header


_ONE_HOUR = 70_000 / (370e6 * 2 ** (-3600 / F18))


def test_the_formula() -> None:
    assert suv_factor([_header()]).factor == pytest.approx(_ONE_HOUR)
    assert pytest.approx(2.7634e-4, rel=1e-3) == _ONE_HOUR


def test_corrected_to_the_injection() -> None:
    assert suv_factor([_header(DecayCorrection="ADMIN")]).factor == pytest.approx(70_000 / 370e6)


def test_full_date_of_the_injection_is_preferred() -> None:
    header = _header(
        RadiopharmaceuticalStartDateTime="20240301110000", RadiopharmaceuticalStartTime="235959"
    )
    assert suv_factor([header]).factor == pytest.approx(70_000 / (370e6 * 2 ** (-7200 / F18)))


@pytest.mark.parametrize(
    ("injected", "zone"), [("20240301100000+0000", "+0200"), ("20240301070000.5-0500", "+0000")]
)
def test_time_zones_count(injected: str, zone: str) -> None:
    header = _header(RadiopharmaceuticalStartDateTime=injected, TimezoneOffsetFromUTC=zone)
    assert suv_factor([header]).factor == pytest.approx(_ONE_HOUR)


def test_two_radiopharmaceuticals_give_no_factor() -> None:
    header = _header()
    header.RadiopharmaceuticalInformationSequence = [
        *header.RadiopharmaceuticalInformationSequence,
        Dataset(),
    ]
    assert "2 radiopharmaceuticals" in suv_factor([header]).reason


def test_injected_before_midnight() -> None:
    header = _header(
        SeriesTime="003000", AcquisitionTime="003000", RadiopharmaceuticalStartTime="233000"
    )
    assert suv_factor([header]).factor == pytest.approx(_ONE_HOUR)


def test_decay_refers_to_the_earliest_acquisition_if_the_series_was_rewritten() -> None:
    late = _header(SeriesTime="180000", AcquisitionTime="131000")
    early = _header(SeriesTime="180000", AcquisitionTime="130000")
    assert suv_factor([late, early]).factor == pytest.approx(_ONE_HOUR)


def test_series_time_counts_for_later_beds() -> None:
    beds = [_header(AcquisitionTime=time) for time in ("130000", "130300", "130600")]
    assert suv_factor(beds[::-1]).factor == pytest.approx(_ONE_HOUR)


def test_suv_already() -> None:
    assert suv_factor([_header(Units="GML")]).factor == 1.0
    assert suv_factor([_header(Units="GML", SUVType="LBM")]).factor is None


def test_philips_counts() -> None:
    header = _header(Units="CNTS")
    assert suv_factor([header]).factor is None
    block = header.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "DS", "0.000551")
    assert suv_factor([header]).factor == pytest.approx(0.000551)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"PatientWeight": None}, "no patient weight"),
        ({"PatientWeight": "0"}, "no patient weight"),
        ({"RadiopharmaceuticalInformationSequence": None}, "no radiopharmaceutical"),
        ({"RadionuclideTotalDose": None}, "no injected dose"),
        ({"RadionuclideHalfLife": None}, "no half-life"),
        ({"RadiopharmaceuticalStartTime": None}, "no time of injection"),
        ({"DecayCorrection": "NONE"}, "not corrected for decay"),
        ({"RadiopharmaceuticalStartDateTime": "20240229120000"}, "25.0 h after"),
        ({"Units": "PROPCNTS"}, "PROPCNTS"),
        ({"RadionuclideTotalDose": "185"}, "is it in MBq or mCi"),
        ({"RadionuclideTotalDose": "5e11"}, "not plausible"),
        ({"PatientWeight": "3500"}, "is it in g"),
        ({"PatientWeight": "0.07"}, "for 0.07 kg is not plausible"),
        ({"RadionuclideHalfLife": "109.77"}, "no nuclide used in PET"),
        ({"RadiopharmaceuticalStartDateTime": "20240301030000"}, "10.0 h after"),
        ({"RadiopharmaceuticalStartDateTime": "20240301120000+0100"}, "time zone"),
    ],
)
def test_no_factor_without_its_parts(changes, reason: str) -> None:
    found = suv_factor([_header(**changes)])
    assert found.factor is None
    assert reason in found.reason


def test_the_series_carries_factor_and_note(synthetic, tmp_path) -> None:
    header = _header()
    changes = {element.keyword: element.value for element in header}
    read = read_series(
        synthetic("PT", changes=changes | {"NumberOfSlices": 5}).write(tmp_path / "a")
    )
    assert read.volume.attributes["suv_factor"] == pytest.approx(_ONE_HOUR)
    assert read.volume.attributes["units"] == "BQML"
    assert "says 5 slices, of which 4 are here" in read.notes[0]
    del changes["PatientWeight"]
    read = read_series(synthetic("PT", changes=changes).write(tmp_path / "b"))
    assert "suv_factor" not in read.volume.attributes
    assert "no SUV can be computed: the header gives no patient weight" in read.notes[0]
