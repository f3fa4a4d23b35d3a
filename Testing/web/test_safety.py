"""Attacks on the server, and their answers."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install '.[web]'")
pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[web]'")

from WDualMineLib.errors import InputError
from WDualMineLib.web.catalogue import Folders
from WDualMineLib.web.folders import require_within
from WDualMineLib.web.guard import COOKIE_SECONDS, Guard
from WDualMineLib.web.study import read_study


def ask(running, path: str, method: str = "GET", **headers: str):
    """(status, headers, body) of one request, sent as it is: no client cleans the path."""
    connection = http.client.HTTPConnection(running.host, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def cookie_of(running) -> str:
    status, headers, _ = ask(running, f"/?token={running.server.guard.token}")
    assert status == 303 and headers["Location"] == "/"
    return headers["Set-Cookie"].split(";")[0]


def open_socket(running, **headers: str):
    """(status, connection) of a web socket that is asked for."""
    wanted = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    connection = http.client.HTTPConnection(running.host, timeout=10)
    connection.request("GET", "/socket", headers=wanted | headers)
    return connection.getresponse().status, connection


PATHS = ("/", "/workbench.js", "/studies", "/socket", "/nothing")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_told_without_the_token(serve, path: str) -> None:
    running = serve()
    for headers in ({}, {"Cookie": f"wdualmine-{running.host.split(':')[1]}=1-a.b"}):
        status, _, body = ask(running, path, **headers)
        assert (status, b"Doe" in body) == (403, False)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\u00e9", "%00", "x" * 4000])
def test_a_wrong_token_is_refused(serve, token: str) -> None:
    from urllib.parse import quote

    status, headers, _ = ask(serve(), f"/?token={quote(token)}")
    assert status == 403 and "Set-Cookie" not in headers


def test_the_token_leaves_the_address_and_the_cookie_is_kept_from_scripts(serve) -> None:
    running = serve()
    status, headers, body = ask(running, f"/?token={running.server.guard.token}")
    assert status == 303 and headers["Location"] == "/"
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in headers["Set-Cookie"]
    assert running.server.guard.token not in headers["Set-Cookie"] + body.decode()


def test_every_answer_has_the_headers(serve) -> None:
    running = serve()
    cookie = cookie_of(running)
    for path, status in (("/", 200), ("/studies", 200), ("/nothing", 404), ("/%2e%2e/", 404)):
        found, headers, _ = ask(running, path, Cookie=cookie)
        assert found == status
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"].split("; ")
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
            assert rule in policy
        assert "Python" not in headers["Server"]


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/static/../report.json",
        "/report.json",
        "/workbench.js/../../Models/wdualmine.pt",
        "/workbench.js%00.png",
        "/fused.nrrd",
        "/\\..\\..\\windows\\win.ini",
    ],
)
def test_no_other_file_is_served(serve, path: str) -> None:
    running = serve()
    status, _, body = ask(running, path, Cookie=cookie_of(running))
    assert status in (400, 404) and b"root:" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_uploaded(serve, method: str) -> None:
    running = serve()
    for path in ("/", "/studies", "/upload"):
        status, _, _ = ask(running, path, method, Cookie=cookie_of(running))
        assert status in (404, 405)


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://@", "http://127.0.0.1:1"]
)
def test_a_page_of_another_origin_opens_no_socket(serve, origin: str | None) -> None:
    running = serve()
    headers = {"Cookie": cookie_of(running)} | ({} if origin is None else {"Origin": origin})
    assert open_socket(running, **headers)[0] == 403


def test_the_own_page_opens_a_socket_and_needs_its_cookie(serve) -> None:
    running = serve()
    assert open_socket(running, Origin=running.base)[0] == 403
    assert open_socket(running, Origin=running.base, Cookie=cookie_of(running))[0] == 101


def test_a_name_bent_to_loopback_is_refused(serve) -> None:
    running = serve()
    cookie = cookie_of(running)
    assert ask(running, "/", Cookie=cookie, Host="evil.example")[0] == 421
    assert ask(running, "/", Cookie=cookie, Host="localhost:1")[0] != 421


def test_viewers_are_counted_and_idle_ones_let_go(serve) -> None:
    running = serve(most_viewers=2, idle_seconds=0.5)
    headers = {"Cookie": cookie_of(running), "Origin": running.base}
    kept = [open_socket(running, **headers) for _ in range(2)]
    assert [status for status, _ in kept] == [101, 101]
    assert open_socket(running, **headers)[0] == 503
    end = time.monotonic() + 10
    while running.server.viewers and time.monotonic() < end:
        time.sleep(0.05)
    assert running.server.viewers == 0


def test_it_listens_on_loopback_alone(serve) -> None:
    running = serve()
    port = int(running.host.split(":")[1])
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=1):
        pass


def test_a_cookie_ends_and_cannot_be_made_longer(monkeypatch) -> None:
    guard = Guard()
    cookie = guard.new_cookie()
    assert guard.is_cookie(cookie) and not Guard().is_cookie(cookie)
    made, _, signature = cookie.partition(".")
    later = f"{int(made.split('-')[0]) + 9999}-{made.split('-')[1]}.{signature}"
    assert not guard.is_cookie(later)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + COOKIE_SECONDS + 2)
    assert not guard.is_cookie(cookie)


def test_a_port_that_is_taken_is_named(serve) -> None:
    from WDualMineLib.errors import OutputError

    port = int(serve().host.split(":")[1])
    with pytest.raises(OutputError, match=f"Port {port} of 127.0.0.1 cannot be had"):
        serve(port=port)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_tls_by_certificate_and_key(serve, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2"
    subprocess.run([*command.split(), "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)
    running = serve(certificate=certificate, key=key)
    assert running.url.startswith("https://")
    trust = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(running.host, timeout=10, context=trust)
    connection.request("GET", f"/?token={running.server.guard.token}")
    headers = connection.getresponse().headers
    assert "Secure" in headers["Set-Cookie"] and "max-age" in headers["Strict-Transport-Security"]
    connection.close()
    with pytest.raises(InputError, match="cannot be used for TLS"):
        serve(certificate=key, key=certificate)


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def test_sources_elsewhere_are_not_read(folder: Path, sources) -> None:
    unseen = read_study(folder, [])
    assert unseen.sources == {} and "lies outside" in unseen.notes[0]
    assert set(read_study(folder, [sources[0].parent]).sources) == {"fixed", "moving"}


def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    bent = copied(folder, tmp_path / "bent")
    (bent / "arbitration.nrrd").unlink()
    os.symlink(folder / "arbitration.nrrd", bent / "arbitration.nrrd")
    with pytest.raises(InputError, match="lies outside"):
        read_study(bent, [])


def test_a_link_among_the_sources_is_not_followed(tmp_path: Path) -> None:
    series, elsewhere = tmp_path / "series", tmp_path / "elsewhere"
    series.mkdir()
    elsewhere.write_text("secret")
    os.symlink(elsewhere, series / "1.dcm")
    with pytest.raises(InputError, match="lies outside"):
        require_within(series, [series])


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.nrrd", b"NRRD0004\ntype: uchar\nDATA FILE : /etc/passwd\n\n"),
        ("a.nhdr", b"NRRD0004\ndatafile: LIST\n/etc/passwd\n\n"),
        ("a.mha", b"NDims = 3\nElementDataFile = /etc/passwd\n"),
    ],
)
def test_a_header_that_names_another_file_is_refused(tmp_path: Path, name, header) -> None:
    path = tmp_path / name
    path.write_bytes(header)
    with pytest.raises(InputError, match="in another file"):
        require_within(path, [tmp_path])


def batch(folder: Path, to: Path, where: str) -> Path:
    to.mkdir()
    rows = [{"study": "Doe", "folder": where, "state": "done", "words": "Doe failed"}]
    (to / "summary.json").write_text(json.dumps({"studies": rows}))
    return to


@pytest.mark.parametrize("where", ["../fused", "/etc", "studies/../../fused"])
def test_a_batch_leads_nowhere_else(folder: Path, tmp_path: Path, where: str) -> None:
    copied(folder, tmp_path / "fused")
    opened = Folders(batch(folder, tmp_path / "batch", where), [], anonymise=False)
    with pytest.raises(InputError, match="lies outside"):
        opened.open(0)
    for number in (-1, 1, 10**30):
        with pytest.raises(InputError, match="has no study"):
            opened.open(number)


def test_a_batch_shows_its_studies(folder: Path, tmp_path: Path) -> None:
    root = batch(folder, tmp_path / "batch", "studies/Doe")
    copied(folder, root / "studies" / "Doe")
    opened = Folders(root, [], anonymise=False)
    (row,) = opened.rows()
    assert (row["heading"], row["there"], row["state"]) == ("Doe", True, "done")
    assert opened.open(0)[0].result.fused.geometry.size == (40, 48, 36)


def test_anonymised_nothing_names_the_patient(folder: Path, sources, tmp_path: Path) -> None:
    root = batch(folder, tmp_path / "batch", "studies/Doe")
    copied(folder, root / "studies" / "Doe")
    for allowed in ([], [sources[0].parent]):
        opened = Folders(root, allowed, anonymise=True)
        study, described = opened.open(0)
        assert bool(study.sources) == bool(allowed)
        assert "doe" not in json.dumps([opened.rows(), described]).lower()
    told = Folders(folder, [sources[0].parent], anonymise=False).open(0)[1]
    assert "doe" in json.dumps(told).lower()  # so that the search above can fail
