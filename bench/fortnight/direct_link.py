"""Registers of the home's inverter without a wire: what a wire does is for ``tests/integration/drivers``, and costs more than all that is measured here."""

from typing import cast

from luna.energy.refusals import refuse
from luna.platform.drivers.modbus import ModbusLink
from luna.platform.drivers.point_image import RegisterImage
from luna.platform.drivers.profile import ModbusTransport, RegisterTable
from luna.platform.drivers.simulator import SimulatedInverter


class DirectLink(ModbusLink):
    """A connection to a simulated device in this process."""

    def __init__(self, device: SimulatedInverter) -> None:
        super().__init__("127.0.0.1", cast("ModbusTransport", device.profile.transport))
        self._device = device

    def read(self, register: int, count: int, table: RegisterTable | None = None) -> list[int]:
        """Return registers of a table, None: of the transport's.

        Raises:
            UnavailableError: the device has no such register.
        """
        image, places = cast("RegisterImage", self._device.look()), range(register, register + count)
        if not all(image.serves(place, table or self.transport.table) for place in places):
            raise refuse("device-refuses", field="via", value=self.place, register=register, code=2)
        return [image.registers[place] for place in places]

    def write(self, register: int, values: list[int]) -> None:
        """Write registers.

        Raises:
            UnavailableError: the device takes nothing there.
        """
        if not self._device.write(register, values):
            raise refuse("device-refuses", field="via", value=self.place, register=register, code=2)
