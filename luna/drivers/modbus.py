"""Reads and writes the registers of one device over Modbus TCP.

Source: MODBUS Application Protocol 1.1b3; pymodbus (docs/decisions/0096).
"""

import logging
import select
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import structlog

from luna.drivers.profile_part import RegisterTable
from luna.drivers.sharing import TURN_SECONDS, DeviceAddress, connect_shared
from luna.drivers.transports import ModbusTransport
from luna.energy.refusals import refuse
from luna.platform.address_policy import (
    DEVICE,
    AddressRefusedError,
    open_connection,
    reachable_addresses,
)

if TYPE_CHECKING:
    from pymodbus import FramerType
    from pymodbus.client import ModbusTcpClient

# Below the protocol's limit of 125 registers per answer.
MOST_REGISTERS = 120
# Register addresses are 16 bits.
REGISTERS = 65536

log = structlog.get_logger("luna.drivers")


def framing(transport: ModbusTransport) -> "FramerType":
    """Return pymodbus' framer of a transport."""
    from pymodbus import FramerType

    return FramerType.RTU if transport.kind == "modbus_rtu_tcp" else FramerType.SOCKET


def find_address(host: str, transport: ModbusTransport, port: int | None = None) -> DeviceAddress:
    """Return a device's address; the transport's port where none is given."""
    return DeviceAddress(
        host,
        transport.port if port is None else port,
        transport.kind == "modbus_rtu_tcp",
        transport.patience_s,
    )


class ModbusLink:
    """A Modbus connection.

    Reopened after any failure, so that a late answer is never taken for that of a later request.
    Not thread-safe.

    ``port`` and ``unit`` replace the transport's; ``shared_in`` is the data folder whose processes
    share the connection, None: it is this link's alone.
    """

    def __init__(
        self,
        host: str,
        transport: ModbusTransport,
        *,
        port: int | None = None,
        unit: int | None = None,
        shared_in: Path | None = None,
    ) -> None:
        self.host = host
        self.port = transport.port if port is None else port
        self._unit = transport.unit if unit is None else unit
        self.transport = transport
        self._shared_in = shared_in
        self._client: ModbusTcpClient | None = None
        # Counts connections: after a new one, what was cached of the device is out of date.
        self.opened = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def place(self) -> str:
        """The device's address for error messages."""
        return f"{self.host}:{self.port}"

    def read(self, register: int, count: int, table: RegisterTable | None = None) -> list[int]:
        """Return ``count`` registers from the address ``register`` on, of a table.

        None: the transport's table.

        Raises:
            UnavailableError: the device does not answer, refuses, or answers with fewer registers.
        """
        if register + count > REGISTERS:
            # A corrupt SunSpec chain can point beyond the last address.
            raise refuse("device-answer-short", field="via", value=self.place, register=register)
        client = self._connected()
        if (table or self.transport.table) == "holding":
            read = client.read_holding_registers
        else:
            read = client.read_input_registers
        answer = self._ask(read, register, count=count)
        registers: list[int] = answer.registers
        if len(registers) != count:
            self.close()
            raise refuse("device-answer-short", field="via", value=self.place, register=register)
        return registers

    def write(self, register: int, values: list[int]) -> None:
        """Write registers; return once the device has acknowledged them.

        Raises:
            UnavailableError: the device does not answer, or refuses.
        """
        if not self.transport.writes_singly:
            self._ask(self._connected().write_registers, register, values)
            return
        for place, value in enumerate(values, register):
            self._ask(self._connected().write_register, place, value)

    def close(self) -> None:
        client = self._client
        self._client = None
        if client is not None:
            client.close()  # type: ignore[no-untyped-call]

    @property
    def is_connected(self) -> bool:
        """Return whether the connection is open and holds no answer that nobody asked for."""
        socket = None if self._client is None else self._client.socket
        return socket is not None and not select.select([socket], [], [], 0)[0]

    def _connected(self) -> "ModbusTcpClient":
        # Reconnect before any request is lost.
        if not self.is_connected:
            self.close()
        if self._client is None:
            self._client = self._connect()
            self.opened += 1
        return self._client

    def _connect(self) -> "ModbusTcpClient":
        # Imported here: it takes half a second, and only Modbus devices need it.
        from pymodbus import FramerType
        from pymodbus.client import ModbusTcpClient

        # pymodbus would log what the caller reports as an error.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        patience_s = self.transport.patience_s
        if self._shared_in is not None:
            self._require_reachable()
            address = find_address(self.host, self.transport, self.port)
            if (connection := connect_shared(self._shared_in, address)) is not None:
                client = ModbusTcpClient(
                    self.host,
                    framer=FramerType.SOCKET,
                    port=self.port,
                    timeout=patience_s + TURN_SECONDS,
                    retries=0,
                )
                client.socket = connection
                return client
            log.warning(
                "the connection is not shared with other processes",
                device=self.place,
                folder=str(self._shared_in),
            )
            self._shared_in = None
        client = ModbusTcpClient(
            self.host, framer=framing(self.transport), port=self.port, timeout=patience_s, retries=0
        )
        try:
            client.socket = open_connection(DEVICE, self.host, self.port, patience_s)
        except AddressRefusedError as exc:
            raise refuse("device-address-refused", field="via", value=self.place) from exc
        except OSError as exc:
            raise refuse("device-silent", field="via", value=self.place) from exc
        return client

    def _require_reachable(self) -> None:
        """Check the address here, where the error has words.

        The connection itself belongs to another process.
        """
        try:
            reachable_addresses(DEVICE, self.host, self.port)
        except AddressRefusedError as exc:
            raise refuse("device-address-refused", field="via", value=self.place) from exc
        except OSError as exc:
            raise refuse("device-silent", field="via", value=self.place) from exc

    def _ask(self, ask: Any, register: int, *arguments: Any, **options: Any) -> Any:
        from pymodbus.exceptions import ModbusException

        try:
            answer = ask(register, *arguments, device_id=self._unit, **options)
        except (ModbusException, OSError) as exc:
            self.close()
            raise refuse("device-silent", field="via", value=self.place) from exc
        if answer.isError():
            raise refuse(
                "device-refuses",
                field="via",
                value=self.place,
                register=register,
                code=getattr(answer, "exception_code", 0),
            )
        return answer
