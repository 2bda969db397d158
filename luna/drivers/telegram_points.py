"""Read points in telegrams that a meter sends by itself.

A thread listens while somebody reads; the last telegram counts until it is stale. Nothing is sent.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

from luna.drivers.json_points import pick_point
from luna.drivers.mqtt_points import TimedMessage
from luna.drivers.points import DeviceIdentity, PointValue
from luna.drivers.profile import DeviceProfile
from luna.drivers.profile_points import PREFIX_PART, JsonPoint
from luna.drivers.transports import MulticastTransport, P1Transport
from luna.energy.devices.commands import Via
from luna.energy.refusals import refuse
from luna.platform.address_policy import AddressRefusedError

# How long one call to a source waits: closing takes no longer.
_WAIT_S = 0.2


class TelegramSource(Protocol):
    """Receives a meter's telegrams.

    Attributes:
        place: the meter's address for error messages.
        dropped: how many telegrams were incomplete, garbled or of no known form since ``open``.
    """

    place: str
    dropped: int

    def open(self) -> None:
        """Begin to listen.

        Raises:
            OSError: there is nothing to listen to, or its address is refused.
        """

    def receive(self, wait_s: float) -> Mapping[str, Any]:
        """Return the documents that came within a time, by their place in a profile.

        Raises:
            OSError: the connection ended.
        """

    def close(self) -> None:
        """Stop listening."""


class TelegramPoints:
    """The points of a meter that sends telegrams.

    Args:
        profile: of the meter.
        transport: of the profile.
        source: receives the telegrams.
        via: the meter's address, and its serial number as prefix where the profile needs one.
        now: seconds of a monotonic clock.

    Raises:
        InvalidInputError: the profile needs a prefix, and ``via`` has none.
    """

    def __init__(
        self,
        profile: DeviceProfile,
        transport: P1Transport | MulticastTransport,
        source: TelegramSource,
        via: Via,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if via.prefix is None and profile.needs_prefix:
            raise refuse("device-prefix-missing", field="via.prefix", profile=profile.profile)
        self._profile = profile
        self._transport = transport
        self._source = source
        self._prefix = via.prefix or ""
        self._now = now
        self._news = threading.Condition()
        self._documents: dict[str, TimedMessage] = {}
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._has_ended = False

    @property
    def place(self) -> str:
        """The meter's address for error messages."""
        return self._source.place

    def identify(self) -> DeviceIdentity | None:
        """Return the meter's identity, None where its profile declares no way to read it.

        Raises:
            UnavailableError: no telegram comes, or it is another product's.
        """
        identified = self._profile.identified
        if identified is None:
            return None
        places = {rule.at: self._name(rule.at) for rule in identified.documents}
        documents = self._listen(places.values())
        identity = identified.read_documents(
            {place: documents.get(name) for place, name in places.items()},
            self._profile.covers[0].brand,
        )
        if identity is None:
            raise refuse(
                "device-other-product", field="via", value=self.place, profile=self._profile.profile
            )
        return identity

    def read(self, names: Iterable[str]) -> dict[str, float]:
        """Return points by name; NaN where the telegram lacks it.

        Raises:
            UnavailableError: no telegram comes, or none that can be read.
        """
        points = {name: cast("JsonPoint", self._profile.points[name]) for name in names}
        places = {name: self._name(point.at) for name, point in points.items()}
        documents = self._listen(places.values())
        values: dict[str, float] = {}
        for name, point in points.items():
            invalid = self._profile.invalid_of(point)
            values[name] = pick_point(documents.get(places[name]), point, invalid)
        return values

    def hold(self, values: Sequence[PointValue]) -> list[bool]:
        """Refuse: a meter is not commanded.

        Raises:
            InvalidInputError: always.
        """
        raise refuse("profile-not-commanded", field="via", value=self._profile.profile)

    def write(self, values: Sequence[PointValue]) -> None:
        """Refuse: a meter is not commanded.

        Raises:
            InvalidInputError: always.
        """
        raise refuse("profile-not-commanded", field="via", value=self._profile.profile)

    def close(self) -> None:
        """Stop listening and forget what came."""
        thread = self._thread
        self._thread = None
        if thread is not None:
            self._ending.set()
            thread.join()
        with self._news:
            self._documents.clear()

    def _listen(self, places: Iterable[str]) -> dict[str, Any]:
        """Return the documents at these places that are not stale, once there is one.

        Raises:
            UnavailableError: none came in time.
        """
        wanted = set(places)
        if not wanted:
            return {}
        self._start()
        with self._news:
            self._news.wait_for(
                lambda: self._has_ended or bool(self._list_fresh(wanted)),
                self._transport.patience_s,
            )
            documents = self._list_fresh(wanted)
        if documents:
            return documents
        dropped = self._source.dropped
        self.close()
        if dropped:
            raise refuse("device-telegrams-unreadable", field="via", value=self.place)
        raise refuse("device-silent", field="via", value=self.place)

    def _list_fresh(self, places: Iterable[str]) -> dict[str, Any]:
        since = self._now() - self._transport.stale_s
        return {
            place: self._documents[place].document
            for place in places
            if place in self._documents and self._documents[place].at >= since
        }

    def _start(self) -> None:
        if self._thread is not None and not self._has_ended:
            return
        self.close()
        try:
            self._source.open()
        except AddressRefusedError as exc:
            raise refuse("device-address-refused", field="via", value=self.place) from exc
        except OSError as exc:
            raise refuse("device-silent", field="via", value=self.place) from exc
        self._has_ended = False
        self._ending = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._ending,), name="telegrams", daemon=True
        )
        self._thread.start()

    def _run(self, ending: threading.Event) -> None:
        try:
            while not ending.is_set():
                documents = self._source.receive(_WAIT_S)
                if documents:
                    self._take(documents)
        except OSError:
            # Whoever reads next connects again.
            return
        finally:
            self._source.close()
            with self._news:
                self._has_ended = True
                self._news.notify_all()

    def _take(self, documents: Mapping[str, Any]) -> None:
        own_places = {
            self._name(point.at)
            for point in self._profile.points.values()
            if isinstance(point, JsonPoint)
        }
        with self._news:
            for place, document in documents.items():
                # A network may have other meters of the kind.
                if place in own_places:
                    self._documents[place] = TimedMessage(self._now(), document)
            self._news.notify_all()

    def _name(self, place: str) -> str:
        return place.replace(PREFIX_PART, self._prefix)
