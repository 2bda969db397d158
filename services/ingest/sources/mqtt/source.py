"""Sensors over MQTT: live messages, and those that the broker stored during an absence.

A message is acknowledged after its readings are recorded. So with publishers at QoS 1 and a broker
that keeps sessions, neither a lost connection nor a killed process loses one. A message whose
acknowledgement was lost comes again and counts as the same reading. What the broker itself loses,
when it is killed without persistence or reaches its limit of queued messages, is gone.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import paho.mqtt.client as paho
import structlog

from luna.platform.addresses import Broker
from luna.platform.clock import Clock, SystemClock
from luna.platform.retry import RetryPolicy
from services.ingest.source_readings import Reading
from services.ingest.sources.mqtt.connection import Connection, connected
from services.ingest.sources.mqtt.directory import Directory, MqttMessage
from services.ingest.sources.mqtt.discovery import discovery_filters
from services.ingest.sources.mqtt.session_store import Journal, Session, digest_of
from services.ingest.sources.source import SourceError

# A returning broker is found within a minute, and not by all its clients at once. Even after a
# connection with messages there is a pause of a second.
RECONNECT = RetryPolicy(timedelta(seconds=1), longest=timedelta(minutes=1), jitter=0.5)
# Time for retained descriptions to arrive before missing ones are logged.
SETTLING_SECONDS = 10.0
_MICROSECOND = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)

Record = Callable[[Sequence[Reading]], Awaitable[None]]
log = structlog.get_logger("luna.ingest.mqtt")


class MqttSource:
    """A LiveSource behind an MQTT broker.

    Args:
        broker: its address and Luna's user.
        folder: kept across restarts, for this client's name, the devices' descriptions and the
            messages begun. Only one process may use it.
        clock: gives each message the instant of its receipt; MQTT carries none.
        random_source: varies the pauses between attempts to connect.
    """

    name = "mqtt"

    def __init__(
        self,
        broker: Broker,
        folder: Path,
        *,
        clock: Clock | None = None,
        random_source: random.Random | None = None,
    ) -> None:
        self._broker = broker
        self._folder = folder
        self._clock = clock or SystemClock()
        # Pauses, no secrets.
        self._random = random_source or random.Random()  # noqa: S311
        self.fault: SourceError | None = SourceError(
            "not connected yet", field="mqtt_url", value=str(broker)
        )

    async def listen(self, sensors: Sequence[str], record: Record) -> None:
        """Hand every reading to ``record``, which returns when it is safe.

        Reconnect without a gap until cancelled.

        Raises:
            MachineError: the folder cannot be written.
        """
        session = Session(self._folder)
        directory = Directory(self._broker.prefix, sensors)
        directory.teach(session.descriptions)
        listener = _Listener(
            directory, record, session=session, journal=Journal(self._folder), clock=self._clock
        )
        failures = 0
        try:
            while True:
                received = listener.received
                with suppress(SourceError):
                    await self._connect(listener)
                failures = failures + 1 if listener.received == received else 0
                await asyncio.sleep(RECONNECT.pause(failures + 1, self._random).total_seconds())
        finally:
            listener.journal.close()

    async def _connect(self, listener: "_Listener") -> None:
        try:
            async with connected(self._broker, listener.session.identifier) as (
                connection,
                remembered,
            ):
                self.fault = None
                log.info("listens to the broker", broker=str(self._broker), remembered=remembered)
                await listener.serve(connection, remembered=remembered)
        except SourceError as error:
            self.fault = error
            log.warning("broker does not answer and is tried again", error=str(error))
            raise


class _Listener:
    """Takes messages from one connection after the other."""

    def __init__(
        self,
        directory: Directory,
        record: Record,
        *,
        session: Session,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.directory = directory
        self.session = session
        self.journal = journal
        self.received = 0
        self._record = record
        self._clock = clock
        self._last: datetime | None = None

    async def serve(self, connection: Connection, *, remembered: bool) -> None:
        """Receive messages until the connection is gone."""
        if not remembered:
            self.journal.forget()
        await connection.unsubscribe(self.session.topics - self.directory.topics())
        self._save_session()
        await connection.subscribe(self.directory.topics(), qos=1)
        # The broker retains descriptions and sends them at each subscription, so none is lost at
        # QoS 0, and they take no place among the messages that wait for an acknowledgement.
        await connection.subscribe(discovery_filters(self.directory.prefix), qos=0)
        settled = asyncio.get_running_loop().call_later(SETTLING_SECONDS, self._log_missing)
        try:
            while True:
                await self._take(connection, await connection.batch())
        finally:
            settled.cancel()

    async def _take(self, connection: Connection, messages: list[paho.MQTTMessage]) -> None:
        readings: list[Reading] = []
        begun: list[tuple[int, str, datetime]] = []
        for message in messages:
            digest = digest_of(message.topic, bytes(message.payload))
            first_instant = None
            if message.qos and message.dup:
                first_instant = self.journal.instant_of(message.mid, digest)
            instant = first_instant or self._next_instant()
            # A repeated message is in the journal already; a second entry would drive out others
            # that may come again too.
            if message.qos and first_instant is None:
                begun.append((message.mid, digest, instant))
            received = MqttMessage(
                message.topic,
                message.payload.decode("utf-8", errors="replace"),
                retained=message.retain,
            )
            if self.directory.describes(received):
                self.directory.learn(received)
            else:
                readings += self.directory.read(received, instant)
        if begun:
            await asyncio.to_thread(self.journal.write, begun)
        if readings:
            await self._record(readings)
        connection.acknowledge(message for message in messages if message.qos)
        self.received += len(messages)
        await self._update_subscriptions(connection)

    def _next_instant(self) -> datetime:
        """Return the present, or just after the last instant, so that no two are equal."""
        instant = self._clock.now()
        # A clock that was put back by more than a second is followed.
        if self._last is not None and instant <= self._last < instant + _SECOND:
            instant = self._last + _MICROSECOND
        self._last = instant
        return instant

    async def _update_subscriptions(self, connection: Connection) -> None:
        topics = self.directory.topics()
        before = self.session.topics
        if topics != before or self.directory.needed() != self.session.descriptions:
            self._save_session()
            await connection.unsubscribe(before - topics)
            await connection.subscribe(topics - before, qos=1)

    def _save_session(self) -> None:
        self.session.save(self.directory.needed(), self.directory.topics())

    def _log_missing(self) -> None:
        missing = self.directory.missing()
        if missing:
            log.warning(
                "no device tells of these sensors",
                sensors=missing,
                remedy="Compare input_sensors with the names that the devices announce.",
            )
