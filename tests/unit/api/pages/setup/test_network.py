"""Home Assistants on the network, as multicast DNS says them; and whatever else answers."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.pages.setup.network import (
    SERVICE,
    HomeAssistantServer,
    find_home_assistants,
    read_servers,
    write_question,
)

# Where the service's name begins in an answer: after the header.
_POINTER = b"\xc0\x0c"


def name_of(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, 120, len(data)) + data


def answer(*texts: str, port: int = 8123) -> bytes:
    """An answer as Home Assistant's own: PTR first, then SRV, TXT and A beside it, names
    compressed.
    """
    instance = b"\x04Home" + _POINTER
    said = b"".join(bytes([len(text.encode())]) + text.encode() for text in texts)
    records = [
        record(name_of(SERVICE), 12, instance),
        record(instance, 33, struct.pack("!3H", 0, 0, port) + name_of("ha.local")),
        record(instance, 16, said),
        record(name_of("ha.local"), 1, socket.inet_aton("192.168.1.10")),
    ]
    return struct.pack("!6H", 0, 0x8400, 0, 1, 0, 3) + b"".join(records)


@contextmanager
def responder(*packets: bytes) -> Iterator[tuple[str, int]]:
    """What answers a question on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        link.settimeout(20)

        def respond() -> None:
            with suppress(OSError):
                question, asker = link.recvfrom(9000)
                assert question == write_question()
                for packet in packets:
                    link.sendto(packet, asker)

        thread = threading.Thread(target=respond)
        thread.start()
        yield link.getsockname()
        thread.join()


def test_a_home_assistant_is_found_by_what_it_says_of_itself_among_what_is_none() -> None:
    with responder(
        b"no message",
        answer(
            "location_name=Zuhause", "internal_url=http://ha.local:8123/", "base_url=http://other:1"
        ),
    ) as address:
        assert find_home_assistants(address, seconds=20) == (
            HomeAssistantServer("Zuhause", "http://ha.local:8123"),
        )


def test_where_nobody_answers_nothing_is_found_in_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert find_home_assistants(nobody.getsockname(), seconds=0.05) == ()


@pytest.mark.parametrize(
    ("texts", "url"),
    [
        ((), "http://192.168.1.10:8123"),
        (("internal_url=", "base_url=https://ha.example"), "https://ha.example"),
    ],
    ids=["by its record of address and port", "by the address it had before"],
)
def test_an_address_is_made_of_what_is_said(texts: tuple[str, ...], url: str) -> None:
    assert read_servers(answer(*texts)) == [HomeAssistantServer("Home", url)]


@given(
    st.binary(max_size=300)
    | st.tuples(st.integers(12, 150), st.binary(max_size=20)).map(
        lambda cut: answer("a=b")[: cut[0]] + cut[1]
    )
)
def test_whatever_comes_is_an_answer_or_refused(packet: bytes) -> None:
    with suppress(ValueError):
        assert all(server.url.startswith("http") for server in read_servers(packet))
