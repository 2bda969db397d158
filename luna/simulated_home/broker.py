"""A small local MQTT broker for the simulated home and its Luna.

MQTT 5 at QoS 0 and 1 with retained messages; no persistent sessions, no authentication, nothing on
disk. It listens on the loopback interface only.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

import structlog
from paho.mqtt.matcher import MQTTMatcher
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from luna.energy.errors import MachineError
from luna.simulated_home import packets
from luna.simulated_home.packets import ProtocolError, Publication

HOST = "127.0.0.1"
CONNECT_SECONDS = 10.0
# Time for clients to receive the last messages.
CLOSE_SECONDS = 1.0
# 3.1.2.10: a client silent for one and a half keep-alive intervals is disconnected.
_PATIENCE = 1.5
# A client with more unsent QoS 1 messages, or with more bytes that it has not read, is disconnected
# before they fill the memory.
_MOST_WAITING = 10_000
_MOST_UNREAD_BYTES = 1 << 23
_NO_RETAINED = 2
_MALFORMED = 0x81
_TAKEN_OVER = 0x8E

log = structlog.get_logger("luna.simulated_home.broker")


class LocalBroker:
    """The broker; devices in the same process publish and receive without a connection.

    Args:
        hear: receives topic and payload of every message that a client publishes.
    """

    def __init__(self, hear: Callable[[str, bytes], None]) -> None:
        self._hear = hear
        self._retained: dict[str, bytes] = {}
        self._clients: dict[str, _Session] = {}
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._named = 0

    async def start(self, port: int) -> None:
        """Listen on the port.

        Raises:
            MachineError: the port is in use.
        """
        try:
            self._server = await asyncio.start_server(self._serve, HOST, port)
        except OSError as exc:
            remedy = "End what uses it, or remove the simulated home and try it anew."
            raise MachineError(
                f"the simulated home's broker cannot listen: {exc.strerror}",
                field="port",
                value=port,
                remedy=remedy,
            ) from exc

    async def close(self) -> None:
        """Disconnect every client, and return when all connections are closed."""
        if self._server is not None:
            self._server.close()
        for session in list(self._clients.values()):
            session.hang_up()
        # Closed rather than cancelled, also connections before their CONNECT, so that their tasks
        # end normally.
        serving = dict(self._serving)
        for writer in serving.values():
            writer.close()
        if serving:
            _, pending = await asyncio.wait(serving, timeout=CLOSE_SECONDS)
            for task in pending:
                serving[task].transport.abort()
            if pending:
                await asyncio.wait(pending, timeout=CLOSE_SECONDS)

    def hears(self, topic: str) -> bool:
        """Return whether a client has subscribed to a topic."""
        return any(session.wants(topic) for session in self._clients.values())

    @property
    def is_acknowledged(self) -> bool:
        """Whether every client has acknowledged all messages at QoS 1."""
        return not any(session.is_awaited for session in self._clients.values())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def publish(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        """Send a message to its subscribers, with ``retain`` also to later ones.

        An empty payload removes the retained message.
        """
        if retain and payload:
            self._retained[topic] = payload
        elif retain:
            self._retained.pop(topic, None)
        for session in list(self._clients.values()):
            session.offer(Publication(topic, payload))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        session = None
        if task is not None:
            self._serving[task] = writer
            task.add_done_callback(self._serving.pop)
        try:
            session = await self._admit(reader, writer)
            while (packet := await session.next_packet(reader)).kind != PacketTypes.DISCONNECT:
                self._answer(session, packet)
                await writer.drain()
        except ProtocolError as error:
            log.warning("client is let go", error=str(error))
            writer.write(packets.write_packet(PacketTypes.DISCONNECT, bytes([_MALFORMED, 0])))
        except (OSError, EOFError, TimeoutError):
            pass
        finally:
            if session is not None and self._clients.get(session.name) is session:
                del self._clients[session.name]
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _admit(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> "_Session":
        packet = await asyncio.wait_for(packets.read_packet(reader), CONNECT_SECONDS)
        if packet.kind != PacketTypes.CONNECT:
            raise ProtocolError("it does not begin with CONNECT")
        connect = packets.read_connect(packet.body)
        properties = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
        properties.MaximumQoS = 1
        if not connect.client:
            self._named += 1
            connect = replace(connect, client=f"client-{self._named}")
            properties.AssignedClientIdentifier = connect.client
        if (before := self._clients.get(connect.client)) is not None:
            before.hang_up(_TAKEN_OVER)
        session = self._clients[connect.client] = _Session(connect, writer)
        described = properties.pack()  # type: ignore[no-untyped-call]
        session.send(PacketTypes.CONNACK, bytes(2) + described)
        return session

    def _answer(self, session: "_Session", packet: packets.Packet) -> None:
        if packet.kind == PacketTypes.PUBLISH:
            message = packets.read_publish(packet)
            if message.qos:
                session.send(PacketTypes.PUBACK, message.number.to_bytes(2, "big"))
            self.publish(message.topic, message.payload, retain=message.retain)
            self._hear(message.topic, message.payload)
        elif packet.kind == PacketTypes.PUBACK:
            session.note_acknowledged(packets.read_number(packet.body))
        elif packet.kind == PacketTypes.SUBSCRIBE:
            number, filters = packets.read_subscribe(packet.body)
            granted = bytes(session.subscribe(name, options) for name, options in filters)
            session.send(PacketTypes.SUBACK, number.to_bytes(2, "big") + b"\0" + granted)
            for name, options in filters:
                self._send_retained(session, name, options)
        elif packet.kind == PacketTypes.UNSUBSCRIBE:
            number, names = packets.read_unsubscribe(packet.body)
            session.unsubscribe(names)
            session.send(
                PacketTypes.UNSUBACK, number.to_bytes(2, "big") + b"\0" + bytes(len(names))
            )
        elif packet.kind == PacketTypes.PINGREQ:
            session.send(PacketTypes.PINGRESP)
        else:
            raise ProtocolError(f"a packet of kind {packet.kind} is not expected")

    def _send_retained(self, session: "_Session", topic_filter: str, options: int) -> None:
        matcher: Any = MQTTMatcher()  # type: ignore[no-untyped-call]
        if options >> 4 & 3 != _NO_RETAINED:
            matcher[topic_filter] = True
        for topic, payload in self._retained.items():
            if any(matcher.iter_match(topic)):
                session.offer(Publication(topic, payload, retain=True))


class _Session:
    """A connected client with its subscriptions and unacknowledged messages."""

    def __init__(self, connect: packets.Connect, writer: asyncio.StreamWriter) -> None:
        self.name = connect.client
        self._writer = writer
        self._patience = connect.keepalive_seconds * _PATIENCE or None
        self._most = connect.under_way
        # Granted QoS by filter.
        self._filters: Any = MQTTMatcher()  # type: ignore[no-untyped-call]
        self._under_way: set[int] = set()
        self._waiting: deque[Publication] = deque()
        self._number = 0

    async def next_packet(self, reader: asyncio.StreamReader) -> packets.Packet:
        return await asyncio.wait_for(packets.read_packet(reader), self._patience)

    def subscribe(self, name: str, options: int) -> int:
        self._filters[name] = qos = min(options & 3, 1)
        return qos

    def unsubscribe(self, names: list[str]) -> None:
        for name in names:
            with suppress(KeyError):
                del self._filters[name]

    def wants(self, topic: str) -> bool:
        return any(True for _ in self._filters.iter_match(topic))

    @property
    def is_awaited(self) -> bool:
        return bool(self._under_way or self._waiting)

    def send(self, kind: int, body: bytes = b"") -> None:
        self._writer.write(packets.write_packet(kind, body))

    def offer(self, message: Publication) -> None:
        """Send a message that a subscription matches.

        It goes at once, or at QoS 1 when the receive maximum allows.
        """
        if self._writer.is_closing():
            return
        qos = max(self._filters.iter_match(message.topic), default=None)
        if qos == 0:
            self._writer.write(packets.write_publish(message))
        elif qos is not None:
            self._waiting.append(replace(message, qos=qos))
            self._send_waiting()
        if (
            len(self._waiting) > _MOST_WAITING
            or self._writer.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES
        ):
            log.warning("client is let go", error="it reads too slowly")
            # Not closed, which would wait until it has read everything.
            self._writer.transport.abort()

    def note_acknowledged(self, number: int) -> None:
        self._under_way.discard(number)
        self._send_waiting()

    def hang_up(self, reason: int = 0) -> None:
        with suppress(OSError):
            self.send(PacketTypes.DISCONNECT, bytes([reason, 0]))
        self._writer.close()

    def _send_waiting(self) -> None:
        while self._waiting and len(self._under_way) < self._most:
            self._number = self._number % 65_535 + 1
            while self._number in self._under_way:
                self._number = self._number % 65_535 + 1
            self._under_way.add(self._number)
            self._writer.write(
                packets.write_publish(replace(self._waiting.popleft(), number=self._number))
            )
