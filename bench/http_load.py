"""Requests as fast as a server answers them, over connections that stay open; a client light enough that the server is what is measured."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Load:
    """What a server bore."""

    requests_per_s: float
    p50_ms: float
    p95_ms: float
    bytes_per_answer: float


def drive(port: int, path: str, headers: Mapping[str, str] | None = None, *, status: int = 200, seconds: float = 2.0, connections: int = CONNECTIONS) -> Load:
    """Ask for ``path`` again and again on each connection.

    Raises:
        RuntimeError: an answer was not of ``status``.
    """
    named = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{named}\r\n".encode()
    return asyncio.run(_drive(port, request, f"http/1.1 {status}".encode(), seconds=seconds, connections=connections))


async def _drive(port: int, request: bytes, expected: bytes, *, seconds: float, connections: int) -> Load:
    began = time.perf_counter()
    found = await asyncio.gather(*(_ask_again_and_again(port, request, expected, end=began + seconds) for _ in range(connections)))
    lasted = time.perf_counter() - began
    milliseconds = np.concatenate([times for times, _ in found]) * 1000
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return Load(milliseconds.size / lasted, float(p50), float(p95), sum(size for _, size in found) / milliseconds.size)


async def _ask_again_and_again(port: int, request: bytes, expected: bytes, *, end: float) -> tuple[list[float], int]:
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
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    return length
