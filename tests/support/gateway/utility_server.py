"""A utility's IEEE 2030.5 server over HTTPS that asks for a client's certificate.

Its resources have the shape that CSIP-AUS's examples have.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from defusedxml.ElementTree import fromstring

NS = "urn:ieee:std:2030.5:ns"
AUS = "https://csipaus.org/ns"
_HEAD = f'xmlns="{NS}" xmlns:csipaus="{AUS}"'


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        private = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return (self.shown + private).decode()

    @property
    def shown(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def lfdi(self) -> str:
        encoded = self.certificate.public_bytes(serialization.Encoding.DER)
        return sha256(encoded).hexdigest()[:40].upper()


def issue(name: str, issuer: Issued | None = None) -> Issued:
    """Return a certificate; without an issuer it is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    began_at = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(
        subject if issuer is None else issuer.certificate.subject,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        began_at,
        began_at + timedelta(days=9),
    ).add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
    signer = key if issuer is None else issuer.key
    return Issued(builder.sign(signer, hashes.SHA256()), key)


def der_control(
    mrid: str,
    start: datetime,
    modes: dict[str, tuple[int, int]],
    *,
    minutes: int = 60,
    created: datetime | None = None,
    status: int = 0,
    responses: str = "03",
    extra: str = "",
) -> str:
    """Return a DERControl.

    Args:
        mrid: names it.
        start: by the server's clock.
        modes: value and power multiplier by mode.
        minutes: how long it lasts.
        created: when it was made; None: an hour before it starts.
        status: of its event.
        responses: bits that the server wants.
        extra: further elements.
    """
    made = created or start - timedelta(hours=1)
    return (
        f'<DERControl replyTo="/rsps/1/rsp" responseRequired="{responses}">'
        f"<mRID>{mrid}</mRID><creationTime>{made.timestamp():.0f}</creationTime>"
        f"<EventStatus><currentStatus>{status}</currentStatus></EventStatus>"
        f"<interval><duration>{minutes * 60}</duration>"
        f"<start>{start.timestamp():.0f}</start></interval>{extra}"
        f"{_base(modes)}</DERControl>"
    )


def _base(modes: dict[str, tuple[int, int]]) -> str:
    limits = "".join(
        f"<csipaus:{mode}><multiplier>{multiplier}</multiplier>"
        f"<value>{value}</value></csipaus:{mode}>"
        for mode, (value, multiplier) in modes.items()
    )
    return f"<DERControlBase>{limits}</DERControlBase>"


class Utility(ThreadingHTTPServer):
    """The server, what it announces, and the responses that it got.

    Args:
        authority: signs the certificates of both sides.
        now: by its own clock.
    """

    daemon_threads = True

    def __init__(self, authority: Issued, folder: Path, *, now: datetime) -> None:
        super().__init__(("127.0.0.1", 0), UtilityHandler)
        own = folder / "server.pem"
        own.write_text(issue("utility", authority).pem)
        trusted = folder / "authority.pem"
        trusted.write_bytes(authority.shown)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own)
        context.load_verify_locations(trusted)
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.now = now
        # How far its clock is before the client's.
        self.ahead = timedelta()
        self.lfdi = ""
        self.poll_s = 300
        # By the number of the programme: its primacy is its number.
        self.controls: dict[int, list[str]] = {1: []}
        self.defaults: dict[int, dict[str, tuple[int, int]]] = {}
        # By the path of a resource: what is answered in its place.
        self.faults: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.responses: list[tuple[str, int]] = []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}/dcap"

    def find(self, path: str, start: int, length: int) -> str:
        """Return a resource."""
        match path.strip("/").split("/"):
            case ["dcap"]:
                links = '<TimeLink href="/tm"/><EndDeviceListLink all="2" href="/edev"/>'
                document = f"<DeviceCapability {_HEAD}>{links}</DeviceCapability>"
            case ["tm"]:
                instant = f"<currentTime>{self.now.timestamp():.0f}</currentTime>"
                document = f"<Time {_HEAD}>{instant}</Time>"
            case ["edev"]:
                devices = [_device(0, "AB" * 20), _device(1, self.lfdi)]
                document = self._list("EndDeviceList", devices)
            case ["edev", "1", "fsa"]:
                link = '<DERProgramListLink all="1" href="/derp"/>'
                member = f"<FunctionSetAssignments>{link}</FunctionSetAssignments>"
                document = self._list("FunctionSetAssignmentsList", [member])
            case ["derp"]:
                programmes = [self._programme(number) for number in self.controls]
                document = self._list("DERProgramList", programmes)
            case ["derp", number, "derc"]:
                members = self.controls[int(number)]
                page = members[start : start + min(length, 2)]
                document = self._list("DERControlList", page, count=len(members))
            case ["derp", number, "dderc"]:
                content = f"<mRID>DEFA{number}</mRID>{_base(self.defaults[int(number)])}"
                document = f"<DefaultDERControl {_HEAD}>{content}</DefaultDERControl>"
            case _:
                raise KeyError(path)
        return document

    def _programme(self, number: int) -> str:
        default = ""
        if number in self.defaults:
            default = f'<DefaultDERControlLink href="/derp/{number}/dderc"/>'
        return (
            f"<DERProgram><mRID>AA{number}</mRID>{default}"
            f'<DERControlListLink href="/derp/{number}/derc"/><primacy>{number}</primacy>'
            f"</DERProgram>"
        )

    def _list(self, name: str, members: list[str], *, count: int | None = None) -> str:
        total = len(members) if count is None else count
        return (
            f'<{name} all="{total}" results="{len(members)}" pollRate="{self.poll_s}" {_HEAD}>'
            f"{''.join(members)}</{name}>"
        )


class UtilityHandler(BaseHTTPRequestHandler):
    """Answers a client."""

    protocol_version = "HTTP/1.1"
    server: Utility
    media: ClassVar[str] = "application/sep+xml"

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        query = parse_qs(where.query)
        self.server.asked.append(where.path)
        if where.path in self.server.faults:
            self._answer(*self.server.faults[where.path])
            return
        start = int(query.get("s", ["0"])[0])
        length = int(query.get("l", ["1"])[0])
        self._answer(200, self.server.find(where.path, start, length).encode())

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        if self.path in self.server.faults:
            self._answer(*self.server.faults[self.path])
            return
        document = fromstring(content)
        parts = {part.tag: part.text or "" for part in document}
        assert document.tag == f"{{{NS}}}DERControlResponse"
        assert self.headers["content-type"] == self.media
        assert parts[f"{{{NS}}}endDeviceLFDI"] == self.server.lfdi
        status = int(parts[f"{{{NS}}}status"])
        self.server.responses.append((parts[f"{{{NS}}}subject"], status))
        self._answer(201, b"")

    def log_message(self, *_: Any) -> None:
        """Keep tests quiet."""

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", self.media)
        self.send_header("content-length", f"{len(content)}")
        self.end_headers()
        self.wfile.write(content)


def _device(number: int, lfdi: str) -> str:
    return (
        f"<EndDevice><lFDI>{lfdi}</lFDI>"
        f'<FunctionSetAssignmentsListLink all="1" href="/edev/{number}/fsa"/></EndDevice>'
    )


@contextmanager
def serving(server: Utility) -> Iterator[Utility]:
    """Serve until the end."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
