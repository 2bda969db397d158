"""Registers of one device over Modbus TCP. Source: MODBUS Application Protocol 1.1b3; pymodbus (docs/decisions/0096)."""

import logging
from typing import TYPE_CHECKING, Any, Self

from luna.energy.refusals import refuse
from luna.platform.drivers.profile import DeviceTransport, RegisterTable

if TYPE_CHECKING:
    from pymodbus import FramerType
    from pymodbus.client import ModbusTcpClient

# What one answer can carry: 125 registers.
MOST_REGISTERS = 120


def framing(transport: DeviceTransport) -> "FramerType":
    """Return how messages are framed."""
    from pymodbus import FramerType

    return FramerType.RTU if transport.kind == "modbus_rtu_tcp" else FramerType.SOCKET


class ModbusLink:
    """A connection, opened at first use and again after any failure: an answer that comes late belongs to no later question. Not thread-safe."""

    def __init__(self, host: str, transport: DeviceTransport, *, port: int | None = None, unit: int | None = None) -> None:
        self.host, self.port = host, transport.port if port is None else port
        self._unit = transport.unit if unit is None else unit
        self._transport = transport
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
        client = self._connected()
        read = client.read_holding_registers if (table or self._transport.table) == "holding" else client.read_input_registers
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
        if self._client is None:
            # Half a second of imports, for those who have such a device.
            from pymodbus.client import ModbusTcpClient

            # What it would log of a device that is away is said once, by whoever asked.
            logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
            client = ModbusTcpClient(self.host, framer=framing(self._transport), port=self.port, timeout=self._transport.patience_s, retries=0)
            if not client.connect():  # type: ignore[no-untyped-call]
                client.close()  # type: ignore[no-untyped-call]
                raise refuse("device-silent", field="via", value=self.place)
            self._client = client
            self.opened += 1
        return self._client

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
