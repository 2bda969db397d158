"""Serves a simulated device's registers over Modbus TCP; it answers slowly, or refuses, where it is told to."""

import asyncio
import logging
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from luna.energy.refusals import refuse
from luna.platform.drivers.modbus import framing
from luna.platform.drivers.point_image import RegisterImage
from luna.platform.drivers.profile import RegisterTable
from luna.platform.drivers.served import served
from luna.platform.drivers.simulator import SimulatedInverter

if TYPE_CHECKING:
    from pymodbus.constants import ExcCodes
    from pymodbus.server import ModbusTcpServer

_WRITES = (6, 16)
_TABLES: dict[int, RegisterTable] = {3: "holding", 4: "input"}


@dataclass
class ServerFaults:
    """What goes wrong: each answer comes late by ``delay_s``; after ``writes_taken`` more writes each is refused, None: none is; what it ``lacks`` as well."""

    delay_s: float = 0.0
    writes_taken: int | None = None
    lacks: set[int] = field(default_factory=set)


class RegisterServer:
    """The server of one device; ``port`` is where it listens. Use ``serve_registers``."""

    def __init__(self, device: SimulatedInverter, host: str, port: int) -> None:
        self.device, self.faults = device, ServerFaults()
        self.host, self.port = host, port
        self._loop = asyncio.new_event_loop()
        self._server: ModbusTcpServer | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="modbus server", daemon=True)

    def start(self) -> None:
        """Listen.

        Raises:
            UnavailableError: the port is taken.
        """
        self._thread.start()
        self._listening.wait()
        if self._server is None:
            self._thread.join()
            raise refuse("device-port-taken", field="--port", value=self.port)

    def stop(self) -> None:
        """Hang up, and listen no more."""
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result()  # type: ignore[no-untyped-call]
        self._thread.join()
        self._loop.close()

    def _look(self) -> RegisterImage:
        return cast("RegisterImage", self.device.look())

    def hang_up(self) -> None:
        """Break every connection off, as a device does that starts anew; it goes on listening."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()

    async def _hang_up(self) -> None:
        for connection in [] if self._server is None else list(self._server.active_connections.values()):
            connection.close()

    async def _serve(self) -> None:
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        registers = self._look().registers
        first = min(registers)
        image = [registers.get(address, 0) for address in range(first, max(registers) + 1)]
        data = SimData(first, values=image, datatype=DataType.REGISTERS)
        framer = framing(self._look().transport)
        # A device answers to its own number on the bus alone.
        unit = self._look().transport.unit
        server = ModbusTcpServer(SimDevice(unit, simdata=[data], action=self._act), framer=framer, address=(self.host, self.port))
        try:
            await server.serve_forever(background=True)
            # A port that was 0 is the one that was free.
            self.port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
            self._server = server
        except (OSError, RuntimeError):
            return
        finally:
            self._listening.set()
        await server.serving

    async def _act(  # noqa: PLR0917 - pymodbus' signature
        self, function: int, first: int, address: int, count: int, current: list[int], values: "list[int] | list[bool] | None"
    ) -> "ExcCodes | None":
        from pymodbus.constants import ExcCodes

        await asyncio.sleep(self.faults.delay_s)
        if function in _WRITES and values is not None:
            if self.faults.writes_taken is not None:
                if self.faults.writes_taken <= 0:
                    return ExcCodes.DEVICE_BUSY
                self.faults.writes_taken -= 1
            return None if self.device.write(address, [int(value) for value in values]) else ExcCodes.ILLEGAL_ADDRESS
        image = self._look()
        if any(place in self.faults.lacks or not image.serves(place, _TABLES.get(function, "holding")) for place in range(address, address + count)):
            return ExcCodes.ILLEGAL_ADDRESS
        for place in range(address, address + count):
            current[place - first] = image.registers[place]
        return None


def serve_registers(device: SimulatedInverter, *, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[RegisterServer]:
    """Serve a device's registers while the block runs; port 0: one that is free.

    Raises:
        UnavailableError: the port is taken.
    """
    return served(RegisterServer(device, host, port))
