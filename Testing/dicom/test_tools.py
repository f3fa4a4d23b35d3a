"""A build server must not pass by skipping what needs the checker and the server."""

from __future__ import annotations

import pytest


def test_a_missing_program_is_a_skip_here_and_a_failure_on_a_build_server(
    needed_program, monkeypatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install dicom3tools"):
        needed_program("no-such-dciodvfy", "dicom3tools")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install orthanc"):
        needed_program("no-such-Orthanc", "orthanc")
