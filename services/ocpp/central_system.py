"""Keep all charge points, their connections and their commanders.

A charge point that no site has is *found*: it is answered and listed, and nothing is sent to it
but the question what it is.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping

import structlog
from prometheus_client import Counter, Gauge
from websockets.asyncio.server import ServerConnection

from luna.contracts.charge_points import (
    AskChargePoint,
    ChargePointAnswer,
    ChargePointRequest,
    LimitChargePoint,
    ListChargePoints,
    SeenChargePoint,
)
from luna.platform.clock import Clock
from services.ocpp.charge_point import BOOT_SECONDS, LOOK_SECONDS, ChargePoint, Dialect
from services.ocpp.link import CallRefusedError
from services.ocpp.ocpp16 import Ocpp16
from services.ocpp.ocpp201 import Ocpp201
from services.ocpp.records import RecordFolder
from services.ocpp.transactions import TransactionBook

# Charge points of one house and of its neighbours' experiments.
MOST_FOUND = 32
MOST_ACCEPTED = 64
# An identity that changes hands more often within that time belongs to two charge points.
MOST_CHANGES = 3
CHANGES_SECONDS = 60.0

# By the names of websocket's subprotocols; who names none speaks 1.6.
DIALECTS: Mapping[str, type[Ocpp16] | type[Ocpp201]] = {
    "ocpp1.6": Ocpp16,
    "ocpp2.0.1": Ocpp201,
}

CONNECTED = Gauge("luna_ocpp_connected_charge_points", "Charge points with a connection.")
ACCEPTED = Gauge("luna_ocpp_accepted_charge_points", "Charge points that a site has.")
REJECTED = Counter("luna_ocpp_rejected_connections_total", "Connections that were turned away.")

log = structlog.get_logger("luna.ocpp")


class CentralSystem:
    """The charge points, found and accepted.

    Args:
        records: the accepted ones on disk.
        clock: gives instants.
        seconds: a clock that never goes back.
        boot_seconds: how long a charge point's boot is waited for.
        look_seconds: after which a charge point is looked after at the latest.
    """

    def __init__(
        self,
        records: RecordFolder,
        clock: Clock,
        *,
        seconds: Callable[[], float] = time.monotonic,
        boot_seconds: float = BOOT_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._records = records
        self._clock = clock
        self.seconds = seconds
        self._boot_seconds = boot_seconds
        self._look_seconds = look_seconds
        self._points: dict[str, ChargePoint] = {}
        self._changes: dict[str, deque[float]] = {}

    def load(self) -> None:
        """Take up the accepted charge points on disk."""
        for record in self._records.load():
            point = self._add(record.identity)
            point.boot = record.boot
            point.traits = record.traits
            point.transactions = TransactionBook(record.transactions)
        self._count()

    # Its connections

    async def find_obstacle(self, identity: str, address: str) -> str | None:
        """Return why a charge point may not connect now, None where it may."""
        point = self._points.get(identity)
        if point is None:
            found = [point for point in self._points.values() if point.traits is None]
            if len(found) >= MOST_FOUND and all(point.is_connected for point in found):
                REJECTED.inc()
                return "too many charge points that no site has"
            return None
        if not point.is_connected or point.address == address:
            return None
        # An accepted one counts for the house: whoever takes its name has to wait until it is gone.
        if point.traits is not None and await point.keeps_connection():
            return self._turn_away(point, address)
        changes = self._changes.setdefault(identity, deque(maxlen=MOST_CHANGES))
        is_full = len(changes) == MOST_CHANGES
        if is_full and self.seconds() - changes[0] < CHANGES_SECONDS:
            return self._turn_away(point, address)
        changes.append(self.seconds())
        return None

    def _turn_away(self, point: ChargePoint, address: str) -> str:
        REJECTED.inc()
        log.warning(
            "two charge points have one identity; the one that was first stays",
            charge_point=point.identity,
            addresses=[point.address, address],
        )
        return "another charge point has this identity"

    async def serve(self, identity: str, address: str, connection: ServerConnection) -> None:
        """Speak to a charge point until its connection ends."""
        point = self._points.get(identity) or self._add(identity)
        speak = DIALECTS.get(str(connection.subprotocol), Ocpp16)
        dialect = speak(point, connection)
        replaced = point.connect(dialect, address)
        if replaced is not None:
            log.info("a charge point has connected anew", charge_point=identity, address=address)
            # Not awaited: a dead connection takes its time to close.
            closing = asyncio.create_task(replaced.close("a later connection has this identity"))
        else:
            closing = None
            log.info("a charge point has connected", charge_point=identity, address=address)
        self._count()
        keeper = asyncio.create_task(self._look_after(point, dialect))
        try:
            await dialect.link.run()
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            if closing is not None:
                await asyncio.gather(closing, return_exceptions=True)
            point.disconnect(dialect)
            self._count()
            log.info("a charge point has disconnected", charge_point=identity)

    async def _look_after(self, point: ChargePoint, dialect: Dialect) -> None:
        try:
            await point.look_after(dialect)
        except Exception:  # the edge of a charge point's care: the others go on
            log.exception("a charge point is not looked after", charge_point=point.identity)
            await dialect.close("an error of Luna's")

    def _add(self, identity: str) -> ChargePoint:
        """Add a charge point; one that no site has and that is away longest makes room."""
        found = [point for point in self._points.values() if point.traits is None]
        away = [point for point in found if not point.is_connected]
        if len(found) >= MOST_FOUND and away:
            oldest = min(away, key=_seen_at)
            del self._points[oldest.identity]
            self._changes.pop(oldest.identity, None)
        point = ChargePoint(
            identity,
            self._records,
            self._clock,
            seconds=self.seconds,
            boot_seconds=self._boot_seconds,
            look_seconds=self._look_seconds,
        )
        self._points[identity] = point
        return point

    def _count(self) -> None:
        points = self._points.values()
        CONNECTED.set(sum(point.is_connected for point in points))
        ACCEPTED.set(sum(point.traits is not None for point in points))

    # Who asks

    def list_points(self) -> list[SeenChargePoint]:
        """Return all charge points by their identities."""
        points = sorted(self._points.values(), key=_identity)
        return [point.summarise() for point in points]

    async def answer(self, request: ChargePointRequest) -> ChargePointAnswer:
        """Answer a request; one for a charge point is the word of a site that has it."""
        if isinstance(request, ListChargePoints):
            return ChargePointAnswer(charge_points=self.list_points())
        point = self._points.get(request.identity)
        if point is None:
            accepted = [point for point in self._points.values() if point.traits is not None]
            if len(accepted) >= MOST_ACCEPTED:
                return ChargePointAnswer(fault="silent", reason="too many charge points")
            point = self._add(request.identity)
        commands = isinstance(request, LimitChargePoint) or request.commands
        point.accept(request.traits, commands=commands)
        self._count()
        try:
            return await self._ask(point, request)
        except CallRefusedError as error:
            fault = "silent" if error.silent else "refused"
            log.warning(
                "a charge point does not do what it is to do",
                charge_point=point.identity,
                why=error.reason,
            )
            return ChargePointAnswer(fault=fault, reason=error.reason, state=point.describe())

    async def _ask(
        self, point: ChargePoint, request: AskChargePoint | LimitChargePoint
    ) -> ChargePointAnswer:
        if isinstance(request, LimitChargePoint):
            await point.limit(request.limit)
        elif not point.is_connected:
            return ChargePointAnswer(
                fault="silent", reason="it has no connection to Luna", state=point.describe()
            )
        return ChargePointAnswer(state=point.describe())


def _seen_at(point: ChargePoint) -> float:
    return point.seen_at


def _identity(point: ChargePoint) -> str:
    return point.identity
