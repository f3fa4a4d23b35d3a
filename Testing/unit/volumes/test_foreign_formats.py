"""Formats and fields that ITK guesses at: right, refused, or told; and nothing opened blindly."""

from __future__ import annotations

import gzip
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.errors import InputError, OutputError
from WDualMineLib.volumes.memory import require_memory
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

RAMP = np.arange(3 * 4 * 5, dtype="<f4").reshape(3, 4, 5)


def refused(path: Path, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_volume(path)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def told(volume: Volume) -> str:
    return "\n".join(volume.notes)


@pytest.fixture
def nrrd(tmp_path):
    def write(fields: str, data: bytes = RAMP.tobytes(), name: str = "x.nrrd") -> Path:
        head = "NRRD0004\ntype: float\ndimension: 3\nsizes: 5 4 3\nendian: little\n"
        encoding = "" if "encoding" in fields else "encoding: raw\n"
        (tmp_path / name).write_bytes(f"{head}{encoding}{fields}\n".encode() + data)
        return tmp_path / name

    return write


@pytest.fixture
def meta(tmp_path):
    def write(fields: str, data: bytes = RAMP.tobytes(), named: str = "LOCAL") -> Path:
        head = (
            "ObjectType = Image\nNDims = 3\nDimSize = 5 4 3\nElementType = MET_FLOAT\n"
            "BinaryData = True\nBinaryDataByteOrderMSB = False\n"
        )
        (tmp_path / "x.mha").write_bytes(
            f"{head}{fields}ElementDataFile = {named}\n".encode() + data
        )
        return tmp_path / "x.mha"

    return write


LPS = "space: left-posterior-superior\nspace directions: (2,0,0) (0,2,0) (0,0,3)\n"

# --- units and places -------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "mm"), [("cm", 10.0), ("um", 0.001), ("m", 1000.0), ("mm", 1.0)])
def test_nrrd_lengths_become_millimetres(nrrd, unit, mm):
    volume = read_volume(
        nrrd(f'{LPS}space origin: (1,2,3)\nspace units: "{unit}" "{unit}" "{unit}"\n')
    )
    assert volume.geometry.spacing == pytest.approx((2 * mm, 2 * mm, 3 * mm))
    assert volume.geometry.origin == pytest.approx((mm, 2 * mm, 3 * mm))
    assert ("turned into mm" in told(volume)) == (unit != "mm")


def test_nrrd_units_that_are_no_length_are_refused(nrrd):
    refused(nrrd(f'{LPS}space units: "s" "s" "s"\n'), "cannot be turned into millimetres")
    refused(nrrd(f'{LPS}space units: "mm" "mm" "um"\n'), "mm, mm, um")


def test_nrrd_says_what_it_does_not_say(nrrd):
    assert "says nothing of its orientation" in told(read_volume(nrrd("spacings: 1 1 2\n")))
    assert "voxel size" in told(read_volume(nrrd("")))
    assert "taken for edges" in told(read_volume(nrrd("spacings: 1 1 2\naxis mins: 0 0 0\n")))
    other = LPS.replace("left-posterior-superior", "3D-right-handed")
    assert "no anatomical one" in told(read_volume(nrrd(other)))
    assert "does not say where it lies" in told(read_volume(nrrd(LPS)))
    assert told(read_volume(nrrd(f"{LPS}space origin: (0,0,0)\n"))) == ""
    refused(nrrd("axis mins: 0 0 0\naxis maxs: 5 4 3\n"), "axis mins and maxs")


@pytest.mark.parametrize(("unit", "mm"), [("um", 0.001), ("cm", 10.0)])
def test_meta_lengths_become_millimetres(meta, unit, mm):
    fields = f"ElementSpacing = 2 2 3\nOffset = 4 5 6\nDistanceUnits = {unit}\n"
    volume = read_volume(meta(fields))
    assert volume.geometry.spacing == pytest.approx((2 * mm, 2 * mm, 3 * mm))
    assert volume.geometry.origin == pytest.approx((4 * mm, 5 * mm, 6 * mm))
    refused(meta(fields.replace(unit, "parsec")), "parsec")


def test_meta_says_what_it_does_not_say(meta):
    said = told(read_volume(meta("")))
    assert "orientation" in said and "distance of its voxels" in said and "where it lies" in said
    matrix = "TransformMatrix = 1 0 0 0 1 0 0 0 1\nElementSpacing = 1 1 1\nOffset = 0 0 0\n"
    assert told(read_volume(meta(matrix + "AnatomicalOrientation = RAI\n"))) == ""
    assert "calls its axes LPI" in told(read_volume(meta(matrix + "AnatomicalOrientation = LPI\n")))


def test_a_modality_in_the_header_comes_along(meta, tmp_path, make_volume):
    assert read_volume(meta("Modality = MET_MOD_CT\n")).modality == "CT"
    volume = make_volume()
    for suffix in (".nrrd", ".mha"):
        marked = Volume(volume.array, volume.geometry, "v", "CT", {"units": "HU"})
        read = read_volume(write_volume(marked, tmp_path / f"v{suffix}"))
        assert (read.modality, read.attributes["units"]) == ("CT", "HU")


# --- NIfTI ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.0, float("nan"), float("inf")])
def test_nifti_without_voxel_size_is_refused_unless_a_sform_has_it(write_nifti, size):
    pixdim = (1.0, size, 1.0)
    refused(write_nifti("q.nii", RAMP, offset=(0, 0, 0), pixdim=pixdim), "pixdim")
    refused(write_nifti("n.nii", RAMP, pixdim=pixdim), "pixdim")


@pytest.mark.parametrize("quaternion", [(float("nan"), 0, 0), (1, 1, 1)])
def test_nifti_with_an_impossible_rotation_is_refused(write_nifti, quaternion):
    path = write_nifti("q.nii", RAMP, offset=(0, 0, 0))
    raw = bytearray(path.read_bytes())
    struct.pack_into("<3f", raw, 256, *quaternion)
    path.write_bytes(raw)
    refused(path, "rotation")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("packed", [False, True])
def test_nifti_2_is_called_by_its_name(tmp_path, order, packed):
    head = struct.pack(f"{order}i8s", 540, b"n+2\0\r\n\x1a\n").ljust(544, b"\0") + RAMP.tobytes()
    path = tmp_path / ("x.nii.gz" if packed else "x.nii")
    path.write_bytes(gzip.compress(head) if packed else head)
    refused(path, "NIfTI-2")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("given", ["a.hdr", "a.img"])
def test_analyze_is_refused_whole_or_cut(tmp_path, order, given):
    head = bytearray(348)
    struct.pack_into(f"{order}i", head, 0, 348)
    struct.pack_into(f"{order}8h", head, 40, 3, 5, 4, 3, 1, 1, 1, 1)
    struct.pack_into(f"{order}2h", head, 70, 16, 32)
    (tmp_path / "a.hdr").write_bytes(head)
    (tmp_path / "a.img").write_bytes(RAMP.tobytes())
    refused(tmp_path / given, "Analyze", "orientation")


@pytest.mark.parametrize(
    ("start", "word"), [(b"BZh91AY", "bzip2"), (b"PK\x03\x04", "zip"), (b"\xfd7zXZ\0", "xz")]
)
def test_packed_files_are_named_for_what_they_are(tmp_path, start, word):
    (tmp_path / "x.nii").write_bytes(start + bytes(600))
    refused(tmp_path / "x.nii", f"packed ({word})")


@pytest.mark.parametrize("name", ["x.nii", "x.nrrd", "x.mha"])
def test_gzip_under_another_name(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(bytes(600)))
    refused(tmp_path / name, "gzip", f"{name}.gz")


def test_formats_without_a_place_are_refused_or_told(tmp_path, make_volume):
    image = sitk.GetImageFromArray(RAMP)
    sitk.WriteImage(sitk.Cast(image, sitk.sitkUInt16), str(tmp_path / "x.tif"))
    refused(tmp_path / "x.tif", "how far apart its slices are")
    sitk.WriteImage(image, str(tmp_path / "x.vtk"))
    assert "check left and right" in told(read_volume(tmp_path / "x.vtk"))
    (tmp_path / "x.mnc").write_bytes(b"CDF\x01" + bytes(600))
    refused(tmp_path / "x.mnc", "MINC")


# --- files that are named, or are none --------------------------------------------------------


@pytest.mark.parametrize("named", ["/etc/passwd", "../x.raw", "sub/../../x.raw", "..\\x.raw"])
def test_a_header_opens_nothing_outside_its_folder(nrrd, meta, tmp_path, named):
    (tmp_path.parent / "x.raw").write_bytes(RAMP.tobytes())
    refused(nrrd(f"data file: {named}\n", b"", "x.nhdr"), "outside of its own folder")
    refused(meta("", b"", named), "outside of its own folder")


def test_a_list_or_a_pattern_of_files_is_looked_at_too(nrrd, meta):
    refused(nrrd("data file: LIST\n/etc/passwd\n", b"", "x.nhdr"), "outside of its own folder")
    refused(nrrd("data file: ../p%02d.raw 1 3 1 2\n", b"", "x.nhdr"), "outside of its own folder")
    refused(meta("", b"../p.raw\n", "LIST"), "outside of its own folder")
    refused(meta("", b"", "p%02d.raw 1 3 1"), "p01.raw is missing")


def test_a_file_beside_the_header_is_read(nrrd, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.raw").write_bytes(RAMP.tobytes())
    path = nrrd(f"{LPS}space origin: (0,0,0)\ndata file: sub/x.raw\n", b"", "x.nhdr")
    assert np.array_equal(read_volume(path).array, RAMP)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_not_waited_for(nrrd, tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    os.mkfifo(tmp_path / "x.raw")
    started = time.monotonic()
    refused(tmp_path / "pipe.nii", "a pipe")
    refused(nrrd("data file: x.raw\n", b"", "x.nhdr"), "a pipe")
    refused(Path("/dev/zero"), "a device")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ["b\udcfcr.nrrd", "m\udcffd/x.nii"])
def test_names_that_are_no_text_are_refused_and_end_nothing(tmp_path, make_volume, name):
    path = tmp_path / name
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"NRRD0004\n")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system takes no such names")
    refused(path, "no Unicode text")
    with pytest.raises(OutputError, match="no Unicode text"):
        write_volume(make_volume(), path, force=True)


def test_a_name_too_long_is_refused_in_words(tmp_path):
    refused(tmp_path / ("n" * 300 + ".nrrd"), "cannot be read")


@pytest.mark.parametrize(
    "name", ["뇌 $x_$^.nrrd", "脳.mha", "ümläut\u0301.nii.gz", "a" * 240 + ".nrrd"]
)
def test_names_of_any_script_are_read_and_written(tmp_path, make_volume, name):
    volume = make_volume()
    assert np.array_equal(read_volume(write_volume(volume, tmp_path / name)).array, volume.array)


# --- crafted sizes ----------------------------------------------------------------------------


def test_sizes_beyond_the_file_are_refused_before_memory_is_taken(nrrd, meta, tmp_path):
    path = nrrd(LPS)
    path.write_bytes(path.read_bytes().replace(b"sizes: 5 4 3", b"sizes: 50000 40000 3000"))
    refused(path, "cut short")
    path = meta("")
    path.write_bytes(path.read_bytes().replace(b"5 4 3", b"50000 40000 3000"))
    refused(path, "cut short")
    path = nrrd(f"{LPS}encoding: gzip\n", gzip.compress(RAMP.tobytes()))
    path.write_bytes(path.read_bytes().replace(b"sizes: 5 4 3", b"sizes: 50000 40000 3000"))
    refused(path, "cut short")


def test_what_memory_does_not_hold_is_refused():
    require_memory("small.nii", 1000, 4)
    with pytest.raises(InputError, match="GB of memory are needed"):
        require_memory("huge.nii", 10**14, 4)


# --- arrays to be written ---------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [">f4", ">i2", ">u4", "i8", "u8", "f2", "?", "i1", "g"])
def test_arrays_of_every_type_come_back_equal(tmp_path, make_volume, suffix, kind):
    shape = make_volume().array.shape
    array = (np.arange(np.prod(shape)).reshape(shape) % 2).astype(kind)
    volume = Volume(array, make_volume().geometry)
    read = read_volume(write_volume(volume, tmp_path / f"x{suffix}"))
    assert np.array_equal(read.array, array.astype(np.float32))


@pytest.mark.parametrize("kind", ["c8", "O", "U3"])
def test_arrays_that_are_no_numbers_are_refused(tmp_path, make_volume, kind):
    volume = make_volume()
    with pytest.raises(OutputError, match="no image file holds"):
        write_volume(
            Volume(np.ones(volume.array.shape).astype(kind), volume.geometry), tmp_path / "x.nrrd"
        )


def test_integers_beyond_32_bits_are_refused(tmp_path, make_volume):
    volume = make_volume()
    array = np.full(volume.array.shape, 2**40)
    with pytest.raises(OutputError, match="32 bits"):
        write_volume(Volume(array, volume.geometry), tmp_path / "x.nrrd")
