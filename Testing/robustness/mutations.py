"""Damaged files of every format into the readers: words, or a volume; no crash, hang or flood.

    python Testing/robustness/mutations.py [--format NAME] [--count 500] [--seed 0]

Each format is read in a process of its own, so that an abort, a hang and the memory taken are seen
from outside. It prints a line a format and exits with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "WDualMine"
MOST_BYTES = 2 << 30
SECONDS_A_FILE = 30.0
SIDE = 24
"""Voxels along each axis of the files that are damaged."""


# --- damage -----------------------------------------------------------------------------------


def _truncate(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data))]


def _flip_bits(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _change_header(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(min(600, len(data)))] = chance.randrange(256)
    return data


def _overwrite(data: bytearray, chance: random.Random) -> bytearray:
    start, size = chance.randrange(len(data)), chance.randint(1, 64)
    data[start : start + size] = chance.choice(
        [bytes(size), b"\xff" * size, chance.randbytes(size)]
    )
    return data


def _insert(data: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(data))
    data[start:start] = chance.randbytes(chance.randint(1, 64))
    return data


def _remove(data: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 64)]
    return data


def _enlarge_number(data: bytearray, chance: random.Random) -> bytearray:
    """A number in text becomes a huge, a negative, or no number at all."""
    places = [i for i in range(min(len(data), 2000)) if chr(data[i]).isdigit()]
    if not places:
        return _enlarge_field(data, chance)
    place = chance.choice(places)
    data[place : place + 1] = chance.choice([b"99999", b"-1", b"1e9", b"nan", b"4294967297", b""])
    return data


def _enlarge_field(data: bytearray, chance: random.Random) -> bytearray:
    """A binary field becomes extreme: sizes, offsets and lengths are among them."""
    width = chance.choice([2, 4, 8])
    start = chance.randrange(max(1, min(len(data) - width, 400)))
    value = chance.choice([0, 1, 2**15 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1]) % 2 ** (8 * width)
    data[start : start + width] = value.to_bytes(width, chance.choice(["little", "big"]))
    return data


MUTATIONS = (
    _truncate, _flip_bits, _change_header, _overwrite, _insert, _remove, _enlarge_number,
    _enlarge_field,
)  # fmt: skip


# --- files ------------------------------------------------------------------------------------


def _volume(folder: Path, name: str) -> list[Path]:
    import numpy as np
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume
    from WDualMineLib.volumes.writing import write_volume

    values = np.random.default_rng(0).normal(100, 30, (SIDE,) * 3).astype(np.float32)
    grid = Geometry((SIDE,) * 3, (1, 1, 2), (-5, 3, 7), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return [write_volume(Volume(values.round(), grid), folder / name)]


def _png(folder: Path) -> list[Path]:
    import numpy as np
    from PIL import Image

    values = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(values).save(folder / "colour.png")
    Image.fromarray(values[..., 0]).save(folder / "grey.png")
    return [folder / "colour.png", folder / "grey.png"]


def _dicom(folder: Path) -> list[Path]:
    import numpy as np
    from pydicom.dataset import Dataset
    from WDualMineLib.dicom import kinds
    from WDualMineLib.dicom.files import write_file

    paths = []
    for k in range(3):
        d = Dataset()
        d.SOPClassUID, d.SOPInstanceUID, d.Modality = kinds.CT, f"2.25.{k + 1}", "CT"
        d.PatientName, d.PatientID = "Doe^Jane", "7"
        d.StudyInstanceUID, d.SeriesInstanceUID = "2.25.10", "2.25.11"
        d.FrameOfReferenceUID = "2.25.12"
        d.ImagePositionPatient, d.ImageOrientationPatient = [0, 0, 2 * k], [1, 0, 0, 0, 1, 0]
        d.PixelSpacing, d.SliceThickness = [1, 1], 2
        d.Rows = d.Columns = SIDE
        d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
        d.BitsAllocated = d.BitsStored = 16
        d.HighBit, d.PixelRepresentation = 15, 1
        d.RescaleSlope, d.RescaleIntercept = 1, -1024
        values = np.random.default_rng(k).integers(0, 2000, (SIDE, SIDE)).astype("<i2")
        d.PixelData = values.tobytes()
        d["PixelData"].VR = "OW"
        paths.append(folder / f"{k}.dcm")
        write_file(d, paths[-1])
    return paths


def _transform(folder: Path) -> list[Path]:
    import SimpleITK as sitk

    turn = sitk.Euler3DTransform((0, 0, 0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0))
    paths = [folder / f"one.{suffix}" for suffix in ("tfm", "h5", "mat")]
    for path in paths:
        sitk.WriteTransform(turn, str(path))
    both = sitk.CompositeTransform([turn, sitk.TranslationTransform(3, (1, 2, 3))])
    sitk.WriteTransform(both, str(folder / "both.tfm"))
    return [*paths, folder / "both.tfm"]


def _weights(folder: Path) -> list[Path]:
    import torch
    from WDualMineLib.network.model import DualMineNetwork, NetworkConfig
    from WDualMineLib.network.weights import save_weights

    torch.manual_seed(0)
    small = NetworkConfig(channels=(4, 8), detail=2, surroundings=2, hidden=4, refinements=1)
    save_weights(DualMineNetwork(small), folder / "w.pt")
    return [folder / "w.pt"]


def _read_volume(path: Path) -> object:
    from WDualMineLib.volumes.reading import read_volume

    return read_volume(path)


def _read_image(path: Path) -> object:
    from WDualMineLib.quality.images import read_image

    return read_image(path)


def _read_series(path: Path) -> object:
    from WDualMineLib.dicom.read import read_series

    return read_series(path.parent)


def _read_transform(path: Path) -> object:
    from WDualMineLib.registration.transforms import read_transform

    return read_transform(path)


def _load_model(path: Path) -> object:
    from WDualMineLib.network.weights import load_model

    return load_model(path)


FORMATS: dict[str, tuple[Callable[[Path], list[Path]], Callable[[Path], object]]] = {
    "nifti": (lambda f: [*_volume(f, "v.nii"), *_volume(f, "v.nii.gz")], _read_volume),
    "nrrd": (lambda f: _volume(f, "v.nrrd"), _read_volume),
    "mha": (lambda f: _volume(f, "v.mha"), _read_volume),
    "png": (_png, _read_image),
    "dicom": (_dicom, _read_series),
    "transform": (_transform, _read_transform),
    "weights": (_weights, _load_model),
}


# --- run --------------------------------------------------------------------------------------


def read_mutated(name: str, count: int, seed: int) -> None:
    """Read ``count`` damaged files; one JSON line for each, with what came of it."""
    from WDualMineLib.errors import WDualMineError

    make, read = FORMATS[name]
    with tempfile.TemporaryDirectory() as folder:
        paths = make(Path(folder))
        originals = {path: path.read_bytes() for path in paths}
        for path in paths:
            read(path)  # whole, it is read
        for number in range(count):
            chance = random.Random(f"{name} {seed} {number}")
            path = chance.choice(paths)
            data = bytearray(originals[path])
            for _ in range(chance.randint(1, 2)):
                data = chance.choice(MUTATIONS)(data, chance) or data
            path.write_bytes(data)
            started = time.perf_counter()
            try:
                read(path)
                outcome, detail = "read", ""
            except WDualMineError as error:
                outcome, detail = "refused", str(error)
                if "\n" in detail or not error.remedy:
                    outcome = "bad words"
            except BaseException:
                outcome, detail = "traceback", traceback.format_exc()
            path.write_bytes(originals[path])
            took = time.perf_counter() - started
            print(json.dumps([number, outcome, took, detail, _peak_bytes()]), flush=True)


def _peak_bytes() -> int:
    """The most memory that this process ever held.

    ``getrusage`` does not tell: what it tells of a process is never less than what its parent held.
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))


def run(name: str, count: int, seed: int = 0) -> tuple[str, list[str]]:
    """A line on ``count`` damaged files of one format, and what was wrong with any."""
    command = [sys.executable, __file__, "--child", "--format", name]
    command += ["--count", str(count), "--seed", str(seed)]
    worst, most, counts, faults, seen = 0.0, 0, {"read": 0, "refused": 0}, [], -1
    # Into a file: nobody reads it meanwhile, and libraries may say much.
    with (
        tempfile.TemporaryFile("w+", errors="replace") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as child,
    ):
        try:
            for line in child.stdout:
                seen, outcome, took, detail, most = json.loads(line)
                worst = max(worst, took)
                counts[outcome] = counts.get(outcome, 0) + 1
                if outcome not in ("read", "refused") or took > SECONDS_A_FILE:
                    faults.append(f"{name} {seen}: {outcome} after {took:.1f} s: {detail}")
        finally:
            code = child.wait()
            said.seek(0)
            errors = said.read()
    if code or seen != count - 1:
        faults.append(f"{name} ended with {code} after file {seen}: {errors[-2000:]}")
    if most > MOST_BYTES:
        faults.append(f"{name} took {most / 2**30:.1f} GiB")
    line = (
        f"{name:10} {counts['read']:4} read, {counts['refused']:4} refused, {len(faults)} faults, "
        f"at most {worst:.2f} s a file and {most / 2**20:.0f} MiB"
    )
    return line, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=FORMATS, action="append")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.path.insert(0, str(PACKAGE))
        read_mutated(options.format[0], options.count, options.seed)
        return 0
    found = []
    for name in options.format or FORMATS:
        line, faults = run(name, options.count, options.seed)
        print(line, flush=True)
        found += faults
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
