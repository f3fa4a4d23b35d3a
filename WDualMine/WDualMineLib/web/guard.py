"""Who may see anything: a token in the address, a cookie afterwards, and pages of this server only.

The cookie is the time of its making with a signature, so that nothing is kept of viewers. Every
comparison with a secret takes the same time whatever is given.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field

COOKIE_SECONDS = 12 * 3600

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Server": "wdualmine",
}
"""Of every answer: no frames around it, no guessing of its kind, no other origin, nothing kept."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Guard:
    """Knows the token of one run of the server.

    Attributes:
        hosts: names by which the server may be called, without a port; empty for any.
        encrypted: whether it speaks TLS.
        token: what the address holds.
    """

    hosts: tuple[str, ...] = LOOPBACK
    encrypted: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(_digest(given), _digest(self.token))

    def new_cookie(self) -> str:
        """A value that :meth:`is_cookie` takes for the next :data:`COOKIE_SECONDS`."""
        made = f"{int(time.time())}-{secrets.token_hex(8)}"
        return f"{made}.{self._signature(made)}"

    def is_cookie(self, given: str) -> bool:
        made, _, signature = given.partition(".")
        if not hmac.compare_digest(_digest(signature), _digest(self._signature(made))):
            return False
        return 0 <= time.time() - int(made.partition("-")[0]) <= COOKIE_SECONDS

    def is_host(self, given: str) -> bool:
        """Whether the header Host names this server; another name may have been bent to it."""
        name, colon, port = given.rpartition(":")
        host = name if colon and port.isdigit() else given
        return not self.hosts or host.lower() in self.hosts

    def is_origin(self, given: str, host: str) -> bool:
        """Whether a page of this server opened the web socket."""
        scheme = "https" if self.encrypted else "http"
        return bool(host) and given == f"{scheme}://{host}"

    def _signature(self, made: str) -> str:
        return hmac.new(self.token.encode(), made.encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    # Of one length, so that not even the length of what is wrong can be timed.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
