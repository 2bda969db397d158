"""Offer a device to other programs by a Modbus TCP proxy.

They reach it through Luna where the device accepts a single connection.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import structlog

from luna.drivers.modbus import find_address
from luna.drivers.profiles import load_profile
from luna.drivers.sharing import (
    GATEWAY_SILENT,
    ILLEGAL_FUNCTION,
    READS,
    TURN_SECONDS,
    DeviceAddress,
    ModbusFrame,
    connect_shared,
    read_frame,
)
from luna.drivers.transports import ModbusTransport
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError

# Functions without effect on the device: register reads, and identification. Source: MODBUS
# Application Protocol 1.1b3, 6.
_HARMLESS = READS | {17, 43}

log = structlog.get_logger("luna.drivers")


class ProxyPort(NamedTuple):
    """A device and the address of its proxy; without ``writes`` the proxy is read-only."""

    device: DeviceAddress
    listen: str
    port: int
    writes: bool = False


def declared_ports(vias: Iterable[Via], data_folder: Path) -> Iterator[ProxyPort]:
    """Yield the proxy ports that sites declare.

    A missing profile is skipped, as the commanding service reports it.
    """
    for via in vias:
        if via.proxy is None:
            continue
        with suppress(LunaError):
            transport = load_profile(via.profile, data_folder).transport
            if isinstance(transport, ModbusTransport):
                yield ProxyPort(
                    find_address(via.host, transport, via.port),
                    via.proxy.listen,
                    via.proxy.port,
                    via.proxy.writes,
                )


class DeviceProxy:
    """Forwards requests over the connection that all processes of a data folder share."""

    def __init__(self, port: ProxyPort, folder: Path) -> None:
        self._port = port
        self._folder = folder
        self._clients: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen, and return the port; for 0 the system chooses one.

        Raises:
            OSError: the port is taken, or the address is none of this machine's.
        """
        self._server = await asyncio.start_server(
            self._serve_client, self._port.listen, self._port.port
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        """Stop listening and disconnect all clients."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.close()

    async def _serve_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._clients.add(writer)
        # A client that speaks no Modbus TCP is disconnected.
        with (
            suppress(OSError, EOFError, ValueError),
            closing(writer),
            closing(_DevicePath(self._port.device, self._folder)) as path,
        ):
            try:
                while True:
                    frame = await read_frame(reader)
                    allowed = self._port.writes or frame.body[1] in _HARMLESS
                    writer.write(
                        (
                            await path.ask(frame) if allowed else frame.refused(ILLEGAL_FUNCTION)
                        ).pack()
                    )
                    await writer.drain()
            finally:
                self._clients.discard(writer)


class _DevicePath:
    """A client's connection to the device.

    Reopened at the next request after a loss, unnoticed by the client.
    """

    def __init__(self, device: DeviceAddress, folder: Path) -> None:
        self._device = device
        self._folder = folder
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, frame: ModbusFrame) -> ModbusFrame:
        try:
            async with asyncio.timeout(self._device.patience_s + TURN_SECONDS):
                if self._streams is None or self._streams[0].at_eof():
                    self.close()
                    self._streams = await self._open()
                reader, writer = self._streams
                writer.write(frame.pack())
                return await read_frame(reader)
        except (OSError, EOFError):
            self.close()
            return frame.refused(GATEWAY_SILENT)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = await asyncio.to_thread(connect_shared, self._folder, self._device)
        if connection is None:
            raise ConnectionRefusedError("the connection cannot be shared in this folder")
        return await asyncio.open_unix_connection(sock=connection)


class ProxyPorts:
    """Opens and closes proxies as sites declare them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[ProxyPort, DeviceProxy] = {}
        self._refused: set[ProxyPort] = set()

    async def follow(self, ports: Collection[ProxyPort]) -> None:
        """Open and close proxies so that exactly ``ports`` are open.

        A port that is taken is tried again at the next call.
        """
        for port in set(self._open) - set(ports):
            self._open.pop(port).close()
        for port in set(ports) - set(self._open):
            proxy = DeviceProxy(port, self._folder)
            try:
                await proxy.start()
            except OSError as error:
                if port not in self._refused:
                    log.warning(
                        "a proxy port cannot be opened",
                        device=port.device.host,
                        listen=port.listen,
                        port=port.port,
                        error=str(error),
                    )
                self._refused.add(port)
            else:
                self._open[port] = proxy
                self._refused.discard(port)
