"""``wdualmine serve`` as a process: refuses early, prints its address, ends when told to."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from WDualMineLib.cli.main import main

pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[web]'")
pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing-here"], "does not exist"),
        (["."], "holds neither fused.nrrd nor summary.json"),
        ([".", ".", "."], "3 paths were given"),
        ([".", "--certificate", "c.pem"], "Give both, or neither"),
        ([".", "--port", "70000"], "There is no port 70000"),
        ([".", "--idle", "0"], "Give --idle above 0"),
        ([".", "-o", "out"], "Leave --output out"),
        ([".", "--again"], "Only a result can be fused again"),
        ([".", "--registration", "rigid"], "Leave --registration out"),
        ([".", "--prior", "nothing-here"], "does not exist"),
        ([".", "--prior", "."], "beside one result"),
    ],
)
def test_what_makes_no_sense_is_refused(words, said, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "something").write_text("x")
    assert main(["serve", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_prior_study_is_a_result(folder, capsys, tmp_path) -> None:
    (tmp_path / "report.json").write_text("{}")
    assert main(["serve", str(folder), "--prior", str(tmp_path)]) == 2
    assert "holds no fused.nrrd" in capsys.readouterr().err


def test_sources_and_output_are_kept_apart(sources, capsys, tmp_path) -> None:
    (tmp_path / "fused.nrrd").write_text("of somebody")
    assert main(["serve", *map(str, sources), "-o", str(tmp_path)]) == 2
    assert "fused.nrrd" in capsys.readouterr().err
    assert (tmp_path / "fused.nrrd").read_text() == "of somebody"


def test_without_the_extra_it_says_how_to_get_it(folder, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "aiohttp" else object()
    )
    assert main(["serve", str(folder)]) == 2
    assert "pip install 'wdualmine[web]'" in capsys.readouterr().err


def test_it_serves_until_it_is_interrupted(folder: Path) -> None:
    command = [sys.executable, "-m", "WDualMineLib.cli.main", "serve", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        url = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/\?token=\S{43})\n", line)[1]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(url.split("?")[0], timeout=20)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "Traceback" not in said
