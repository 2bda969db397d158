"""Registers of one device over Modbus TCP. Source: MODBUS Application Protocol 1.1b3; pymodbus (docs/decisions/0096)."""

import logging
import select
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import structlog

from luna.energy.refusals import refuse
from luna.platform.drivers.profile import ModbusTransport, RegisterTable
from luna.platform.drivers.sharing import TURN_SECONDS, DeviceAddress, connect_shared

if TYPE_CHECKING:
    from pymodbus import FramerType
    from pymodbus.client import ModbusTcpClient

# What one answer can carry: 125 registers.
MOST_REGISTERS = 120
# How many there are.
REGISTERS = 65536

log = structlog.get_logger("luna.drivers")


def framing(transport: ModbusTransport) -> "FramerType":
    """Return how messages are framed."""
    from pymodbus import FramerType

    return FramerType.RTU if transport.kind == "modbus_rtu_tcp" else FramerType.SOCKET


def find_address(host: str, transport: ModbusTransport, port: int | None = None) -> DeviceAddress:
    """Return where a device is, by its transport where nothing else is said."""
    return DeviceAddress(host, transport.port if port is None else port, transport.kind == "modbus_rtu_tcp", transport.patience_s)


class ModbusLink:
    """A connection, opened at first use and again after any failure: an answer that comes late belongs to no later question. Not thread-safe.

    ``shared_in``: the data folder by which it is shared with other processes; None: it is this link's alone.
    """

    def __init__(self, host: str, transport: ModbusTransport, *, port: int | None = None, unit: int | None = None, shared_in: Path | None = None) -> None:
        self.host, self.port = host, transport.port if port is None else port
        self._unit = transport.unit if unit is None else unit
        self.transport = transport
        self._shared_in = shared_in
        self._client: ModbusTcpClient | None = None
        # How often it was opened: what was known of the device before may have changed.
        self.opened = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Where the device is, as errors name it."""
        return f"{self.host}:{self.port}"

    def read(self, register: int, count: int, table: RegisterTable | None = None) -> list[int]:
        """Return registers of a table, None: of the transport's.

        Raises:
            UnavailableError: the device does not answer, or refuses.
        """
        if register + count > REGISTERS:
            # A chain of models that leads there is none.
            raise refuse("device-answer-short", field="via", value=self.place, register=register)
        client = self._connected()
        read = client.read_holding_registers if (table or self.transport.table) == "holding" else client.read_input_registers
        answer = self._ask(read, register, count=count)
        registers: list[int] = answer.registers
        if len(registers) != count:
            self.close()
            raise refuse("device-answer-short", field="via", value=self.place, register=register)
        return registers

    def write(self, register: int, values: list[int]) -> None:
        """Write registers, and return once the device has taken them.

        Raises:
            UnavailableError: the device does not answer, or refuses.
        """
        self._ask(self._connected().write_registers, register, values)

    def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()  # type: ignore[no-untyped-call]

    def _connected(self) -> "ModbusTcpClient":
        # The other side hung up, or says what nobody asked: nothing is lost yet.
        if self._client is not None and (self._client.socket is None or select.select([self._client.socket], [], [], 0)[0]):
            self.close()
        if self._client is None:
            self._client = self._connect()
            self.opened += 1
        return self._client

    def _connect(self) -> "ModbusTcpClient":
        # Half a second of imports, for those who have such a device.
        from pymodbus import FramerType
        from pymodbus.client import ModbusTcpClient

        # What it would log of a device that is away is said once, by whoever asked.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        patience_s = self.transport.patience_s
        if self._shared_in is not None:
            address = find_address(self.host, self.transport, self.port)
            if (connection := connect_shared(self._shared_in, address)) is not None:
                client = ModbusTcpClient(self.host, framer=FramerType.SOCKET, port=self.port, timeout=patience_s + TURN_SECONDS, retries=0)
                client.socket = connection
                return client
            log.warning("the connection is not shared with other processes", device=self.place, folder=str(self._shared_in))
            self._shared_in = None
        client = ModbusTcpClient(self.host, framer=framing(self.transport), port=self.port, timeout=patience_s, retries=0)
        if not client.connect():  # type: ignore[no-untyped-call]
            client.close()  # type: ignore[no-untyped-call]
            raise refuse("device-silent", field="via", value=self.place)
        return client

    def _ask(self, ask: Any, register: int, *arguments: Any, **options: Any) -> Any:
        from pymodbus.exceptions import ModbusException

        try:
            answer = ask(register, *arguments, device_id=self._unit, **options)
        except (ModbusException, OSError) as exc:
            self.close()
            raise refuse("device-silent", field="via", value=self.place) from exc
        if answer.isError():
            raise refuse("device-refuses", field="via", value=self.place, register=register, code=getattr(answer, "exception_code", 0))
        return answer
