"""Real processes, really interrupted: everything or nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
PACKAGE = Path(__file__).resolve().parents[3] / "WDualMine"
PATIENCE = 120.0


def interrupted(arguments: list[object], when: Callable[[], bool]) -> tuple[int, str]:
    """Start ``wdualmine``, press Ctrl-C as soon as ``when`` holds; exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "WDualMineLib.cli.main", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not when() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, err


def test_fuse_while_it_writes(save, weights, tmp_path):
    pair = save("ct.nrrd", size=(64, 64, 24)), save("mr.nrrd", size=(64, 64, 24), seed=1)
    before = sorted(tmp_path.rglob("*"))
    code, err = interrupted(
        ["fuse", *pair, "-o", tmp_path / "out", "--weights", weights, "--device", "cpu"],
        when=lambda: any(tmp_path.glob(".partial-*/*.nrrd")),
    )
    assert code == 130, err
    assert "stopped" in err and "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


def test_fuse_images_between_two_pairs(save_image, weights, tmp_path):
    for folder in ("a", "b"):
        for number in range(40):
            save_image(f"{folder}/{number:03}.png", size=(64, 64), seed=number)
    before = sorted(tmp_path.rglob("*"))
    folders = (tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
    code, err = interrupted(
        ["fuse-images", *folders, "--maps", "--weights", weights, "--device", "cpu"],
        when=lambda: len(list(tmp_path.glob(".partial-*/*.png"))) > 2,
    )
    assert code == 130, err
    assert "stopped" in err and "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before
