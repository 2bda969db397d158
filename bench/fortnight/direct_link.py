"""In-process connection to the home's product, without a network: a real one would cost more time
than everything that is measured here.

``tests/integration/drivers`` covers the wire.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, cast

import httpx

from luna.drivers.device_server import SIMULATED_PREFIX
from luna.drivers.document_formats import write_as
from luna.drivers.http_points import HttpPoints
from luna.drivers.modbus import ModbusLink
from luna.drivers.modbus_points import ModbusPoints
from luna.drivers.mqtt_points import MqttPoints
from luna.drivers.point_image import JsonImage, RegisterImage
from luna.drivers.points import DevicePoints, PointValue
from luna.drivers.profile_part import RegisterTable
from luna.drivers.profile_points import PREFIX_PART
from luna.drivers.simulated_product import SimulatedProduct
from luna.drivers.transports import HttpTransport, ModbusTransport, MqttTransport
from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse

# Topic prefix of a device that shares its broker.
PREFIX = "home"
# Of a device with garbage on its line: what stands in its registers, and in its documents.
GARBAGE_WORDS = (0xFFFF, 0x7FFF, 0x8000, 0x1234)
GARBAGE_TEXT = b'{"garbage'

LinkFault = Literal["silent", "slow", "garbage"]


@dataclass
class LinkFaults:
    """The fault of a device's connection; ``slow``: every second answer comes too late."""

    kind: LinkFault | None = None
    _exchanges: int = 0

    @property
    def is_garbage(self) -> bool:
        """Whether answers are garbage."""
        return self.kind == "garbage"

    def times_out(self) -> bool:
        """Count an exchange, and return whether its answer does not come in time."""
        self._exchanges += 1
        return self.kind == "silent" or (self.kind == "slow" and self._exchanges % 2 == 0)


class WriteTimes:
    """The times at which each point of a device was written, in seconds of the device's clock,
    across restarts of Luna.
    """

    def __init__(self) -> None:
        self._written = defaultdict[str, list[float]](list)

    @property
    def count(self) -> int:
        """The number of values that were written."""
        return sum(len(times) for times in self._written.values())

    def note(self, device: SimulatedProduct, values: Sequence[PointValue]) -> None:
        """Record a write of these values."""
        for value in values:
            self._written[value.point].append(device.now())

    def most_worn(self, device: SimulatedProduct, *, within_s: float) -> int:
        """Return the greatest number of recent writes of a point with a write budget, as flash
        memory has.
        """
        since = device.now() - within_s
        wearing = [name for name in self._written if device.profile.points[name].budget is not None]
        return max((sum(at >= since for at in self._written[name]) for name in wearing), default=0)


def link_points(
    device: SimulatedProduct, times: WriteTimes, faults: LinkFaults | None = None
) -> DevicePoints:
    """Return the points of a simulated device in this process.

    ``times`` records the writes; ``faults`` disturb the connection.
    """
    transport = device.profile.transport
    link_faults = faults or LinkFaults()
    match transport:
        case MqttTransport():
            return DirectTopics(device, transport, times, link_faults)
        case HttpTransport():
            return DirectDocuments(device, transport, times, link_faults)
    return DirectRegisters(device, times, link_faults)


class DirectRegisters(ModbusPoints):
    """Modbus registers of a simulated device in this process."""

    def __init__(self, device: SimulatedProduct, times: WriteTimes, faults: LinkFaults) -> None:
        super().__init__(device.profile, DirectLink(device, faults))
        self._device = device
        self._times = times

    def write(self, values: Sequence[PointValue]) -> None:
        """Write in order."""
        self._times.note(self._device, values)
        super().write(values)


class DirectLink(ModbusLink):
    """A Modbus connection to a simulated device in this process."""

    def __init__(self, device: SimulatedProduct, faults: LinkFaults) -> None:
        super().__init__("127.0.0.1", cast("ModbusTransport", device.profile.transport))
        self._device = device
        self._faults = faults

    def read(self, register: int, count: int, table: RegisterTable | None = None) -> list[int]:
        """Read registers of a table; None: the transport's.

        Raises:
            UnavailableError: the device has no such register.
        """
        self._await_answer()
        image = cast("RegisterImage", self._device.look())
        places = range(register, register + count)
        if not all(image.serves(place, table or self.transport.table) for place in places):
            raise refuse("device-refuses", field="via", value=self.place, register=register, code=2)
        if self._faults.is_garbage:
            return [GARBAGE_WORDS[place % len(GARBAGE_WORDS)] for place in places]
        return [image.registers[place] for place in places]

    def write(self, register: int, values: list[int]) -> None:
        """Write registers.

        Raises:
            UnavailableError: the device refuses the write.
        """
        self._await_answer()
        if self._faults.is_garbage or not self._device.write(register, values):
            raise refuse("device-refuses", field="via", value=self.place, register=register, code=2)

    def _await_answer(self) -> None:
        if self._faults.times_out():
            # As after a reconnect, which follows each answer that did not come.
            self.opened += 1
            raise refuse("device-silent", field="via", value=self.place)


class DirectDocuments(HttpPoints):
    """Documents of a simulated device in this process, over a client without a network."""

    def __init__(
        self,
        device: SimulatedProduct,
        transport: HttpTransport,
        times: WriteTimes,
        faults: LinkFaults,
    ) -> None:
        super().__init__(
            device.profile,
            transport,
            Via(profile=device.profile.profile, host="127.0.0.1", prefix=SIMULATED_PREFIX),
            web=httpx.MockTransport(self._answer),
        )
        self._device = device
        self._times = times
        self._faults = faults

    def write(self, values: Sequence[PointValue]) -> None:
        """Send a request for each value in order."""
        self._times.note(self._device, values)
        super().write(values)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._faults.times_out():
            raise httpx.ReadTimeout("the device does not answer in time")
        if self._faults.is_garbage:
            return httpx.Response(httpx.codes.OK, content=GARBAGE_TEXT)
        path = request.url.raw_path.decode().replace(SIMULATED_PREFIX, PREFIX_PART)
        documents = cast("JsonImage", self._device.look()).documents()
        if request.method == "GET" and path in documents:
            transport = cast("HttpTransport", self._device.profile.transport)
            return httpx.Response(
                httpx.codes.OK, content=write_as(documents[path], transport.documents)
            )
        if self._device.write(f"{request.method} {path}", request.content.decode()):
            return httpx.Response(httpx.codes.OK, json={})
        return httpx.Response(httpx.codes.NOT_FOUND, json={})


class DirectTopics(MqttPoints):
    """MQTT messages of a simulated device in this process, by the device's clock."""

    def __init__(
        self,
        device: SimulatedProduct,
        transport: MqttTransport,
        times: WriteTimes,
        faults: LinkFaults,
    ) -> None:
        super().__init__(
            device.profile,
            transport,
            Via(profile=device.profile.profile, host="127.0.0.1", prefix=PREFIX),
            now=device.now,
        )
        self._device = device
        self._times = times
        self._faults = faults
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
        if self._faults.times_out():
            return
        for name, document in cast("JsonImage", self._device.look()).documents().items():
            self._hear(self._topic(name), document)

    def _publish(self, topic: str, payload: str) -> None:
        if topic in self._writable and self._faults.kind is None:
            self._device.write(self._writable[topic], json.loads(payload))
        self._connect()
        request = self._transport.request
        if request is not None and request.done is not None and topic == self._topic(request.to):
            self._hear(self._topic(request.done), {"value": 1})

    def _hear(self, topic: str, document: Any) -> None:
        self._on_message(
            cast(
                "Any",
                SimpleNamespace(topic=topic, payload=self._encode(document), retain=False),
            )
        )

    def _encode(self, document: Any) -> bytes:
        return GARBAGE_TEXT if self._faults.is_garbage else json.dumps(document).encode()
