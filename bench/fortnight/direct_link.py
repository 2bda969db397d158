"""In-process connection to the home's inverter, without a network: a real one would cost more time
than everything that is measured here.

``tests/integration/drivers`` covers the wire.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse
from luna.platform.drivers.modbus import ModbusLink
from luna.platform.drivers.modbus_points import ModbusPoints
from luna.platform.drivers.mqtt_points import MqttPoints
from luna.platform.drivers.point_image import JsonImage, RegisterImage
from luna.platform.drivers.points import DevicePoints, PointValue
from luna.platform.drivers.profile import ModbusTransport, MqttTransport, RegisterTable
from luna.platform.drivers.simulator import SimulatedInverter

# Topic prefix of a device that shares its broker.
PREFIX = "home"


class WriteTimes:
    """The times at which each point of a device was written, in seconds of the device's clock,
    across restarts of Luna.
    """

    def __init__(self) -> None:
        self._written = defaultdict[str, list[float]](list)

    def note(self, device: SimulatedInverter, values: Sequence[PointValue]) -> None:
        """Record a write of these values."""
        for value in values:
            self._written[value.point].append(device.now())

    def most_worn(self, device: SimulatedInverter, *, within_s: float) -> int:
        """Return the greatest number of recent writes of a point with a write budget, as flash
        memory has.
        """
        since = device.now() - within_s
        wearing = [name for name in self._written if device.profile.points[name].budget is not None]
        return max((sum(at >= since for at in self._written[name]) for name in wearing), default=0)


def link_points(device: SimulatedInverter, times: WriteTimes) -> DevicePoints:
    """Return the points of a simulated device in this process; ``times`` records the writes."""
    transport = device.profile.transport
    return (
        DirectTopics(device, transport, times)
        if isinstance(transport, MqttTransport)
        else DirectRegisters(device, times)
    )


class DirectRegisters(ModbusPoints):
    """Modbus registers of a simulated device in this process."""

    def __init__(self, device: SimulatedInverter, times: WriteTimes) -> None:
        super().__init__(device.profile, DirectLink(device))
        self._device = device
        self._times = times

    def write(self, values: Sequence[PointValue]) -> None:
        """Write in order."""
        self._times.note(self._device, values)
        super().write(values)


class DirectLink(ModbusLink):
    """A Modbus connection to a simulated device in this process."""

    def __init__(self, device: SimulatedInverter) -> None:
        super().__init__("127.0.0.1", cast("ModbusTransport", device.profile.transport))
        self._device = device

    def read(self, register: int, count: int, table: RegisterTable | None = None) -> list[int]:
        """Read registers of a table; None: the transport's.

        Raises:
            UnavailableError: the device has no such register.
        """
        image = cast("RegisterImage", self._device.look())
        places = range(register, register + count)
        if not all(image.serves(place, table or self.transport.table) for place in places):
            raise refuse("device-refuses", field="via", value=self.place, register=register, code=2)
        return [image.registers[place] for place in places]

    def write(self, register: int, values: list[int]) -> None:
        """Write registers.

        Raises:
            UnavailableError: the device refuses the write.
        """
        if not self._device.write(register, values):
            raise refuse("device-refuses", field="via", value=self.place, register=register, code=2)


class DirectTopics(MqttPoints):
    """MQTT messages of a simulated device in this process, by the device's clock."""

    def __init__(
        self, device: SimulatedInverter, transport: MqttTransport, times: WriteTimes
    ) -> None:
        super().__init__(
            device.profile,
            transport,
            Via(profile=device.profile.profile, host="127.0.0.1", prefix=PREFIX),
            now=device.now,
        )
        self._device = device
        self._times = times
        image = cast("JsonImage", device.image)
        self._writable = {
            self._topic(point.write_to): point.write_to
            for point in image.points.values()
            if point.write_to is not None
        }

    def write(self, values: Sequence[PointValue]) -> None:
        """Write in order."""
        self._times.note(self._device, values)
        super().write(values)

    def _connect(self) -> None:
        """Receive the device's current messages; a real device publishes changes every second."""
        for name, document in cast("JsonImage", self._device.look()).documents().items():
            self._hear(self._topic(name), document)

    def _publish(self, topic: str, payload: str) -> None:
        if topic in self._writable:
            self._device.write(self._writable[topic], json.loads(payload))
        self._connect()
        request = self._transport.request
        if request is not None and request.done is not None and topic == self._topic(request.to):
            self._hear(self._topic(request.done), {"value": 1})

    def _hear(self, topic: str, document: Any) -> None:
        self._on_message(
            cast(
                "Any",
                SimpleNamespace(topic=topic, payload=json.dumps(document).encode(), retain=False),
            )
        )
