"""Fetching from servers that mean no good.

They run on this machine, so the tests allow its loopback address and those servers' ports.
"""

import gzip
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from luna.energy.errors import InvalidInputError, UnavailableError
from luna.platform import public_addresses
from services.rag.extraction.fetching import Fetched, FetchLimits, Network, fetch_url

Answer = Callable[[bytes], Iterator[bytes]]
LOOPBACK = "127.0.0.1"


class Server:
    """Answers each connection by what the test says of its request, and counts them."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server((LOOPBACK, 0))
        self.port = self._socket.getsockname()[1]

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, suppress(OSError):
                    request = connection.recv(65536)
                    self.requests.append(request)
                    for piece in self._answer(request):
                        connection.sendall(piece)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    server = Server(answer)
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def reply(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    told = {"Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return (
        f"HTTP/1.1 {status}\r\n".encode()
        + "".join(f"{name}: {value}\r\n" for name, value in told.items()).encode()
        + b"\r\n"
        + body
    )


def network(server: Server, *answers: str, clock: Callable[[], float] = lambda: 0.0) -> Network:
    """The internet of which one server is all.

    A name's addresses are those given, one after the other.
    """
    found = iter(answers)
    allowed = (IPv4Address(LOOPBACK), server.port)

    def allows(address: IPv4Address | IPv6Address, port: int) -> bool:
        return (address, port) == allowed or public_addresses.allows(address, port)

    return Network(resolve=lambda *_: [next(found, LOOPBACK)], allows=allows, clock=clock)


def own_certificate(folder: Path, host: str) -> Path:
    """Write a key and a certificate that it signs for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    begins = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(
        name,
        name,
        key.public_key(),
        x509.random_serial_number(),
        begins,
        begins + timedelta(days=30),
    )
    signed = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
    ).sign(key, hashes.SHA256())
    own = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "own.pem"
    path.write_bytes(own + signed.public_bytes(serialization.Encoding.PEM))
    return path


def suppress_errors(call: Callable[[], object]) -> None:
    with suppress(OSError):
        call()


def fetch(
    server: Server,
    folder: Path,
    url: str = "http://docs.example{port}/preise.pdf",
    limits: FetchLimits | None = None,
    **more: Network,
) -> Fetched:
    return fetch_url(
        url.format(port=f":{server.port}"),
        folder=folder,
        limits=limits,
        network=more.get("network", network(server)),
    )


def test_fetches_a_file_with_its_name_and_type(tmp_path: Path) -> None:
    with serving(
        lambda _: iter([reply(body=b"%PDF-1.7", Content_Type="application/pdf; charset=x")])
    ) as server:
        found = fetch(server, tmp_path)
    assert (found.path.read_bytes(), found.media_type, found.name) == (
        b"%PDF-1.7",
        "application/pdf",
        "preise.pdf",
    )
    assert found.final_url == f"http://docs.example:{server.port}/preise.pdf"
    # The server is told the name, though the connection went to the address that was checked.
    assert f"Host: docs.example:{server.port}".encode() in server.requests[0]


def test_a_server_names_the_file_without_a_folder(tmp_path: Path) -> None:
    with serving(
        lambda _: iter(
            [reply(body=b"x", Content_Disposition='attachment; filename="../../etc/pass:wd"')]
        )
    ) as server:
        assert fetch(server, tmp_path).name == "passwd"


def test_follows_redirects_with_a_check_at_each(tmp_path: Path) -> None:
    def answer(request: bytes) -> Iterator[bytes]:
        yield reply(body=b"da") if b"/neu" in request else reply("302 Found", Location="/neu")

    with serving(answer) as server:
        found = fetch(server, tmp_path)
    assert found.final_url.endswith("/neu")
    assert found.path.read_bytes() == b"da"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/",
        "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user:secret@docs.example/",
        "http://docs.example:22/",
        "//0x7f000001/",
    ],
)
def test_a_redirect_to_where_nothing_is_fetched_from_is_refused(
    tmp_path: Path, location: str
) -> None:
    literal = {"169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "10.0.0.1"}
    with serving(lambda _: iter([reply("302 Found", Location=location)])) as server:
        inner = network(server)
        outer = Network(
            resolve=lambda host, _: [host] if host in literal else inner.resolve(host, 80),
            allows=inner.allows,
            clock=inner.clock,
        )
        with pytest.raises(InvalidInputError):
            fetch(server, tmp_path, network=outer)
    assert len(server.requests) == 1


def test_a_sixth_redirect_is_refused(tmp_path: Path) -> None:
    with (
        serving(lambda _: iter([reply("302 Found", Location="/weiter")])) as server,
        pytest.raises(InvalidInputError) as refused,
    ):
        fetch(server, tmp_path)
    assert (refused.value.reason, refused.value.parameters) == ("address-leads-on", {"most": 5})
    assert len(server.requests) == 6


def test_a_name_that_turns_private_between_two_hops_is_refused(tmp_path: Path) -> None:
    with (
        serving(lambda _: iter([reply("302 Found", Location="/neu")])) as server,
        pytest.raises(InvalidInputError, match="public internet"),
    ):
        fetch(server, tmp_path, network=network(server, LOOPBACK, "10.0.0.1"))
    assert len(server.requests) == 1


def test_the_address_that_was_checked_is_connected_to(tmp_path: Path) -> None:
    asked = count()
    with serving(lambda _: iter([reply(body=b"x")])) as server:
        inner = network(server)
        outer = Network(
            resolve=lambda *_: [LOOPBACK if next(asked) == 0 else "10.0.0.1"],
            allows=inner.allows,
            clock=inner.clock,
        )
        assert fetch(server, tmp_path, network=outer).path.read_bytes() == b"x"
    # Asked once, and never again.
    assert next(asked) == 1


def test_one_private_address_among_public_ones_is_refused(tmp_path: Path) -> None:
    with serving(lambda _: iter([reply(body=b"x")])) as server:
        inner = network(server)
        outer = Network(
            resolve=lambda *_: [LOOPBACK, "192.168.1.1"], allows=inner.allows, clock=inner.clock
        )
        with pytest.raises(InvalidInputError):
            fetch(server, tmp_path, network=outer)
    assert server.requests == []


def test_a_body_without_end_is_cut_off(tmp_path: Path) -> None:
    def answer(_: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * 65536

    with serving(answer) as server, pytest.raises(InvalidInputError) as refused:
        fetch(server, tmp_path, limits=FetchLimits(bytes=1_000_000))
    assert (refused.value.reason, refused.value.parameters) == (
        "page-too-large",
        {"most": 1_000_000},
    )


@pytest.mark.parametrize(
    "begin",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Drip: "],
    ids=["body", "headers"],
)
def test_a_server_that_drips_has_no_more_time_than_others(tmp_path: Path, begin: bytes) -> None:
    def answer(_: bytes) -> Iterator[bytes]:
        yield begin
        while True:
            yield b"x"

    # Each look at the clock takes a second of sixty.
    ticks = count()
    with serving(answer) as server, pytest.raises(UnavailableError):
        fetch(server, tmp_path, network=network(server, clock=lambda: float(next(ticks))))


def test_a_bomb_in_the_transfer_is_cut_off(tmp_path: Path) -> None:
    body = gzip.compress(bytes(50_000_000))
    with (
        serving(lambda _: iter([reply(body=body, Content_Encoding="gzip")])) as server,
        pytest.raises(InvalidInputError) as refused,
    ):
        fetch(server, tmp_path, limits=FetchLimits(bytes=1_000_000))
    assert (refused.value.reason, refused.value.parameters) == (
        "page-too-large",
        {"most": 1_000_000},
    )
    assert (tmp_path / "fetched").stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"Text")), ("identity", b"Text")],
    ids=["gzip", "identity"],
)
def test_compressed_content_is_unpacked(tmp_path: Path, encoding: str, body: bytes) -> None:
    with serving(lambda _: iter([reply(body=body, Content_Encoding=encoding)])) as server:
        assert fetch(server, tmp_path).path.read_bytes() == b"Text"


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip"])
def test_other_compression_is_refused(tmp_path: Path, encoding: str) -> None:
    with (
        serving(lambda _: iter([reply(body=b"broken", Content_Encoding=encoding)])) as server,
        pytest.raises(InvalidInputError),
    ):
        fetch(server, tmp_path)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", InvalidInputError),
        ("401 No", InvalidInputError),
        ("503 Later", UnavailableError),
    ],
)
def test_a_server_that_gives_nothing_is_named(
    tmp_path: Path, status: str, error: type[Exception]
) -> None:
    with serving(lambda _: iter([reply(status)])) as server, pytest.raises(error, match=status[:3]):
        fetch(server, tmp_path)


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"],
    ids=["silence", "nonsense", "half"],
)
def test_a_broken_answer_may_be_asked_for_again(tmp_path: Path, answer: bytes) -> None:
    with serving(lambda _: iter([answer])) as server, pytest.raises(UnavailableError):
        fetch(server, tmp_path)


def test_a_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    with (
        serving(lambda _: iter([b"\x15\x03\x01\x00\x02\x02\x28"])) as server,
        pytest.raises(UnavailableError),
    ):
        fetch(server, tmp_path, url="https://docs.example{port}/")
    assert server.requests[0].startswith(b"\x16\x03")
    assert b"docs.example" in server.requests[0]  # as the name that the certificate has to be for


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path, "docs.example"))
    with (
        socket.create_server((LOOPBACK, 0)) as listening,
        context.wrap_socket(listening, server_side=True) as secured,
    ):
        port = secured.getsockname()[1]
        thread = Thread(target=lambda: suppress_errors(secured.accept))
        thread.start()
        network = Network(resolve=lambda *_: [LOOPBACK], allows=lambda *_: True)
        with pytest.raises(UnavailableError) as caught:
            fetch_url(f"https://docs.example:{port}/", folder=tmp_path, network=network)
        thread.join()
    assert "certificate verify failed" in str(caught.value.__cause__)


def test_a_server_that_is_silent_too_long_may_be_asked_again(tmp_path: Path) -> None:
    def answer(_: bytes) -> Iterator[bytes]:
        is_over.wait(60)
        yield b""

    is_over = Event()
    with serving(answer) as server:
        with pytest.raises(UnavailableError) as caught:
            fetch(server, tmp_path, limits=FetchLimits(silence_seconds=0.2))
        is_over.set()
    assert caught.value.field == "url"


def test_a_port_that_nobody_listens_on_may_be_asked_again(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(UnavailableError) as caught:
        fetch_url(
            f"http://docs.example:{port}/",
            folder=tmp_path,
            network=Network(resolve=lambda *_: [LOOPBACK], allows=lambda *_: True),
        )
    assert (caught.value.status, caught.value.field) == (503, "url")


@pytest.mark.parametrize(
    "host", ["nowhere.invalid", "a" * 64 + ".example"], ids=["unknown", "malformed"]
)
def test_a_host_that_no_resolver_knows_is_named(tmp_path: Path, host: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        fetch_url(f"http://{host}/a.pdf", folder=tmp_path)
    assert (caught.value.field, caught.value.value) == ("url", host)


def test_a_name_that_leads_inside_is_refused_by_the_system_s_own_resolver(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="public internet") as caught:
        fetch_url("http://localhost/a.pdf", folder=tmp_path)
    assert (caught.value.status, caught.value.field, caught.value.value) == (
        422,
        "url",
        "localhost",
    )


def test_proxies_of_the_environment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(lambda _: iter([reply(body=b"x")])) as server:
        assert fetch(server, tmp_path).path.read_bytes() == b"x"


def test_certificates_are_checked_by_default() -> None:
    assert Network().certificates.verify_mode == ssl.CERT_REQUIRED
    assert Network().certificates.check_hostname
