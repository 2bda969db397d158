"""HTTP load generator over persistent connections: closed loop (``drive``), or open loop at a
constant arrival rate (``arrive``).

The client is light enough that the server is the bottleneck.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import numpy as np
import numpy.typing as npt

from luna.energy.timeline import FloatArray

CONNECTIONS = 16
# Requests beyond these wait in the client; that wait counts.
MOST_CONNECTIONS = 400
# Longer than the gateway waits for a plan.
PATIENCE_SECONDS = 45.0
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Load:
    """The throughput and latency of a closed loop."""

    requests_per_s: float
    p50_ms: float
    p95_ms: float
    bytes_per_answer: float


def drive(
    port: int,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    status: int = 200,
    seconds: float = 2.0,
    connections: int = CONNECTIONS,
) -> Load:
    """Request ``path`` repeatedly on each connection.

    Raises:
        RuntimeError: an answer was not of ``status``.
    """
    named = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{named}\r\n".encode()
    return asyncio.run(
        _drive(
            port, request, f"http/1.1 {status}".encode(), seconds=seconds, connections=connections
        )
    )


async def _drive(
    port: int, request: bytes, expected: bytes, *, seconds: float, connections: int
) -> Load:
    began = time.perf_counter()
    found = await asyncio.gather(
        *(
            _ask_again_and_again(port, request, expected, end=began + seconds)
            for _ in range(connections)
        )
    )
    lasted = time.perf_counter() - began
    milliseconds = np.concatenate([times for times, _ in found]) * 1000
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return Load(
        milliseconds.size / lasted,
        float(p50),
        float(p95),
        sum(size for _, size in found) / milliseconds.size,
    )


async def _ask_again_and_again(
    port: int, request: bytes, expected: bytes, *, end: float
) -> tuple[list[float], int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    times: list[float] = []
    received = 0
    try:
        while (began := time.perf_counter()) < end:
            writer.write(request)
            received += await _read_answer(reader, expected)
            times.append(time.perf_counter() - began)
    finally:
        writer.close()
    return times, received


async def _read_answer(reader: asyncio.StreamReader, expected: bytes) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(expected):
        raise RuntimeError(f"the server answered {head.splitlines()[0].decode()}")
    length = _length(head)
    await reader.readexactly(length)
    return length


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The results of requests due at a constant rate, in order, each array of shape
    ``(requests,)``.

    ``due_s`` counts from the first request; ``waited_ms`` from when a request was due to the end of
    its response, so that queueing counts in full. ``statuses`` holds ``NO_ANSWER`` without a
    response; ``says_when`` is whether it had ``Retry-After``. ``seconds`` is the time from the
    first request to the end of the last response.
    """

    due_s: FloatArray
    waited_ms: FloatArray
    statuses: npt.NDArray[np.int64]
    says_when: npt.NDArray[np.bool_]
    seconds: float

    @property
    def served(self) -> npt.NDArray[np.bool_]:
        """Whether each request succeeded (2xx or 3xx)."""
        return (self.statuses >= HTTPStatus.OK) & (self.statuses < HTTPStatus.BAD_REQUEST)


def arrive(
    port: int,
    request: Callable[[int], bytes],
    *,
    rate: float,
    seconds: float,
    connections: int = MOST_CONNECTIONS,
) -> Arrivals:
    """Send a request every ``1 / rate`` seconds regardless of earlier ones, and wait for all
    responses.

    Source: G. Tene, "How not to measure latency", 2015 (coordinated omission): a client that waits
    for a response before the next request omits the waits of requests that would have come
    meanwhile.

    Args:
        port: of the server on this machine.
        request: returns the bytes of a request by its number, from 0 on.
        rate: requests per second.
        seconds: duration of the arrivals.
        connections: open at the same time, at most.
    """
    return asyncio.run(
        _arrive(
            _Door(port, connections), request, rate=rate, count=max(math.ceil(rate * seconds), 1)
        )
    )


async def _arrive(
    door: "_Door", request: Callable[[int], bytes], *, rate: float, count: int
) -> Arrivals:
    began = time.perf_counter()
    asked = []
    for number in range(count):
        due = began + number / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        asked.append(asyncio.create_task(door.ask(request(number), due)))
    answers = await asyncio.gather(*asked)
    lasted = time.perf_counter() - began
    door.close()
    waited, statuses, says_when = zip(*answers, strict=True)
    return Arrivals(
        np.arange(count) / rate, np.array(waited), np.array(statuses), np.array(says_when), lasted
    )


class _Door:
    """A connection pool: reuses a free connection, else opens one; at the limit requests wait."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._places = asyncio.Semaphore(connections)
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes, due: float) -> tuple[float, int, bool]:
        """Return milliseconds since ``due``, status, and whether the response has
        ``Retry-After``.
        """
        async with self._places:
            try:
                status, says_when = await asyncio.wait_for(self._ask(request), PATIENCE_SECONDS)
            except (OSError, EOFError, TimeoutError):
                status = NO_ANSWER
                says_when = False
        return (time.perf_counter() - due) * 1000, status, says_when

    async def _ask(self, request: bytes) -> tuple[int, bool]:
        while True:
            is_new = not self._free
            reader, writer = (
                await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
                if is_new
                else self._free.pop()
            )
            try:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(_length(head))
            except (OSError, EOFError):
                writer.close()
                # The server may have closed an idle connection: try the next one.
                if is_new:
                    raise
                continue
            except BaseException:
                writer.close()
                raise
            if b"connection: close" in head:
                writer.close()
            else:
                self._free.append((reader, writer))
            return int(head[9:12]), b"retry-after:" in head

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


def _length(head: bytes) -> int:
    return int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
