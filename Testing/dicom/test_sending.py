"""What a sender is told when a server refuses, and that nothing goes over an unchecked TLS."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from WDualMineLib.cli.main import main
from WDualMineLib.dicom import kinds
from WDualMineLib.dicom.send import parse_server, send, send_steps
from WDualMineLib.errors import InputError, OutputError

pynetdicom = pytest.importorskip("pynetdicom")

ANY_CT = [kinds.CT]


@pytest.fixture
def folder(synthetic, tmp_path: Path) -> Path:
    """Four CT slices."""
    return synthetic().write(tmp_path / "to-send")


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Starts a storage server that answers C-STORE with the given status; its port."""
    running = []

    def start(status=0x0000, classes=ANY_CT, echo=0x0000, context: ssl.SSLContext | None = None):
        entity = pynetdicom.AE(ae_title="ARCHIVE")
        entity.require_called_aet = True
        entity.add_supported_context("1.2.840.10008.1.1")
        for uid in classes:
            entity.add_supported_context(uid)
        entity.acse_timeout = entity.network_timeout = 10
        received = []

        def stored(event):
            received.append(event.request.AffectedSOPInstanceUID)
            if status == "abort":
                event.assoc.abort()
                return 0x0000
            return status[len(received) - 1] if isinstance(status, list) else status

        handlers = [
            (pynetdicom.evt.EVT_C_STORE, stored),
            (pynetdicom.evt.EVT_C_ECHO, lambda event: echo),
        ]
        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=context
        )
        running.append(server)
        return server.server_address[1]

    yield start
    for server in running:
        server.shutdown()


def _to(port: int, **others):
    return parse_server(f"ARCHIVE@127.0.0.1:{port}", **others)


def test_success(serve, folder: Path) -> None:
    steps = []
    sent = send(folder, _to(serve()), steps.append)
    assert (sent.count, sent.notes) == (4, [])
    assert steps[0].fraction == 0 and steps[-1].fraction == 1
    assert "Sending 002.dcm" in [step.message for step in steps]


def test_warnings_are_passed_on(serve, folder: Path) -> None:
    sent = send(folder, _to(serve(status=[0, 0xB000, 0, 0])))
    assert sent.count == 4
    assert sent.notes == ["001.dcm: the server warns (status B000)"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0xA700, "out of room"),
        (0xA702, "out of room"),
        (0xA900, "does not match its kind"),
        (0xC123, "cannot understand"),
        (0x0124, "not authorised"),
        (0x0110, "it failed"),
    ],
)
def test_refusals_in_words(serve, folder: Path, status: int, words: str) -> None:
    with pytest.raises(OutputError) as caught:
        send(folder, _to(serve(status=[0, status, 0, 0])))
    assert words in caught.value.what and f"{status:04X}" in caught.value.what
    assert "001.dcm" in caught.value.what and "1 objects before it were stored" in str(caught.value)


def test_a_connection_that_breaks_off(serve, folder: Path) -> None:
    with pytest.raises(OutputError, match=r"did not store 000\.dcm: .*; 0 objects before it"):
        send(folder, _to(serve(status="abort")))


def test_a_kind_that_is_not_taken_stops_before_anything_is_sent(serve, folder: Path) -> None:
    with pytest.raises(OutputError, match="does not take CT Image Storage; nothing was sent"):
        send(folder, _to(serve(classes=[kinds.MR])))


def test_echo_comes_first(serve, folder: Path) -> None:
    with pytest.raises(OutputError, match="C-ECHO"):
        send(folder, _to(serve(echo=0x0122)))


def test_wrong_title(serve, folder: Path) -> None:
    address = f"WRONG@127.0.0.1:{serve()}"
    with pytest.raises(OutputError) as caught:
        send(folder, parse_server(address, own_title="ME"))
    assert "called ae title not recognised" in caught.value.what
    assert "we call ourselves ME" in caught.value.what


def test_nobody_listens(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OutputError, match=r"No connection to ARCHIVE at 127.*refused"):
        send(folder, _to(port))


def test_nothing_to_send(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(InputError, match="holds no DICOM files"):
        send(tmp_path, _to(1))
    with pytest.raises(InputError, match="does not exist"):
        send(tmp_path / "nowhere", _to(1))


def test_closing_the_steps_releases_the_association(serve, folder: Path) -> None:
    steps = send_steps(folder, _to(serve()))
    # Every file is read whole before the server hears of the first.
    said = [next(steps).message for _ in range(6)]
    assert said[:4] == [f"Reading 00{n}.dcm" for n in range(4)]
    assert said[4].startswith("Connecting") and said[5] == "Sending 000.dcm"
    steps.close()


@pytest.mark.parametrize(
    "address", ["", "ARCHIVE", "ARCHIVE@host", "@host:104", "A@h:0", "A@h:99999", "X" * 17 + "@h:1"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(InputError, match="is no address"):
        parse_server(address)


def test_addresses() -> None:
    server = parse_server(" MY PACS@pacs.example:11112 ")
    assert (server.title, server.host, server.port) == ("MY PACS", "pacs.example", 11112)
    assert parse_server("A@[::1]:104").host == "::1"


@pytest.fixture(scope="module")
def certificate(openssl: str, tmp_path_factory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext "
        f"subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def secure_port(serve, certificate) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return serve(context=context)


def test_tls(secure_port: int, certificate, folder: Path) -> None:
    assert send(folder, _to(secure_port, tls=True, authority=certificate[0])).count == 4


def test_tls_refuses_a_server_that_it_cannot_check(secure_port: int, folder: Path) -> None:
    with pytest.raises(OutputError, match="authority signed its certificate"):
        send(folder, _to(secure_port, tls=True))


def test_tls_refuses_a_certificate_for_another_host(
    secure_port: int, certificate, folder: Path
) -> None:
    server = parse_server(f"ARCHIVE@localhost:{secure_port}", tls=True, authority=certificate[0])
    with pytest.raises(OutputError, match="for this host name"):
        send(folder, server)


def test_a_server_that_asks_who_we_are(serve, certificate, folder: Path) -> None:
    """Mutual TLS: without a certificate of ours nothing is sent, with one everything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.load_verify_locations(certificate[0])
    context.verify_mode = ssl.CERT_REQUIRED
    port = serve(context=context)
    with pytest.raises(OutputError):
        send(folder, _to(port, tls=True, authority=certificate[0]))
    ours = {"certificate": certificate[0], "key": certificate[1]}
    assert send(folder, _to(port, tls=True, authority=certificate[0], **ours)).count == 4


def test_the_command_over_tls(secure_port: int, certificate, folder: Path, capsys) -> None:
    words = ["dicom", "send", str(folder), "--to", f"ARCHIVE@127.0.0.1:{secure_port}"]
    assert main([*words, "--ca", str(certificate[0])]) == 0
    assert "ARCHIVE has all 4 objects" in capsys.readouterr().out
    assert main([*words, "--tls"]) == 2
    assert "authority signed its certificate" in capsys.readouterr().err


def test_tls_needs_certificates_that_exist(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="TLS certificates cannot be used"):
        send(folder, _to(1, tls=True, authority=tmp_path / "none.pem"))


def test_plain_to_a_tls_server(secure_port: int, folder: Path) -> None:
    with pytest.raises(OutputError):
        send(folder, _to(secure_port))


def test_the_command_says_what_happened(serve, folder: Path, capsys) -> None:
    to = f"ARCHIVE@127.0.0.1:{serve()}"
    assert main(["dicom", "send", str(folder), "--to", to, "--as", "DESK7"]) == 0
    assert "ARCHIVE has all 4 objects" in capsys.readouterr().out
    assert main(["dicom", "send", str(folder), "--to", "nonsense"]) == 2
    assert "is no address of a DICOM server" in capsys.readouterr().err
