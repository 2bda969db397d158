"""Points in JSON messages of a broker: the last of each topic, for as long as it says something; what is written is read back there."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pydantic import SecretStr

from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse
from luna.platform.addresses import Broker
from luna.platform.drivers.device_secrets import DeviceSecret
from luna.platform.drivers.json_values import parse_document, pick, place
from luna.platform.drivers.points import DeviceIdentity, PointValue
from luna.platform.drivers.profile import PREFIX_PART, DeviceProfile, JsonPoint, MqttTransport

if TYPE_CHECKING:
    import paho.mqtt.client as paho

TLS_PORT = 8883


class TimedMessage(NamedTuple):
    """A message, and when it came, seconds of a clock that is never set."""

    at: float
    document: Any


class MqttPoints:
    """The points of a device behind a broker.

    Args:
        profile: of the device.
        transport: of the profile.
        via: the broker, and how the topics of the device begin.
        secret: user and password of the broker, None: it wants none.
        now: seconds of a clock that is never set.

    Raises:
        InvalidInputError: the topics have a beginning that ``via`` does not name.
    """

    def __init__(
        self, profile: DeviceProfile, transport: MqttTransport, via: Via, *, secret: DeviceSecret | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        # A tenth of a second of imports, for those who have such a device.
        from luna.platform.mqtt import BrokerLink

        self._now = now
        self._profile, self._transport = profile, transport
        self._prefix, self._points = via.prefix, {name: cast("JsonPoint", point) for name, point in profile.points.items()}
        port = via.port or transport.port
        user, password = (secret.user, SecretStr(secret.password)) if secret is not None else (None, None)
        self._broker = Broker(via.host, port, user, password, tls=port == TLS_PORT)
        self._news = threading.Condition()
        self._messages: dict[str, TimedMessage] = {}
        # How often it was asked to say everything, and said that it had, while the connection lasts.
        self._requests = self._answers = 0
        self._requested_at = -math.inf
        # What was sent to points that cannot be read, while the connection lasts.
        self._sent: dict[str, float] = {}
        if via.prefix is None and profile.needs_prefix:
            raise refuse("device-prefix-missing", field="via.prefix", profile=profile.profile)
        self._link = BrokerLink(self._broker, self._all_topics(), self._on_message, patience_s=transport.patience_s)

    @property
    def place(self) -> str:
        """Where the broker is, as errors name it."""
        return f"{self._broker.host}:{self._broker.port}"

    def identify(self) -> DeviceIdentity | None:
        """Return nothing: no profile says how to ask."""
        return None

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name; NaN where the device knows none, or said so too long ago.

        Raises:
            UnavailableError: the broker does not answer, or nothing comes from the device.
        """
        points = {name: self._points[name] for name in names}
        topics = {self._topic(point.at) for point in points.values()}
        if topics:
            self._listen(topics)
        return {name: self._value_of(point) for name, point in points.items()}

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Return of each value whether the device says that it holds; of a point that is only written, whether it was the last one sent.

        Raises:
            UnavailableError: the broker does not answer, or nothing comes from the device.
        """
        read = self.read(point for point, _ in values if not self._points[point].write_only)
        return [_is_same(read[point] if point in read else self._sent.get(point, math.nan), value) for point, value in values]

    def write(self, values: Sequence[PointValue]) -> None:
        """Publish one after the other, each once the device says that it holds the one before.

        Raises:
            UnavailableError: the broker does not answer, nothing comes from the device, or it keeps what it had.
        """
        for name, value in values:
            point = self._points[name]
            self._publish(self._topic(point.write_to or ""), json.dumps(place(None, point.field_, value / point.scale)))
            self._sent[name] = value
            if not point.write_only and not self._waits(partial(self._tells, point, value)):
                # Is it away, had it the value all along and so nothing new to say, or does it not want to?
                self._requested_at = -math.inf
                self._listen({self._topic(point.at)})
                if not self._tells(point, value):
                    raise refuse("device-keeps-value", field="via", value=self.place, point=name)

    def close(self) -> None:
        """Close the connection; what was said over it says nothing any more."""
        self._link.close()
        self._requested_at = -math.inf
        self._sent.clear()
        with self._news:
            self._messages.clear()
            self._requests = self._answers = 0

    def _listen(self, topics: set[str]) -> None:
        """Return once there is something to say of these topics.

        Raises:
            UnavailableError: there is nothing.
        """
        self._connect()
        request, since = self._transport.request, self._now() - self._transport.stale_s
        is_first = is_new = not self._messages
        if request is not None and self._now() - self._requested_at >= request.every_s:
            since, is_new = self._now(), True
            self._requested_at = since
            # Of an answer to somebody else the beginning may have come before anybody listened here: the end of the second one is that of a whole one.
            for _ in range(2 if is_first and request.done is not None else 1):
                # Answers that others asked for are no answers to this.
                self._requests = max(self._requests, self._answers) + 1
                self._publish(self._topic(request.to), request.payload)
        # Whoever has said once that it is done says so each time: what comes before is of the answer before.
        if is_new and not self._waits(
            lambda: 0 < self._requests <= self._answers or (not self._answers and all(self._came_since(topic, since) for topic in topics))
        ):
            # One answer to two requests, or a lost one, is not waited for again.
            self._requests = self._answers
        if not self._is_done(since) and not any(self._came_since(topic, since) for topic in topics):
            self.close()
            raise refuse("device-silent", field="via", value=self.place)

    def _is_done(self, since: float = -math.inf) -> bool:
        """Return whether the device said that it had said everything."""
        request = self._transport.request
        return request is not None and request.done is not None and self._came_since(self._topic(request.done), since)

    def _came_since(self, topic: str, instant: float) -> bool:
        return topic in self._messages and self._messages[topic].at >= instant

    def _value_of(self, point: JsonPoint) -> float:
        message = self._messages.get(self._topic(point.at))
        if message is None:
            return point.absent if point.absent is not None and self._is_done() else math.nan
        return pick(message.document, point.field_) * point.scale if self._now() - message.at <= self._transport.stale_s else math.nan

    def _tells(self, point: JsonPoint, value: float) -> bool:
        return _is_same(self._value_of(point), value)

    def _waits(self, holds: Callable[[], bool]) -> bool:
        with self._news:
            return self._news.wait_for(holds, self._transport.patience_s)

    def _topic(self, name: str) -> str:
        return name.replace(PREFIX_PART, self._prefix or "")

    def _all_topics(self) -> list[str]:
        done = [] if self._transport.request is None or self._transport.request.done is None else [self._transport.request.done]
        return [self._topic(name) for name in dict.fromkeys([*(point.at for point in self._points.values()), *done])]

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
        # Nobody knows how old it is.
        if message.retain:
            return
        try:
            document = parse_document(message.payload) if message.payload else None
        except ValueError:
            document = None
        with self._news:
            self._messages[message.topic] = TimedMessage(self._now(), document)
            request = self._transport.request
            self._answers += request is not None and request.done is not None and message.topic == self._topic(request.done)
            self._news.notify_all()


def _is_same(value: float, other: float) -> bool:
    return math.isclose(value, other, rel_tol=1e-6, abs_tol=1e-6)
