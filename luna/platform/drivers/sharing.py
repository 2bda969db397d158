"""One connection per device, whoever asks: the first process that needs one holds the connections of all that share a data folder.

It holds a lock, which the system releases however that process ends, and listens at a socket beside it. A client names the device in a line, and from then
on has a Modbus TCP connection of its own, as it seems: its requests take turns with those of the others, and it is hung up on when the device is lost, so that
it notices a reboot. When the holder ends, whoever asks next holds them. Source: MODBUS Messaging on TCP/IP Implementation Guide 1.0b; docs/decisions/0098.
"""

import asyncio
import fcntl
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from luna.platform.drivers import DEVICES_FOLDER
from luna.platform.private_folders import make_private

LOCK_FILE, SOCKET_FILE = "lock", "socket"
# How long another process may take from its lock to its socket.
START_SECONDS = 2.0
PAUSE_SECONDS = 0.01
# What a request waits for those of others before its own patience begins.
TURN_SECONDS = 10.0
READS = frozenset({1, 2, 3, 4})
WRITES = frozenset({5, 6, 15, 16})
ILLEGAL_FUNCTION, GATEWAY_SILENT = 0x01, 0x0B
# Transaction, protocol, length of what follows, then the unit.
_HEAD = struct.Struct(">HHH")
_LONGEST = 254


class DeviceAddress(NamedTuple):
    """Where a device is, and how it is spoken to there."""

    host: str
    port: int
    is_serial: bool = False
    patience_s: float = 2.0


class ModbusFrame(NamedTuple):
    """A request or an answer: unit, function and data, under its transaction."""

    transaction: int
    body: bytes

    def pack(self) -> bytes:
        """Return it as Modbus TCP."""
        return _HEAD.pack(self.transaction, 0, len(self.body)) + self.body

    def refused(self, code: int) -> "ModbusFrame":
        """Return the exception that answers it."""
        return ModbusFrame(self.transaction, bytes((self.body[0], self.body[1] | 0x80, code)))


async def read_frame(reader: asyncio.StreamReader) -> ModbusFrame:
    """Return the next frame of Modbus TCP.

    Raises:
        EOFError: the other side hung up.
        ValueError: it is none.
    """
    transaction, protocol, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if protocol or not 2 <= length <= _LONGEST:
        raise ValueError("no Modbus TCP")
    return ModbusFrame(transaction, await reader.readexactly(length))


def connect_shared(data_folder: Path, device: DeviceAddress) -> socket.socket | None:
    """Return a connection to whoever holds the device's, which is this process if nobody does; None: nothing can be shared in this data folder."""
    deadline = time.monotonic() + START_SECONDS
    with _open_devices_folder(data_folder) as path:
        while path is not None and time.monotonic() < deadline:
            with suppress(OSError):
                return _connect(path / SOCKET_FILE, device)
            try:
                _hold(path)
            except BlockingIOError:
                time.sleep(PAUSE_SECONDS)
            except OSError:
                return None
    return None


@contextmanager
def _open_devices_folder(data_folder: Path) -> Iterator[Path | None]:
    # The name of a socket has 108 bytes; a folder's may be longer.
    folder = data_folder / DEVICES_FOLDER
    try:
        if data_folder.is_dir():
            make_private(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield None
        return
    try:
        short = Path(f"/proc/self/fd/{descriptor}")
        yield short if short.exists() else folder
    finally:
        os.close(descriptor)


def _connect(path: Path, device: DeviceAddress) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
        connection.sendall(json.dumps(device).encode() + b"\n")
    except OSError:
        connection.close()
        raise
    return connection


def _hold(folder: Path) -> None:
    """Hold the connections from now until this process ends.

    Raises:
        BlockingIOError: another one does.
        OSError: the folder takes no lock or socket.
    """
    lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    listener = socket.socket(socket.AF_UNIX)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path = folder / SOCKET_FILE
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen()
    except OSError:
        listener.close()
        os.close(lock)
        raise
    # A thread that nobody joins: what it holds the system takes back.
    threading.Thread(target=lambda: asyncio.run(ConnectionHolder().serve(listener)), name="device connections", daemon=True).start()


class ConnectionHolder:
    """The process's part that holds connections, by address."""

    def __init__(self) -> None:
        self._connections: dict[tuple[str, int], DeviceConnection] = {}

    async def serve(self, listener: socket.socket) -> None:
        """Serve clients until cancelled."""
        async with await asyncio.start_unix_server(self._serve_client, sock=listener) as server:
            await server.serve_forever()

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whatever is wrong with a client, or with its device, ends this client's connection and no other's.
        with suppress(OSError, EOFError, ValueError, TypeError), closing(writer):
            device = DeviceAddress(*json.loads(await reader.readline()))
            [(*_, (host, port, *_)), *_] = await asyncio.get_running_loop().getaddrinfo(device.host, device.port, type=socket.SOCK_STREAM)
            # By its address: a site may name it differently in two places.
            address = (str(host), int(port))
            connection = self._connections.setdefault(address, DeviceConnection(device._replace(host=address[0])))
            connection.clients.add(writer)
            try:
                while True:
                    frame = await read_frame(reader)
                    writer.write(frame._replace(body=await connection.ask(frame.body)).pack())
                    await writer.drain()
            finally:
                connection.clients.discard(writer)
                if not connection.clients:
                    connection.lose()
                    self._connections.pop(address, None)


class DeviceConnection:
    """The connection to a device: opened at the first request, and at the next one after it was lost. Requests take turns."""

    def __init__(self, device: DeviceAddress) -> None:
        self.clients: set[asyncio.StreamWriter] = set()
        self._device = device
        self._turn = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._transaction = self._losses = 0
        # Reads that wait for their answer: who asks the same meanwhile gets it as well.
        self._reads: dict[bytes, asyncio.Task[bytes]] = {}

    async def ask(self, body: bytes) -> bytes:
        """Return what the device answers, also where it refuses.

        Raises:
            OSError: it cannot be reached, hung up, or does not answer in time; then it is lost to all of its clients.
        """
        function = body[1]
        if self._device.is_serial and function not in READS | WRITES:
            return bytes((body[0], function | 0x80, ILLEGAL_FUNCTION))
        if function not in READS:
            # What is read from now on is read after this.
            self._reads.clear()
            return await self._take_turn(body)
        if (reading := self._reads.get(body)) is None:
            reading = self._reads[body] = asyncio.create_task(self._take_turn(body))
            reading.add_done_callback(lambda done: self._reads.pop(body) if self._reads.get(body) is done else None)
        return await asyncio.shield(reading)

    def lose(self) -> None:
        """Hang up: on the device, and on everybody who asks it."""
        self._losses += 1
        if self._listening is not None:
            self._listening.cancel()
        if self._writer is not None:
            self._writer.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())
        self._writer = self._listening = None
        for client in self.clients:
            client.close()

    async def _take_turn(self, body: bytes) -> bytes:
        losses = self._losses
        async with self._turn:
            # Its client was hung up on meanwhile, and asks again.
            if losses != self._losses:
                raise ConnectionResetError
            try:
                async with asyncio.timeout(self._device.patience_s):
                    return await self._exchange(body)
            except OSError:
                if losses == self._losses:
                    self.lose()
                raise

    async def _exchange(self, body: bytes) -> bytes:
        if self._writer is None:
            reader, self._writer = await asyncio.open_connection(self._device.host, self._device.port)
            self._listening = asyncio.create_task(self._listen(reader))
        writer = self._writer
        self._answer = asyncio.get_running_loop().create_future()
        self._transaction = (self._transaction + 1) % 0x10000
        writer.write(body + checksum(body) if self._device.is_serial else ModbusFrame(self._transaction, body).pack())
        await writer.drain()
        return await self._answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, EOFError, ValueError):
            while True:
                transaction, body = (None, await _read_serial(reader)) if self._device.is_serial else await read_frame(reader)
                if self._answer is None or self._answer.done() or transaction not in {None, self._transaction}:
                    raise ValueError("nobody asked")
                self._answer.set_result(body)
        self.lose()


async def _read_serial(reader: asyncio.StreamReader) -> bytes:
    """Return the next answer of a serial line, without its checksum.

    Raises:
        EOFError: the other side hung up.
        ValueError: it is none.
    """
    head = await reader.readexactly(3)
    rest = 0 if head[1] & 0x80 else head[2] if head[1] in READS else 3
    body = head + await reader.readexactly(rest)
    if await reader.readexactly(2) != checksum(body):
        raise ValueError("broken on the way")
    return body


def checksum(body: bytes) -> bytes:
    """Return what follows a frame on a serial line. Source: MODBUS over Serial Line 1.02, 6.2.2."""
    rest = 0xFFFF
    for byte in body:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0xA001 if rest & 1 else 0)
    return rest.to_bytes(2, "little")
