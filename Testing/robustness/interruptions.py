"""What signals and full disks leave behind, command by command, as the table of docs/robustness.md.

    python Testing/robustness/interruptions.py

Every command runs in a process of its own on small volumes. Signals are sent when its unfinished
folder appears, and once before; the disk is "full" where no file may grow beyond some kilobytes.
Takes some minutes; exits with 1 where anything is left, or an exit code is not the documented one.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "WDualMine"
sys.path[:0] = [str(Path(__file__).parent), str(PACKAGE)]
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
SECONDS = 240


def _sources(folder: Path) -> dict[str, list[str]]:
    """Small inputs, and each command on them without its output folder."""
    import mutations
    import numpy as np
    from WDualMineLib.volumes.reading import read_volume
    from WDualMineLib.volumes.writing import write_volume

    (fixed,) = mutations._volume(folder, "fixed.nrrd")
    volume = read_volume(fixed)
    k, j, i = np.indices(volume.array.shape) - mutations.SIDE / 2
    ball = np.where(k**2 + (j / 1.2) ** 2 + i**2 < 64, volume.array, 0).astype(np.float32)
    for name, values in (("fixed", ball), ("moving", 200 - ball * (ball > 0))):
        write_volume(volume.with_array(values), folder / f"{name}.nrrd", force=True)
    pair = [str(folder / "fixed.nrrd"), str(folder / "moving.nrrd")]
    return {
        "fuse": ["fuse", *pair],
        "fuse --dicom": ["fuse", *pair, "--dicom"],
        "register": ["register", *pair, "--kind", "none"],
        "dicom export": ["dicom", "export", str(folder / "result")],
    }


def _start(words: list[str], most_bytes: int | None = None) -> subprocess.Popen:
    def prepare() -> None:
        # What started this may ignore some, as nohup does; what is ignored stays so.
        for name in SIGNALS:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        if most_bytes is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.Popen(
        [sys.executable, "-m", "WDualMineLib", *words],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
    )


def _left(home: Path) -> str:
    found = sorted(path.name for path in home.iterdir())
    return ", ".join(found) or "nothing"


def _when_writing(home: Path) -> Callable[[subprocess.Popen], None]:
    def wait(child: subprocess.Popen) -> None:
        while child.poll() is None and not any(home.glob(".partial-*")):
            time.sleep(0.005)

    return wait


def _early(child: subprocess.Popen) -> None:
    """When the libraries are being loaded: before that Python itself is still starting."""
    maps = Path(f"/proc/{child.pid}/maps")
    while child.poll() is None and "SimpleITK" not in maps.read_text():
        time.sleep(0.005)


def main() -> int:
    rows, wrong = [], 0
    with tempfile.TemporaryDirectory() as place:
        commands = _sources(Path(place))
        done = _start([*commands["fuse"], "-o", str(Path(place) / "result")])
        said = done.communicate(timeout=SECONDS)[1]
        if done.returncode:
            print(said)
            return 1
        for name, words in commands.items():
            for number, code in SIGNALS.items():
                for when in ("early", "while it writes"):
                    with tempfile.TemporaryDirectory() as home:
                        child = _start([*words, "-o", str(Path(home) / "out")])
                        (_early if when == "early" else _when_writing(Path(home)))(child)
                        child.send_signal(getattr(signal, number))
                        said = child.communicate(timeout=SECONDS)[1].strip().splitlines()
                        left = _left(Path(home))
                    complete = child.returncode == 0 and left == "out"
                    fine = complete or (child.returncode == code and left == "nothing")
                    wrong += not fine
                    rows.append((name, f"{number}, {when}", child.returncode, left, said[-1:]))
                    print(*rows[-1], sep=" | ", flush=True)
            for size in (0, 3_000, 30_000):
                with tempfile.TemporaryDirectory() as home:
                    child = _start([*words, "-o", str(Path(home) / "out")], size)
                    said = child.communicate(timeout=SECONDS)[1].strip().splitlines()
                    left = _left(Path(home))
                complete = child.returncode == 0 and left == "out"
                wrong += not (complete or (child.returncode == 2 and left == "nothing"))
                rows.append((name, f"full after {size} bytes", child.returncode, left, said[-1:]))
                print(*rows[-1], sep=" | ", flush=True)
        with tempfile.TemporaryDirectory() as home:
            child = _start([*commands["fuse"], "-o", str(Path(home) / "out")])
            _when_writing(Path(home))(child)
            child.kill()
            child.communicate(timeout=SECONDS)
            before = _left(Path(home))
            time.sleep(1.5)
            again = _start([*commands["fuse"], "-o", str(Path(home) / "out")])
            again.communicate(timeout=SECONDS)
            after = _left(Path(home))
            wrong += after != "out"
            print(
                "fuse", "SIGKILL, then again", again.returncode, f"{before} -> {after}", sep=" | "
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
