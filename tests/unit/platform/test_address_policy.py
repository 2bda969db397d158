"""One policy says which addresses are connected to, for every purpose and in whatever form an
address is written.
"""

import re
import socket
import tokenize
from collections.abc import Iterator
from io import StringIO
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx
import pytest

from luna.drivers.networks import require_home_network
from luna.energy.errors import InvalidInputError
from luna.platform.address_policy import (
    BROKER,
    DATA_SERVICE,
    DEVICE,
    DEVICE_SEARCH,
    DOCUMENT,
    HOME_ASSISTANT,
    NOTIFICATION,
    PURPOSES,
    AddressKind,
    AddressRefusedError,
    OutgoingPurpose,
    classify_address,
    is_home_network,
    may_reach,
    open_connection,
    reachable_addresses,
    require_host,
    require_url_host,
)
from luna.platform.addresses import parse_broker
from luna.platform.checked_transport import CheckedTransport
from services.notifier.connection_guard import reaching_only
from tests.support.suite.tables import each_row

NEVER = """
    0.0.0.0 0.1.2.3 100.100.100.200 168.63.129.16 169.254.0.1 169.254.169.254 192.0.0.192 192.0.2.1
    192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255 :: ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254
    ::ffff:192.168.1.20 ::ffff:8.8.8.8 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 100::1
    2001::1 2001:db8::1 2002:a9fe:a9fe::1 3fff::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%eth0
    febf::1 fec0::1 ff02::1 5f00::1
"""
LOOPBACK = "127.0.0.1 127.9.9.9 ::1"
HOME = "10.1.2.3 172.16.0.1 172.31.255.254 192.168.178.20 fc00::1 fd12:3456::1"
SHARED = "100.64.0.1 100.127.255.255"
PUBLIC = "8.8.8.8 100.128.0.1 172.32.0.1 192.169.0.1 2a00:1450::1 2606:4700::1111"


@each_row("address", NEVER.split())
def test_no_purpose_reaches_these_addresses(address: str) -> None:
    assert classify_address(ip_address(address)) is None
    assert not any(may_reach(purpose, address) for purpose in PURPOSES)


@pytest.mark.parametrize(
    ("addresses", "kind", "reached_for"),
    [
        (
            LOOPBACK,
            AddressKind.LOOPBACK,
            {"device_search", "device", "home_assistant", "broker", "notification"},
        ),
        (
            HOME,
            AddressKind.HOME,
            {"device_search", "device", "home_assistant", "broker", "notification"},
        ),
        (SHARED, AddressKind.SHARED, {"device", "home_assistant", "broker", "notification"}),
        (
            PUBLIC,
            AddressKind.PUBLIC,
            {"home_assistant", "broker", "notification", "data_service", "document"},
        ),
    ],
    ids=["loopback", "home", "shared", "public"],
)
def test_each_purpose_reaches_what_it_needs(
    addresses: str, kind: AddressKind, reached_for: set[str]
) -> None:
    of_owners = (
        DEVICE_SEARCH,
        DEVICE,
        HOME_ASSISTANT,
        BROKER,
        NOTIFICATION,
        DATA_SERVICE,
        DOCUMENT,
    )
    for address in addresses.split():
        assert classify_address(ip_address(address)) is kind
        assert {purpose.name for purpose in of_owners if may_reach(purpose, address)} == reached_for


ODD = """
    2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 0xa9.0xfe.0xa9.0xfe 169.254.169.254.
    127.1 2130706433 [fe80::1%25eth0] ::ffff:169.254.169.254 ::169.254.169.254 169.254.169.254
    [::ffff:a9fe:a9fe] [fd00:ec2:0:0::254] ００.0.0.0 0 0x0 255.255.255.255 ff02::1
"""


@each_row("host", ODD.split())
def test_a_written_address_is_refused_in_any_form(host: str) -> None:
    for purpose in PURPOSES:
        with pytest.raises(InvalidInputError) as caught:
            require_host(purpose, host, field="host")
        assert caught.value.reason in {"host-refused", "host-unreadable"}


@each_row(
    "host",
    [
        "homeassistant.local",
        "broker",
        "192.168.1.20",
        "[fd12::1]",
        "münchen.example",
        "cafe",
        "0xcafe.example",
    ],
)
def test_usual_hosts_are_left_to_the_resolver(host: str) -> None:
    require_host(HOME_ASSISTANT, host, field="host")


@each_row(
    "url",
    [
        "http://user@169.254.169.254/",
        "http://8.8.8.8@169.254.169.254/",
        "http://[fe80::1]/",
        "http://0xa9fea9fe:8123",
        "http://[::1",
    ],
)
def test_the_host_of_a_url_is_the_one_that_is_connected_to(url: str) -> None:
    with pytest.raises(InvalidInputError):
        require_url_host(HOME_ASSISTANT, url, field="url")


def test_a_broker_is_refused_by_its_written_address() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_broker("mqtt://luna:secret@169.254.169.254")
    assert caught.value.reason == "host-refused"
    assert "secret" not in str(caught.value)


NOT_HOME = """
    169.254.0.0/24 0.0.0.0/24 240.0.0.0/24 255.255.255.0/24 192.0.2.0/24 198.51.100.0/24
    203.0.113.0/24 198.18.0.0/24 224.0.0.0/24 100.64.0.0/24 8.8.8.0/24 fe80::/120
    ::ffff:192.168.1.0/120 fd00:ec2::/120 2001:db8::/120 64:ff9b::/120 192.168.0.0/15
    172.15.255.0/23 169.254.169.254 2852039166 0xa9fea9fe 127.1 192.168.1
"""


@each_row("network", NOT_HOME.split())
def test_only_networks_of_a_home_are_searched(network: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_home_network(network)
    assert caught.value.reason in {"network-public", "network-unreadable", "network-too-large"}


@each_row(
    "network",
    ["192.168.178.0/24", "10.0.0.0/24", "172.31.0.0/22", "127.0.0.1/32", "fd12::/120", "::1/128"],
)
def test_networks_of_a_home_are_taken(network: str) -> None:
    assert is_home_network(ip_network(network))


def test_a_name_leads_only_to_its_allowed_addresses() -> None:
    found = reachable_addresses(
        DEVICE,
        "inverter",
        502,
        resolve=lambda *_: ["fe80::1%2", "169.254.1.1", "192.168.1.20", "8.8.8.8"],
    )
    assert found == ["192.168.1.20"]
    with pytest.raises(AddressRefusedError) as caught:
        reachable_addresses(
            DATA_SERVICE, "prices", 443, resolve=lambda *_: ["192.168.1.20", "127.0.0.1"]
        )
    assert caught.value.refusal("url").reason == "host-refused"


class TurningResolver:
    """Answers with one address the first time and with others afterwards, as an attacker's name
    server does.
    """

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.questions = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.questions += 1
        return [next(self._answers)]


def test_a_name_is_resolved_once_for_check_and_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        resolver = TurningResolver("127.0.0.1", "169.254.169.254")
        open_connection(
            DEVICE, "inverter.local", listener.getsockname()[1], 2.0, resolve=resolver
        ).close()
    assert resolver.questions == 1


def test_a_request_goes_to_the_checked_address_under_the_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        transport = CheckedTransport(DEVICE, resolve=TurningResolver("127.0.0.1"))
        with (
            httpx.Client(transport=transport, timeout=0.1) as client,
            pytest.raises(httpx.ReadTimeout),
        ):
            client.get(f"http://inverter.local:{port}/api")
        connection, _ = listener.accept()
        with connection:
            request = connection.recv(4096)
    assert request.startswith(b"GET /api HTTP/1.1\r\n")
    assert f"Host: inverter.local:{port}".encode() in request


def test_a_redirect_is_checked_anew() -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://metadata.example/latest"})

    mounts = {"http://here.example": httpx.MockTransport(redirect)}
    transport = CheckedTransport(DATA_SERVICE, resolve=TurningResolver("169.254.169.254"))
    with (
        httpx.Client(transport=transport, mounts=mounts, follow_redirects=True) as client,
        pytest.raises(httpx.ConnectError, match="data_service"),
    ):
        client.get("http://here.example/")


@each_row("address", ["169.254.169.254", "255.255.255.255", "192.0.2.1", "0.1.2.3"])
def test_a_library_with_sockets_of_its_own_is_held_to_the_policy(address: str) -> None:
    # The hook refuses before anything is sent.
    with reaching_only(NOTIFICATION), pytest.raises(AddressRefusedError):
        socket.create_connection((address, 80), 0.01)


def test_the_guard_ends_with_its_block() -> None:
    nowhere = OutgoingPurpose("nowhere", frozenset())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with reaching_only(nowhere), pytest.raises(AddressRefusedError):
            socket.create_connection(listener.getsockname(), 1.0)
        socket.create_connection(listener.getsockname(), 1.0).close()


# What opens connections or judges addresses by itself, and why each file may.
OUTGOING = re.compile(
    r"\.is_(?:private|link_local|global|reserved|multicast)\b|getaddrinfo|gethostby|"
    r"create_connection\(|open_connection\(self"
    r"|urlopen|HTTPS?Connection\(|httpx\.(?:Async)?Client\(|httpx\.(?:get|post|put|request|"
    r"stream)\(|paho\.Client\(|SMTP\(|\.connect_ex\("
    r"|[^_.]\bconnect\(self\._access|asyncio\.open_connection"
)
CHECKED = re.compile(
    r"CheckedTransport\(|transport=transport|sock=link|_CheckedClient\(paho\.Client\)"
)
KNOWN = {
    "luna/platform/address_policy.py": "the policy itself",
    "luna/platform/mqtt.py": "paho's connection, opened by the policy",
    "luna/drivers/http_points.py": "its transport is checked, as is a test's",
    "luna/drivers/sharing.py": "an address that the policy resolved",
    "luna/drivers/device_search.py": "addresses of a network that the policy allowed",
    "luna/drivers/telegram_server.py": "a simulated meter sends to this machine",
    "luna/drivers/trial.py": "compares two names, connects to neither",
    "luna/house/desk/desk.py": "the command line to its own gateway",
    "luna/platform/health/probes.py": "servers of this installation",
    "services/api/identity/source.py": "addresses of proxies in front of the gateway",
    "services/api/pages/setup/home_assistant.py": "a connection that the policy opened",
    "services/rag/embedding/__init__.py": "a server of this installation",
    "services/rag/retrieval/search.py": "a server of this installation",
    "services/rag/language.py": "a server of this installation",
    "services/ingest/tasks.py": "the log server of this installation",
}


def test_everything_that_opens_connections_goes_through_the_policy() -> None:
    strangers = []
    for root in ("luna", "services"):
        for path in Path(root).rglob("*.py"):
            text = path.read_text("utf-8")
            if not OUTGOING.search(text) or path.as_posix() in KNOWN:
                continue
            strangers += [
                (path.as_posix(), statement)
                for statement in list_statements(text)
                if OUTGOING.search(statement) and not CHECKED.search(statement)
            ]
    assert strangers == []


def list_statements(text: str) -> Iterator[str]:
    lines = text.splitlines()
    first = 0
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            yield "\n".join(lines[first : token.start[0]])
            first = token.start[0]
