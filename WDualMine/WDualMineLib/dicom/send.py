"""Exported objects to a DICOM server: C-ECHO, then C-STORE, and a clear word on refusal."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ..errors import InputError, OutputError
from ..progress import Progress, Steps, finish
from .headers import damaged
from .whole_objects import whole_objects

DEFAULT_AE_TITLE = "WDUALMINE"

_ADDRESS = re.compile(r"(?P<title>[^@\\]{1,16})@(?P<host>\[[^\]]+\]|[^:@\s]+):(?P<port>\d{1,5})")
_TIMEOUT = 15  # seconds to wait for an answer; storing a large object may take longer
_STORE_TIMEOUT = 120
_MOST_CONTEXTS = 127  # an association has 128 presentation contexts; one is for C-ECHO

# First digits of the status of C-STORE (PS3.4 B.2.3), in words.
_STATUS = {
    0x0122: "it does not store this kind of object",
    0x0124: "it is not authorised to store from here",
    0x0211: "it does not know this operation",
    0xA700: "it is out of room or memory",
    0xA900: "the object does not match its kind",
    0xC000: "it cannot understand the object",
}


@dataclass(frozen=True)
class Server:
    """Where to send: application entity title, host and port, and TLS if wanted.

    Attributes:
        title, host, port: of the server.
        own_title: by which we call ourselves; many servers only take senders that they know.
        tls: whether to use TLS; the server's certificate is always checked.
        authority: PEM file of the authority that signed it; None for the system's.
        certificate, key: PEM files of our own certificate, if the server asks for one.
    """

    title: str
    host: str
    port: int
    own_title: str = DEFAULT_AE_TITLE
    tls: bool = False
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Sent:
    """How many objects the server has, and its warnings."""

    count: int
    notes: list[str]


def parse_server(address: str, **others: object) -> Server:
    """``AET@host:port`` as a :class:`Server`; ``others`` are its further fields.

    Raises:
        InputError: not of this form, or a port outside 1 to 65535.
    """
    match = _ADDRESS.fullmatch(address.strip())
    if match is None or not 1 <= int(match["port"]) <= 65535:
        raise InputError(
            f"{address!r} is no address of a DICOM server",
            "Write it as AETITLE@host:port, for instance ORTHANC@192.168.1.5:4242",
        )
    return Server(match["title"], match["host"].strip("[]"), int(match["port"]), **others)


def send(folder: str | Path, server: Server, progress=None) -> Sent:
    """Send all DICOM files of a folder; see :func:`send_steps`."""
    return finish(send_steps(folder, server), progress)


def send_steps(folder: str | Path, server: Server) -> Steps[Sent]:
    """Verify the server by C-ECHO, then store every DICOM file of ``folder`` (and subfolders).

    Every file is read whole before the server hears of the first: of a file that was cut short,
    what is there could be sent, and would be reported as arrived.

    Raises:
        InputError: nothing to send, or a file is damaged or cut short.
        OutputError: no connection, association rejected, a kind not accepted, an object refused.
    """
    files, notes = [], []
    for found in whole_objects(Path(folder)):
        files.append((found.path, (found.sop_class_uid, found.transfer_syntax_uid)))
        notes = list(found.left_out)
        yield Progress(0.0, f"Reading {found.path.name}")
    yield Progress(0.0, f"Connecting to {server.title} at {server.host}:{server.port}")
    with _association(server, {kind for _, kind in files}) as association:
        _echo(association, server)
        _require_accepted(association, server, {kind[0] for _, kind in files})
        for done, (path, _) in enumerate(files):
            yield Progress(done / len(files), f"Sending {path.name}")
            warning = _store(association, server, path, done)
            if warning:
                notes.append(warning)
    yield Progress(1.0, f"{len(files)} objects stored")
    return Sent(len(files), notes)


@contextmanager
def _association(server: Server, kinds: set[tuple[str, str]]) -> Iterator:
    pynetdicom = _pynetdicom()
    entity = pynetdicom.AE(ae_title=server.own_title)
    entity.connection_timeout = entity.acse_timeout = _TIMEOUT
    entity.dimse_timeout = entity.network_timeout = _STORE_TIMEOUT
    entity.add_requested_context("1.2.840.10008.1.1")  # Verification
    if len(kinds) > _MOST_CONTEXTS:
        raise InputError(f"{len(kinds)} kinds of objects are too many at once", "Send fewer")
    for sop_class, syntax in sorted(kinds):
        uncompressed = syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
        offered = [ExplicitVRLittleEndian, ImplicitVRLittleEndian] if uncompressed else [syntax]
        entity.add_requested_context(sop_class, offered)
    tls = _tls(server)
    _require_reachable(server)
    association = entity.associate(server.host, server.port, ae_title=server.title, tls_args=tls)
    try:
        if not association.is_established:
            raise _not_connected(association, server)
        yield association
    finally:
        if association.is_established:
            association.release()


def _pynetdicom():
    try:
        import pynetdicom
    except ImportError as error:
        raise OutputError(
            f"Nothing can be sent, pynetdicom does not load ({error})",
            "Install it: pip install pynetdicom",
        ) from error
    return pynetdicom


def _tls(server: Server) -> tuple[ssl.SSLContext, str] | None:
    if not server.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=server.authority)
        if server.certificate is not None:
            context.load_cert_chain(server.certificate, server.key)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"The TLS certificates cannot be used ({error})", "Give PEM files that exist"
        ) from error
    return context, server.host


def _not_connected(association, server: Server) -> OutputError:
    where = f"{server.title} at {server.host}:{server.port}"
    if association.is_rejected:
        answer = association.acceptor.primitive
        return OutputError(
            f"{where} refused the association: {answer.reason_str.lower()} "
            f"({answer.result_str.lower()}, we call ourselves {server.own_title})",
            "Have the administrator of the server add this sender, or correct the titles",
        )
    if server.tls:
        return OutputError(
            f"No secure connection to {where}",
            "Check that it speaks TLS on this port, and that the authority signed its certificate "
            "for this host name (--ca)",
        )
    return OutputError(
        f"{where} closed the connection", "Check the port; if the server wants TLS, use --tls"
    )


def _require_reachable(server: Server) -> None:
    """The network's own reason, which an association does not tell from a refusal."""
    try:
        socket.create_connection((server.host, server.port), timeout=_TIMEOUT).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"No connection to {server.title} at {server.host}:{server.port} ({reason})",
            "Check host and port, and that the server is running and reachable",
        ) from error


def _echo(association, server: Server) -> None:
    status = association.send_c_echo()
    if getattr(status, "Status", None) != 0x0000:
        raise OutputError(
            f"{server.title} does not answer to a verification (C-ECHO)",
            "Ask its administrator whether it is a DICOM storage server",
        )


def _require_accepted(association, server: Server, sop_classes: set[str]) -> None:
    """All before the first is stored: half a result on the server helps nobody."""
    accepted = {context.abstract_syntax for context in association.accepted_contexts}
    missing = sorted(pydicom.uid.UID(uid).name for uid in sop_classes - accepted)
    if missing:
        raise OutputError(
            f"{server.title} does not take {', '.join(missing)}; nothing was sent",
            "Have its administrator accept this kind, or send a folder without it",
        )


def _store(association, server: Server, path: Path, stored: int) -> str:
    """Store one file; returns the server's warning, "" if it has none."""
    with damaged(path):
        dataset = pydicom.dcmread(path)
    try:
        status = association.send_c_store(dataset)
    except (RuntimeError, ValueError, AttributeError) as error:
        raise _refused(server, path, stored, str(error)) from error
    code = getattr(status, "Status", None)
    if code is None:
        raise _refused(server, path, stored, "the connection broke off")
    if code == 0x0000:
        return ""
    detail = f"{getattr(status, 'ErrorComment', '')}".strip()
    if code & 0xF000 == 0xB000:
        return f"{path.name}: the server warns (status {code:04X}) {detail}".rstrip()
    words = _STATUS.get(code) or _STATUS.get(code & 0xFF00) or _STATUS.get(code & 0xF000)
    raise _refused(server, path, stored, f"{words or 'it failed'} (status {code:04X}) {detail}")


def _refused(server: Server, path: Path, stored: int, why: str) -> OutputError:
    return OutputError(
        f"{server.title} did not store {path.name}: {why.strip()}; {stored} objects before it were "
        "stored",
        "Ask the administrator of the server, then send the folder again",
    )
