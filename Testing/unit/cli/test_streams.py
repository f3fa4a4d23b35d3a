"""Consoles, pipes and disks that do not take what is printed after the work is done."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from WDualMineLib.cli.streams import SafeStream

PACKAGE = Path(__file__).resolve().parents[3] / "WDualMine"
TELLS = (
    "import sys; from WDualMineLib.cli import main as m; import types;"
    "f = types.ModuleType('WDualMineLib.cli.told');"
    "f.add_arguments = lambda p: None; f.run = lambda o: print('뇌 ' * {count});"
    "sys.modules[f.__name__] = f; m.COMMANDS['{name}'] = ('told', 'tell');"
    "sys.exit(m.main(['{name}']))"
)


def tell(name: str = "fuse", count: int = 1, **how) -> subprocess.CompletedProcess:
    """A command that only prints, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)} | how.pop("env", {})
    code = TELLS.format(name=name, count=count)
    return subprocess.run([sys.executable, "-c", code], env=environment, timeout=60, **how)


class _Full(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_first_failure_is_kept_and_ends_the_writing():
    stream = SafeStream(_Full())
    print("one", file=stream)
    stream.flush()
    assert stream.failure.errno == errno.ENOSPC
    print("two", file=stream)
    assert stream.getvalue() == "one\n"


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_consoles_of_any_encoding(encoding):
    done = tell(capture_output=True, env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 0
    assert done.stdout.decode(encoding).strip() == ("뇌" if encoding == "utf-8" else "\\ub1cc")
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize(
    ("name", "code", "words"), [("fuse", 0, "All files"), ("evaluate", 2, "Print it")]
)
def test_a_full_disk_behind_the_output(name, code, words):
    with open("/dev/full", "wb") as full:
        done = tell(name, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == code
    assert words in done.stderr.decode() and "Traceback" not in done.stderr.decode()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX pipes")
@pytest.mark.parametrize("count", [1, 200_000])
def test_a_pipe_that_nobody_reads(count):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = tell(count=count, stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams(closed):
    code = TELLS.format(name="fuse", count=1)
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, code],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        timeout=60,
        capture_output=True,
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
