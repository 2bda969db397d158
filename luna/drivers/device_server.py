"""Serve a simulated device over its profile's transport.

Registers go over Modbus TCP, JSON documents over HTTP, JSON messages to an MQTT broker; telegrams
and datagrams are sent by ``telegram_server.py``.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from luna.drivers.document_formats import write_as
from luna.drivers.modbus import framing
from luna.drivers.point_image import JsonImage, RegisterImage
from luna.drivers.profile_part import RegisterTable
from luna.drivers.profile_points import PREFIX_PART
from luna.drivers.server_faults import ServerFaults
from luna.drivers.simulated_product import SimulatedProduct
from luna.drivers.telegram_server import DatagramServer, TelegramServer
from luna.drivers.transports import (
    DocumentFormat,
    HttpTransport,
    MqttTransport,
    MulticastTransport,
    P1Transport,
)
from luna.energy.refusals import refuse
from luna.platform.addresses import Broker

if TYPE_CHECKING:
    from io import BufferedReader

    import paho.mqtt.client as paho
    from pymodbus.constants import ExcCodes
    from pymodbus.server import ModbusTcpServer


# Default prefix of a simulated device.
SIMULATED_PREFIX = "simulated"
_WRITES = (6, 16)
_TABLES: dict[int, RegisterTable] = {3: "holding", 4: "input"}


class RegisterServer:
    """A Modbus TCP server of one device at ``port``. Use ``serve_registers``."""

    def __init__(self, device: SimulatedProduct, host: str, port: int) -> None:
        self.device = device
        self.faults = ServerFaults()
        self.host = host
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._server: ModbusTcpServer | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete,
            args=(self._serve(),),
            name="modbus server",
            daemon=True,
        )

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
        """Close all connections and stop listening."""
        if self._server is not None:
            ending = self._server.shutdown()  # type: ignore[no-untyped-call]
            asyncio.run_coroutine_threadsafe(ending, self._loop).result()
        self._thread.join()
        self._loop.close()

    def _look(self) -> RegisterImage:
        return cast("RegisterImage", self.device.look())

    def hang_up(self) -> None:
        """Close all connections, as a device does that restarts; the server goes on listening."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()

    async def _hang_up(self) -> None:
        if self._server is None:
            return
        for connection in list(self._server.active_connections.values()):
            connection.close()

    async def _serve(self) -> None:
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        registers = self._look().registers
        first = min(registers)
        # What they hold is told by ``_act``: building all of a large device takes long.
        count = max(registers) + 1 - first
        data = SimData(first, count=count, values=0, datatype=DataType.REGISTERS)
        framer = framing(self._look().transport)
        # A device answers only to its own number on the bus.
        unit = self._look().transport.unit
        server = ModbusTcpServer(
            SimDevice(unit, simdata=[data], action=self._act),
            framer=framer,
            address=(self.host, self.port),
        )
        try:
            await server.serve_forever(background=True)
            # Port 0 lets the system choose one.
            self.port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
            self._server = server
        except (OSError, RuntimeError):
            return
        finally:
            self._listening.set()
        await server.serving

    async def _act(  # noqa: PLR0917 - pymodbus' signature
        self,
        function: int,
        first: int,
        address: int,
        count: int,
        current: list[int],
        values: "list[int] | list[bool] | None",
    ) -> "ExcCodes | None":
        from pymodbus.constants import ExcCodes

        await asyncio.sleep(self.faults.delay_s)
        places = range(address, address + count)
        if any(place in self.faults.lacks for place in places):
            return ExcCodes.ILLEGAL_ADDRESS
        if function in _WRITES and values is not None:
            if self.faults.writes_taken is not None:
                if self.faults.writes_taken <= 0:
                    return ExcCodes.DEVICE_BUSY
                self.faults.writes_taken -= 1
            written = self.device.write(address, [int(value) for value in values])
            return None if written else ExcCodes.ILLEGAL_ADDRESS
        image = self._look()
        table = _TABLES.get(function, "holding")
        if not all(image.serves(place, table) for place in places):
            return ExcCodes.ILLEGAL_ADDRESS
        for place in places:
            current[place - first] = image.registers[place]
        return None


def serve_registers(
    device: SimulatedProduct, *, host: str = "127.0.0.1", port: int = 0
) -> AbstractContextManager[RegisterServer]:
    """Serve a device's registers while the block runs; port 0: a free one.

    Raises:
        UnavailableError: the port is taken.
    """
    return served(RegisterServer(device, host, port))


# No device is written with more.
MOST_WRITTEN_BYTES = 10_000


class DocumentServer:
    """An HTTP server of one device at ``port``. Use ``serve_documents``."""

    def __init__(self, device: SimulatedProduct, host: str, port: int, prefix: str) -> None:
        self.device = device
        self.prefix = prefix
        self.faults = ServerFaults()
        try:
            self._server = ThreadingHTTPServer((host, port), partial(DocumentHandler, self))
        except OSError as exc:
            raise refuse("device-port-taken", field="--port", value=port) from exc
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="http server",
            daemon=True,
        )

    def start(self) -> None:
        """Start to answer."""
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class DocumentHandler(BaseHTTPRequestHandler):
    """Answers one request to a device."""

    def __init__(self, served: DocumentServer, *arguments: Any) -> None:
        self._served = served
        super().__init__(*arguments)

    def handle(self) -> None:
        """Hang up on what is no HTTP, as servers do."""
        # Its text has no NUL.
        if b"\0" not in cast("BufferedReader", self.rfile).peek():
            super().handle()

    def do_GET(self) -> None:
        time.sleep(self._served.faults.delay_s)
        documents = cast("JsonImage", self._served.device.look()).documents()
        if self._place in documents:
            self._answer(HTTPStatus.OK, documents[self._place])
        else:
            self._write()

    def do_PUT(self) -> None:
        time.sleep(self._served.faults.delay_s)
        self._write()

    def do_POST(self) -> None:
        time.sleep(self._served.faults.delay_s)
        self._write()

    @property
    def _place(self) -> str:
        """The path, with the device's prefix as its profile names it."""
        return self.path.replace(self._served.prefix, PREFIX_PART)

    @property
    def _named_format(self) -> DocumentFormat | None:
        """The format that an identity's document has beside the others."""
        image = cast("JsonImage", self._served.device.image)
        formats = {rule.at: rule.documents for rule in image.identity}
        return formats.get(self._place)

    def _write(self) -> None:
        length = min(int(self.headers.get("Content-Length", 0)), MOST_WRITTEN_BYTES)
        body = self.rfile.read(length).decode()
        writes_left = self._served.faults.writes_taken
        if writes_left == 0:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "busy"})
        elif self._served.device.write(f"{self.command} {self._place}", body):
            if writes_left is not None:
                self._served.faults.writes_taken = writes_left - 1
            self._answer(HTTPStatus.OK, {})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "not found"})

    def _answer(self, status: HTTPStatus, document: Any) -> None:
        transport = cast("HttpTransport", self._served.device.profile.transport)
        kind = self._named_format or transport.documents
        if status != HTTPStatus.OK or not document:
            kind = "json"
        body = write_as(document, kind)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def serve_documents(
    device: SimulatedProduct,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    prefix: str = SIMULATED_PREFIX,
) -> AbstractContextManager[DocumentServer]:
    """Serve a device's documents while the block runs; port 0: a free one.

    Raises:
        UnavailableError: the port is taken.
    """
    return served(DocumentServer(device, host, port, prefix))


# Changed documents are published at this interval, all of them on request.
EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 10.0


class MessageServer:
    """One device at a broker; ``port`` is the broker's. Use ``serve_messages``."""

    def __init__(self, device: SimulatedProduct, broker: Broker, prefix: str) -> None:
        from luna.platform.mqtt import create_client

        self.device = device
        self.faults = ServerFaults()
        self.port = broker.port
        self._broker = broker
        self._prefix = prefix
        self._transport = cast("MqttTransport", device.profile.transport)
        image = cast("JsonImage", device.image)
        self._writable = {
            self._topic(point.write_to): point.write_to
            for point in image.points.values()
            if point.write_to is not None
        }
        self._as_text = {
            point.write_to for point in image.points.values() if point.write_body is not None
        }
        # The identity is retained for clients that subscribe later.
        self._announced = {self._topic(rule.at) for rule in image.identity}
        self._published: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._listens = threading.Event()
        self._ending = threading.Event()
        self._client = create_client(broker)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._listens.set()
        self._thread = threading.Thread(target=self._run, name="simulated device", daemon=True)

    def start(self) -> None:
        """Connect and subscribe.

        Raises:
            UnavailableError: the broker does not answer, or refuses the connection.
        """
        try:
            self._client.connect(self._broker.host, self._broker.port)
        except OSError as exc:
            raise refuse("device-silent", field="--broker", value=str(self._broker)) from exc
        self._client.loop_start()
        if not self._listens.wait(PATIENCE_SECONDS):
            self._client.loop_stop()
            raise refuse("device-unauthorized", field="--broker", value=str(self._broker))
        self._thread.start()

    def stop(self) -> None:
        """Stop publishing and disconnect."""
        self._ending.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        alive = self._transport.alive
        while not self._ending.wait(EVERY_SECONDS):
            self._publish(all_of_it=False)
            if alive is not None:
                self._client.publish(self._topic(alive), json.dumps(int(self.device.now())))

    def _publish(self, *, all_of_it: bool) -> None:
        with self._lock:
            image = cast("JsonImage", self.device.look())
            documents = {
                self._topic(name): self._write(document)
                for name, document in image.documents().items()
            }
            for topic, text in documents.items():
                is_kept = topic in self._announced or self._transport.alive is not None
                if all_of_it or self._published.get(topic) != text:
                    self._client.publish(topic, text, retain=is_kept)
            self._published = documents

    def _write(self, document: Any) -> bytes:
        # A word alone is no JSON at a broker: on, not "on".
        if isinstance(document, str):
            return document.encode()
        return write_as(document, self._transport.documents)

    def _on_connect(self, client: "paho.Client", *_: Any) -> None:
        request = self._transport.request
        topics = list(self._writable)
        if request is not None:
            topics.append(self._topic(request.to))
        if not topics:
            # A subscription is what ``start`` waits for.
            topics.append(self._topic("unused"))
        client.subscribe([(topic, 1) for topic in topics])

    def _on_message(self, client: "paho.Client", _data: Any, message: "paho.MQTTMessage") -> None:
        time.sleep(self.faults.delay_s)
        request = self._transport.request
        if message.topic in self._writable:
            writes_left = self.faults.writes_taken
            if writes_left is not None:
                self.faults.writes_taken = max(writes_left - 1, 0)
            if writes_left is None or writes_left > 0:
                place = self._writable[message.topic]
                text = message.payload.decode()
                self.device.write(place, text if place in self._as_text else json.loads(text))
            self._publish(all_of_it=False)
        elif request is not None:
            self._publish(all_of_it=True)
            if request.done is not None:
                client.publish(self._topic(request.done), json.dumps({"value": 1}))

    def _topic(self, name: str) -> str:
        return name.replace(PREFIX_PART, self._prefix)


def serve_messages(
    device: SimulatedProduct, *, broker: Broker, prefix: str
) -> AbstractContextManager[MessageServer]:
    """Connect a device to a broker while the block runs.

    Its topics begin with ``prefix``.

    Raises:
        UnavailableError: the broker does not answer, or refuses the connection.
    """
    return served(MessageServer(device, broker, prefix))


class StartedServer(Protocol):
    """A server that can be started and stopped."""

    def start(self) -> None:
        """Start to answer."""

    def stop(self) -> None:
        """Stop answering."""


ServerT = TypeVar("ServerT", bound=StartedServer)


@contextmanager
def served(server: ServerT) -> Iterator[ServerT]:
    """Run a server while the block runs.

    Raises:
        UnavailableError: its port is taken, or the broker does not answer.
    """
    server.start()
    try:
        yield server
    finally:
        server.stop()


# Serial number of a simulated meter that sends datagrams.
SIMULATED_SERIAL = "1901234567"


class DeviceServer(Protocol):
    """A simulated device that answers at a port; over MQTT the broker's."""

    device: SimulatedProduct
    port: int
    faults: ServerFaults


def serve_device(
    device: SimulatedProduct,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    prefix: str = SIMULATED_PREFIX,
) -> AbstractContextManager[DeviceServer]:
    """Serve a device while the block runs.

    Port 0: a free one. Over MQTT host and port are the broker's, and port 0 is the profile's; of
    what sends datagrams the prefix is its serial number, and port 0 is the profile's.

    Raises:
        UnavailableError: the port is taken, or the broker does not answer.
    """
    match device.profile.transport:
        case MqttTransport() as transport:
            return serve_messages(
                device, broker=Broker(host, port or transport.port), prefix=prefix
            )
        case HttpTransport():
            return serve_documents(device, host=host, port=port, prefix=prefix)
        case P1Transport():
            return served(TelegramServer(device, host, port))
        case MulticastTransport():
            serial = prefix if prefix.isdecimal() else SIMULATED_SERIAL
            return served(DatagramServer(device, host, port, serial))
    return serve_registers(device, host=host, port=port)
