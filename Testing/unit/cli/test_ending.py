"""Whatever goes wrong: one line in words, a documented exit code, and no traceback."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from WDualMineLib.cli import main as entry
from WDualMineLib.cli import verbosity
from WDualMineLib.cli.ending import Terminated, run_to_the_end, signals_as_interrupts
from WDualMineLib.errors import InputError, RegistrationFailed
from WDualMineLib.volumes.staging import interrupts_held

PACKAGE = Path(__file__).resolve().parents[3] / "WDualMine"


def end(error: BaseException, capsys, *, verbose: bool = False) -> tuple[int, str]:
    verbosity.apply(argparse.Namespace(verbose=verbose))

    def run():
        raise error

    code = run_to_the_end("fuse", run, lambda: "nothing was left")
    verbosity.apply(argparse.Namespace())
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("x is wrong", "Mend it"), 2, "x is wrong. Mend it."),
        (RegistrationFailed("no", "Try"), 3, "no. Try."),
        (InputError("a\nb", "c\x1b[31m"), 2, "a\\nb"),
        (KeyboardInterrupt(), 130, "stopped; nothing was left."),
        (Terminated(15), 143, "stopped; nothing was left."),
        (MemoryError(), 2, "memory is not enough"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes"), 2, "memory is not"),
        (RuntimeError("std::bad_alloc"), 2, "memory is not enough"),
        (OSError(errno.ENOSPC, "No space left on device", "f.nrrd"), 2, "f.nrrd: No space left"),
        (BrokenPipeError(), 0, ""),
        (RecursionError("deep"), 1, "A defect of WDualMine, in test_ending.py:"),
        (KeyError("x"), 1, "KeyError"),
    ],
)
def test_one_line_and_a_code(error, code, words, capsys):
    found, said = end(error, capsys)
    assert found == code
    assert words in said and "Traceback" not in said
    assert said.count("\n") == (1 if words else 0)


def test_verbose_shows_where(capsys):
    _, said = end(InputError("x", "y"), capsys, verbose=True)
    assert "Traceback" in said and said.endswith("x. y.\n")


def let_signals_act():
    """Under nohup, say, some are ignored, and what is ignored stays so."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture
def acting(request):
    """The signal of a test does what it does by default, whatever started the tests."""
    number = request.getfixturevalue("number")
    before = signal.signal(number, signal.SIG_DFL)
    yield
    signal.signal(number, before)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_interrupt_and_wait_while_results_are_moved(number, acting):
    before = signal.getsignal(number)
    done = []
    with pytest.raises(Terminated) as caught, signals_as_interrupts():
        with interrupts_held():
            signal.raise_signal(number)
            done.append("moved")
        done.append("never")
    assert done == ["moved"]
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)])
def test_a_process_that_is_signalled_cleans_up(tmp_path, name, code):
    script = (
        "import sys, time, types; from WDualMineLib.cli import main as m;"
        "from pathlib import Path; from WDualMineLib.volumes.staging import staged_folder\n"
        "def run(o):\n"
        "    with staged_folder(Path(sys.argv[1])) as folder:\n"
        "        (folder / 'half').write_text('x'); print('ready', flush=True); time.sleep(60)\n"
        "f = types.ModuleType('WDualMineLib.cli.slow')\n"
        "f.add_arguments, f.run = lambda p: None, run\n"
        "sys.modules[f.__name__] = f; m.COMMANDS['fuse'] = ('slow', 'slow')\n"
        "sys.exit(m.main(['fuse']))"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=let_signals_act,
    )
    assert started.stdout.readline() == "ready\n"
    started.send_signal(getattr(signal, name))
    _, said = started.communicate(timeout=30)
    assert started.returncode == code
    assert said == "wdualmine fuse: stopped; no partial files were left.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--threads", "0"], ["--threads", "x"], ["-q", "-v"]])
def test_common_options_are_checked(words, capsys):
    with pytest.raises(SystemExit) as caught:
        entry.main(["fuse", "a", "b", "-o", "c", *words])
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", [*entry.COMMANDS])
def test_every_command_has_the_common_options(command, capsys):
    parser = entry.build_parser(command)
    assert parser is not None
    nested = {"dicom": ["send"], "bench": ["quality"]}.get(command, [])
    with pytest.raises(SystemExit) as caught:
        entry.main([command, *nested, "--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert "--quiet" in said and "--verbose" in said and "--threads" in said


def test_python_m(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "WDualMineLib", "--version"],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stdout.startswith("wdualmine ")


def test_young_and_claimed_remains_stay_and_dead_ones_go(tmp_path):
    from WDualMineLib.volumes.partials import claimed, sweep

    dead, alive, young = (tmp_path / f".partial-0000000{n}" for n in range(3))
    for path in (dead, alive, young):
        path.mkdir()
        (path / "half.nrrd").write_text("x")
    (tmp_path / ".partial-notours").mkdir()
    old = time.time() - 10
    os.utime(dead, (old, old))
    os.utime(alive, (old, old))
    with claimed(alive):
        assert sweep(tmp_path) == [dead]
    assert sweep(tmp_path) == [alive]
    assert {p.name for p in tmp_path.iterdir()} == {young.name, ".partial-notours"}
