"""Share one Modbus connection per device among all processes of a data folder.

The first process that needs one takes a file lock, which the operating system releases however the
process ends, and listens at a Unix socket. A client sends the device's address as a line of JSON
and then speaks Modbus TCP. Requests of all clients are serialised. When a device's connection is
lost its clients are disconnected, so that they notice a reboot. When the holder ends, the next
client takes the lock.
Source: MODBUS Messaging on TCP/IP Implementation Guide 1.0b; docs/decisions/0098.
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
from functools import partial
from pathlib import Path
from typing import NamedTuple

from luna.drivers import DEVICES_FOLDER
from luna.platform.address_policy import DEVICE, reachable_addresses
from luna.platform.private_folders import make_private

LOCK_FILE = "lock"
SOCKET_FILE = "socket"
# Longest time between another process's lock and its socket.
START_SECONDS = 2.0
PAUSE_SECONDS = 0.01
# Longest wait for the requests of other clients, before the request's own timeout begins.
TURN_SECONDS = 10.0
READS = frozenset({1, 2, 3, 4})
WRITES = frozenset({5, 6, 15, 16})
ILLEGAL_FUNCTION = 0x01
GATEWAY_SILENT = 0x0B
# Header: transaction, protocol, length of the rest.
_HEAD = struct.Struct(">HHH")
_LONGEST = 254


class DeviceAddress(NamedTuple):
    """Address and framing of a device; ``patience_s`` is the timeout of one request."""

    host: str
    port: int
    is_serial: bool = False
    patience_s: float = 2.0


class ModbusFrame(NamedTuple):
    """A request or a response: transaction, and unit, function and data as its body."""

    transaction: int
    body: bytes

    def pack(self) -> bytes:
        """Return the frame as Modbus TCP."""
        return _HEAD.pack(self.transaction, 0, len(self.body)) + self.body

    def refused(self, code: int) -> "ModbusFrame":
        """Return the exception response to this request."""
        return ModbusFrame(self.transaction, bytes((self.body[0], self.body[1] | 0x80, code)))


async def read_frame(reader: asyncio.StreamReader) -> ModbusFrame:
    """Read the next frame of Modbus TCP.

    Raises:
        EOFError: the peer closed the connection.
        ValueError: it is no Modbus TCP.
    """
    transaction, protocol, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if protocol or not 2 <= length <= _LONGEST:
        raise ValueError("no Modbus TCP")
    return ModbusFrame(transaction, await reader.readexactly(length))


def connect_shared(data_folder: Path, device: DeviceAddress) -> socket.socket | None:
    """Return a connection to the process that holds the device's, perhaps this one.

    None: the data folder allows no lock or socket.
    """
    deadline = time.monotonic() + START_SECONDS
    with open_devices_folder(data_folder) as path:
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
def open_devices_folder(data_folder: Path) -> Iterator[Path | None]:
    """Yield a short path to the folder of devices for sockets, None where there can be none."""
    # A socket's path is limited to 108 bytes, a folder's is not.
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
    """Become the holder of the connections until this process ends.

    Raises:
        BlockingIOError: another process is the holder.
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

    def serve() -> None:
        asyncio.run(ConnectionHolder().serve(listener))

    # Never joined: at the end of the process the system releases lock and sockets.
    threading.Thread(target=serve, name="device connections", daemon=True).start()


class ConnectionHolder:
    """Serves the clients of the processes, with one connection per device address."""

    def __init__(self) -> None:
        self._connections: dict[tuple[str, int], DeviceConnection] = {}

    async def serve(self, listener: socket.socket) -> None:
        """Serve clients until cancelled."""
        async with await asyncio.start_unix_server(self._serve_client, sock=listener) as server:
            await server.serve_forever()

    async def _serve_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # Any fault of a client or of its device ends this client's connection alone.
        with suppress(OSError, EOFError, ValueError, TypeError), closing(writer):
            device = DeviceAddress(*json.loads(await reader.readline()))
            hosts = await asyncio.to_thread(reachable_addresses, DEVICE, device.host, device.port)
            device = device._replace(host=hosts[0])
            # Keyed by IP address: a site may name one device in two ways.
            address = (device.host, device.port)
            connection = self._connections.setdefault(address, DeviceConnection(device))
            connection.clients.add(writer)
            try:
                while True:
                    request = await read_frame(reader)
                    response = request._replace(body=await connection.ask(request.body))
                    writer.write(response.pack())
                    await writer.drain()
            finally:
                connection.clients.discard(writer)
                if not connection.clients:
                    connection.lose()
                    self._connections.pop(address, None)


class DeviceConnection:
    """The connection to a device.

    Opens at the first request and again after a loss. Requests are serialised.
    """

    def __init__(self, device: DeviceAddress) -> None:
        self.clients: set[asyncio.StreamWriter] = set()
        self._device = device
        self._turn = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._transaction = 0
        self._losses = 0
        # Unit and function of the request in flight.
        self._asked = b"\0\0"
        # Reads in flight, by request: an equal read shares the answer.
        self._reads: dict[bytes, asyncio.Task[bytes]] = {}

    async def ask(self, body: bytes) -> bytes:
        """Return the device's response, exceptions included.

        Raises:
            OSError: the device cannot be reached, closed the connection, or timed out; all of its
                clients are then disconnected.
        """
        function = body[1]
        if self._device.is_serial and function not in READS | WRITES:
            return bytes((body[0], function | 0x80, ILLEGAL_FUNCTION))
        if function not in READS:
            # Reads after a write must not share an answer from before it.
            self._reads.clear()
            return await self._take_turn(body)
        reading = self._reads.get(body)
        if reading is None:
            reading = asyncio.create_task(self._take_turn(body))
            self._reads[body] = reading
            reading.add_done_callback(partial(self._forget_read, body))
        return await asyncio.shield(reading)

    def lose(self) -> None:
        """Close the connection to the device and those of its clients."""
        self._losses += 1
        if self._listening is not None:
            self._listening.cancel()
        if self._writer is not None:
            self._writer.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())
        self._writer = None
        self._listening = None
        for client in self.clients:
            client.close()

    async def _take_turn(self, body: bytes) -> bytes:
        losses = self._losses
        async with self._turn:
            # The loss disconnected this request's client, which will retry.
            if losses != self._losses:
                raise ConnectionResetError
            try:
                async with asyncio.timeout(self._device.patience_s):
                    return await self._exchange(body)
            except OSError:
                if losses == self._losses:
                    self.lose()
                raise

    def _forget_read(self, body: bytes, done: asyncio.Task[bytes]) -> None:
        if self._reads.get(body) is done:
            self._reads.pop(body)

    async def _exchange(self, body: bytes) -> bytes:
        if self._writer is None:
            reader, self._writer = await asyncio.open_connection(
                self._device.host, self._device.port
            )
            self._listening = asyncio.create_task(self._listen(reader))
        writer = self._writer
        self._answer = asyncio.get_running_loop().create_future()
        self._asked = body[:2]
        self._transaction = (self._transaction + 1) % 0x10000
        if self._device.is_serial:
            writer.write(body + checksum(body))
        else:
            writer.write(ModbusFrame(self._transaction, body).pack())
        await writer.drain()
        return await self._answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, EOFError, ValueError):
            while True:
                transaction: int | None = None
                if self._device.is_serial:
                    body = await _read_serial(reader)
                else:
                    transaction, body = await read_frame(reader)
                if self._answer is None or self._answer.done():
                    raise ValueError("nobody asked")
                if transaction not in {None, self._transaction}:
                    raise ValueError("nobody asked")
                # No client takes an answer of another unit or function: each would wait for its own
                # until it gives up.
                if body[0] != self._asked[0] or body[1] & 0x7F != self._asked[1]:
                    raise ValueError("another was asked")
                self._answer.set_result(body)
        self.lose()


async def _read_serial(reader: asyncio.StreamReader) -> bytes:
    """Read the next response of a serial line, without its checksum.

    Raises:
        EOFError: the peer closed the connection.
        ValueError: the checksum is wrong.
    """
    head = await reader.readexactly(3)
    if head[1] & 0x80:
        body_length = 0
    elif head[1] in READS:
        body_length = head[2]
    else:
        body_length = 3
    body = head + await reader.readexactly(body_length)
    if await reader.readexactly(2) != checksum(body):
        raise ValueError("broken on the way")
    return body


def checksum(body: bytes) -> bytes:
    """Return the CRC-16 of a serial frame. Source: MODBUS over Serial Line 1.02, 6.2.2."""
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")
