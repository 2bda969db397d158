"""Hostile clients beside one that is not: it is answered in time, and the gateway's memory is
bounded.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from luna.platform.memory import resident_bytes
from tests.support.gateway.server import OWNER, OWNER_TOKEN
from tests.support.worker.processes import Process, free_port, luna_process
from tests.support.worker.workers import wait_for

# Far above what an answer takes, also on a busy machine.
ANSWER_SECONDS = 5.0
ATTACK_SECONDS = 3.0
MOST_GROWTH_BYTES = 150_000_000
MIB = 1 << 20
IDLE = 300
GREETING = b"GET /v1/sites HTTP/1.1\r\nHost: luna\r\n"
POSTING = b"POST /v1/plans HTTP/1.1\r\nHost: luna\r\nContent-Type: application/json\r\n"

Attack = Callable[[socket.socket, threading.Event], None]


def send_slow_headers(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(GREETING)
    while not ending.wait(0.1):
        connection.sendall(b"X-More: a\r\n")


def send_endless_header(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(GREETING + b"X-Long: ")
    while not ending.is_set():
        connection.sendall(b"a" * MIB)


def send_slow_body(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(POSTING + b"Content-Length: 100000\r\n\r\n{")
    while not ending.wait(0.1):
        connection.sendall(b" ")


def send_endless_chunks(connection: socket.socket, ending: threading.Event) -> None:
    connection.sendall(POSTING + b"Transfer-Encoding: chunked\r\n\r\n")
    while not ending.is_set():
        connection.sendall(b"%x\r\n" % MIB + b" " * MIB + b"\r\n")


def send_endless_owner_s_chunks(connection: socket.socket, ending: threading.Event) -> None:
    token = f"Authorization: Bearer {OWNER_TOKEN}\r\n".encode()
    connection.sendall(POSTING + token + b"Transfer-Encoding: chunked\r\n\r\n")
    while not ending.is_set():
        connection.sendall(b"%x\r\n" % MIB + b" " * MIB + b"\r\n")


def read_nothing(connection: socket.socket, ending: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while not ending.is_set():
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: luna\r\n\r\n")


ATTACKS: tuple[tuple[Attack, int], ...] = (
    (send_slow_headers, 20),
    (send_endless_header, 4),
    (send_slow_body, 20),
    (send_endless_chunks, 4),
    (send_endless_owner_s_chunks, 4),
    (read_nothing, 4),
)


@contextmanager
def attacked(port: int) -> Iterator[None]:
    """Have every attack go on, and many connections say nothing, while the block runs."""
    ending = threading.Event()
    threads = [
        threading.Thread(target=attack_again, args=(attack, port, ending))
        for attack, count in ATTACKS
        for _ in range(count)
    ]
    with ExitStack() as idle:
        for _ in range(IDLE):
            idle.enter_context(socket.create_connection(("127.0.0.1", port)))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in threads:
                thread.join()


def attack_again(attack: Attack, port: int, ending: threading.Event) -> None:
    """Attack, and again where the gateway has hung up."""
    while not ending.wait(0.05):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as own:
            attack(own, ending)


@pytest.fixture
def gateway(
    database_url: str, redis_url: str, tmp_path: Path
) -> Iterator[tuple[Process, int, httpx.Client]]:
    """A gateway in a process of its own, with its port and the owner's client."""
    port = free_port()
    own = {"database_url": database_url, "redis_url": redis_url, "data_folder": str(tmp_path)}
    own |= {"api_port": str(port), "owner_token": OWNER_TOKEN, "requests_per_minute": "1000000"}
    with (
        luna_process("services.api", **own) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=OWNER, timeout=60) as client,
    ):
        wait_for(lambda: is_live(client))
        yield process, port, client


def is_live(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/health/live").is_success
    return False


def test_who_asks_properly_is_answered_in_time_beside_hostile_clients(
    gateway: tuple[Process, int, httpx.Client],
) -> None:
    process, port, client = gateway
    client.get("/openapi.json").raise_for_status()
    before = resident_bytes(process.pid)
    seconds = []
    statuses = set()
    most_bytes = 0
    with attacked(port):
        until = time.monotonic() + ATTACK_SECONDS
        while time.monotonic() < until or len(seconds) < 5:
            begun = time.monotonic()
            statuses.add(client.get("/v1/sites").status_code)
            seconds.append(time.monotonic() - begun)
            most_bytes = max(most_bytes, resident_bytes(process.pid))
    assert statuses == {200}
    assert max(seconds) < ANSWER_SECONDS
    assert most_bytes - before < MOST_GROWTH_BYTES
    assert process.poll() is None
