"""Read and write points in JSON messages of an MQTT broker.

The last message of each topic counts until it is stale; writes are read back there.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pydantic import SecretStr

from luna.drivers.device_secrets import DeviceSecret
from luna.drivers.document_formats import read_as
from luna.drivers.json_points import pick_point, place_point, write_text
from luna.drivers.points import DeviceIdentity, PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import PREFIX_PART, VALUE_PART, JsonPoint
from luna.drivers.transports import MqttTransport
from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse
from luna.platform.addresses import Broker

if TYPE_CHECKING:
    import paho.mqtt.client as paho

TLS_PORT = 8883


class TimedMessage(NamedTuple):
    """A message and its time of arrival, seconds of the monotonic clock."""

    at: float
    document: Any


class MqttPoints:
    """The points of a device behind a broker.

    Args:
        profile: of the device.
        transport: of the profile.
        via: the broker's address, and the prefix of the device's topics.
        secret: user and password of the broker, None: it needs none.
        now: seconds of a monotonic clock.

    Raises:
        InvalidInputError: the profile needs a topic prefix, and ``via`` has none.
    """

    def __init__(
        self,
        profile: DeviceProfile,
        transport: MqttTransport,
        via: Via,
        *,
        secret: DeviceSecret | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        # Imported here: it takes a tenth of a second, and only MQTT devices need it.
        from luna.platform.mqtt import BrokerLink

        self._now = now
        self._profile = profile
        self._transport = transport
        self._prefix = via.prefix
        self._points = {name: cast("JsonPoint", point) for name, point in profile.points.items()}
        port = via.port or transport.port
        user: str | None = None
        password: SecretStr | None = None
        if secret is not None:
            user = secret.user
            password = SecretStr(secret.password)
        self._broker = Broker(via.host, port, user, password, tls=port == TLS_PORT)
        self._alive = None if transport.alive is None else self._topic(transport.alive)
        self._news = threading.Condition()
        self._messages: dict[str, TimedMessage] = {}
        # Requests for all values, and ``done`` messages, over this connection.
        self._requests = 0
        self.answers = 0
        self._requested_at = -math.inf
        # Last values sent to write-only points over this connection.
        self._sent: dict[str, float] = {}
        if via.prefix is None and profile.needs_prefix:
            raise refuse("device-prefix-missing", field="via.prefix", profile=profile.profile)
        self._link = BrokerLink(
            self._broker, self._all_topics(), self._on_message, patience_s=transport.patience_s
        )

    @property
    def place(self) -> str:
        """The broker's address for error messages."""
        return f"{self._broker.host}:{self._broker.port}"

    def identify(self) -> DeviceIdentity | None:
        """Return None: no profile declares how to ask over MQTT."""
        return None

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name, NaN where the device has no value, or its message is stale.

        Raises:
            UnavailableError: the broker does not answer, or nothing comes from the device.
        """
        points = {name: self._points[name] for name in names}
        topics = {self._topic(point.at) for point in points.values()}
        if topics:
            self._listen(topics)
        return {name: self._value_of(point) for name, point in points.items()}

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return for each value whether the device reports it.

        For a write-only point, whether it was the last one sent over this connection.

        Raises:
            UnavailableError: the broker does not answer, or nothing comes from the device.
        """
        reported = self.read(point for point, _ in values if not self._points[point].write_only)
        matches: list[bool] = []
        for point, value in values:
            # A write-only point is not reported: the last value sent counts.
            present = reported.get(point, self._sent.get(point, math.nan))
            matches.append(_is_same(present, value))
        return matches

    def write(self, values: Sequence[PointValue]) -> None:
        """Publish in order, each value after the device reported the one before.

        Raises:
            UnavailableError: the broker does not answer, nothing comes from the device, or it keeps
                its old value.
        """
        for name, value in values:
            point = self._points[name]
            payload = self._write_payload(name, value)
            self._publish(self._topic(point.write_to or ""), payload)
            self._sent[name] = value
            if not point.write_only and not self._waits(partial(self._tells, point, value)):
                # No confirmation: it is away, refuses, or had the value already and publishes no
                # change. A request for all values tells which.
                self._requested_at = -math.inf
                self._listen({self._topic(point.at)})
                if not self._tells(point, value):
                    raise refuse("device-keeps-value", field="via", value=self.place, point=name)

    def _write_payload(self, name: str, value: float) -> str:
        """Return the message that writes a point: a document of its field, or its own text.

        Raises:
            UnavailableError: no code stands for the value.
        """
        point = self._points[name]
        if point.write_body is None:
            return json.dumps(place_point(None, point, value))
        return point.write_body.replace(VALUE_PART, write_text(name, point, value, self.place))

    def close(self) -> None:
        """Close the connection and forget the messages that came over it."""
        self._link.close()
        self._requested_at = -math.inf
        self._sent.clear()
        with self._news:
            self._messages.clear()
            self._requests = 0
            self.answers = 0

    def _listen(self, topics: set[str]) -> None:
        """Wait until one of the topics has a current message or the device is done.

        First request all values where that is due.

        Raises:
            UnavailableError: nothing came in time.
        """
        self._connect()
        request = self._transport.request
        since = self._now() - self._transport.stale_s
        is_first = not self._messages
        if self._alive is not None:
            # What the broker keeps comes at once, and is no sign of life.
            topics = {self._alive}
            is_first = self._alive not in self._messages
        is_new = is_first
        if request is not None and self._now() - self._requested_at >= request.every_s:
            since = self._now()
            is_new = True
            self._requested_at = since
            # An answer to another client may have begun before this subscription: only the second
            # ``done`` ends an answer that was received whole.
            request_count = 2 if is_first and request.done is not None else 1
            for _ in range(request_count):
                # Answers to other clients were counted as well; wait for one more than those.
                self._requests = max(self._requests, self.answers) + 1
                self._publish(self._topic(request.to), request.payload)
        # A device that ever sent ``done`` is taken to send it always: messages before it belong to
        # the previous answer.
        if is_new and not self._waits(lambda: self._is_answered(topics, since)):
            # A device may merge two requests into one answer, or lose one: that answer is not
            # waited for again.
            self._requests = self.answers
        if not self._is_done(since) and not any(self._came_since(topic, since) for topic in topics):
            self.close()
            raise refuse("device-silent", field="via", value=self.place)

    def _is_done(self, since: float = -math.inf) -> bool:
        """Return whether the device sent ``done`` since an instant."""
        request = self._transport.request
        return (
            request is not None
            and request.done is not None
            and self._came_since(self._topic(request.done), since)
        )

    def _came_since(self, topic: str, instant: float) -> bool:
        return topic in self._messages and self._messages[topic].at >= instant

    def _value_of(self, point: JsonPoint) -> float:
        message = self._messages.get(self._topic(point.at))
        if message is None:
            return point.absent if point.absent is not None and self._is_done() else math.nan
        sign_of_life = message if self._alive is None else self._messages.get(self._alive)
        if sign_of_life is None or self._now() - sign_of_life.at > self._transport.stale_s:
            return math.nan
        return pick_point(message.document, point, self._profile.invalid_of(point))

    def _tells(self, point: JsonPoint, value: float) -> bool:
        return _is_same(self._value_of(point), value)

    def _waits(self, holds: Callable[[], bool]) -> bool:
        with self._news:
            return self._news.wait_for(holds, self._transport.patience_s)

    def _topic(self, name: str) -> str:
        return name.replace(PREFIX_PART, self._prefix or "")

    def _is_answered(self, topics: set[str], since: float) -> bool:
        if 0 < self._requests <= self.answers:
            return True
        return not self.answers and all(self._came_since(topic, since) for topic in topics)

    def _all_topics(self) -> list[str]:
        names = [point.at for point in self._points.values()]
        request = self._transport.request
        if request is not None and request.done is not None:
            names.append(request.done)
        if self._transport.alive is not None:
            names.append(self._transport.alive)
        return [self._topic(name) for name in dict.fromkeys(names)]

    def _publish(self, topic: str, payload: str) -> None:
        from luna.platform.mqtt import BrokerError

        self._connect()
        try:
            self._link.publish(topic, payload)
        except BrokerError as exc:
            self.close()
            raise refuse("device-silent", field="via", value=self.place) from exc

    def _connect(self) -> None:
        from luna.platform.mqtt import BrokerError

        if self._link.is_open:
            return
        self.close()
        try:
            self._link.open()
        except BrokerError as exc:
            if exc.fault == "refused":
                raise refuse("device-unauthorized", field="via.secret", value=self.place) from exc
            raise refuse("device-silent", field="via", value=self.place) from exc

    def _on_message(self, message: "paho.MQTTMessage") -> None:
        # The age of a retained message is unknown.
        if message.retain and self._alive in {None, message.topic}:
            return
        try:
            document = (
                read_as(message.payload, self._transport.documents) if message.payload else None
            )
        except ValueError:
            # A plain word, such as on: a point with codes knows it.
            document = message.payload.decode(errors="replace")
        with self._news:
            self._messages[message.topic] = TimedMessage(self._now(), document)
            request = self._transport.request
            done = None if request is None else request.done
            if done is not None and message.topic == self._topic(done):
                self.answers += 1
            self._news.notify_all()


def _is_same(value: float, other: float) -> bool:
    return math.isclose(value, other, rel_tol=1e-6, abs_tol=1e-6)
