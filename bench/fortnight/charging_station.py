"""A charge point of the home that speaks OCPP with Luna's process, over a real wire.

Its messages are written after the standard, without Luna's code; what it was sent is kept as it
came, and what that allows the car is worked out from the message alone.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from bench.fortnight.direct_link import GARBAGE_TEXT, LinkFaults, WriteTimes
from bench.fortnight.independent_client import VOLTAGE_KV, OfferedPower
from bench.fortnight.ocpp_messages import Messages16, Messages201
from luna.drivers.points import PointValue
from luna.drivers.profile import DeviceProfile
from luna.simulated_home.car import CarState
from luna.simulated_home.charger import HomeCharger

# By product: the version that its charge point speaks.
STATION_MESSAGES: Mapping[str, type[Messages16] | type[Messages201]] = {
    "ocpp_keba": Messages16,
    "ocpp_generic": Messages201,
}
IDENTITY = "fortnight-1"
# What its cable takes, and with how many phases it is connected.
MOST_A = 32.0
LEAST_A = 6.0
PHASES = 3
# In real time. After a reconnection the process sends its limit while the home stands still.
ANSWER_SECONDS = 5.0
SETTLE_SECONDS = 0.4
OPEN_SECONDS = 30.0
RETRY_SECONDS = 0.05
_CALL = 2
_RESULT = 3


class ChargingStation:
    """A charge point by OCPP in front of the home's charger.

    Args:
        charger: of the home, whose car draws what the station offers.
        port: of the process.
        now: the home's clock.
        read_car: what the home's car does.
        faults: of its connection.
        times: where commands are counted.
    """

    def __init__(
        self,
        charger: HomeCharger,
        port: int,
        *,
        now: Callable[[], datetime],
        read_car: Callable[[], CarState | None],
        faults: LinkFaults,
        times: WriteTimes,
    ) -> None:
        self._charger = charger
        self._messages = STATION_MESSAGES[charger.profile.profile]()
        self._port = port
        self._now = now
        self._read_car = read_car
        self._faults = faults
        self._times = times
        # The charging schedule that it was sent last, as it came; None: none.
        self._schedule: dict[str, Any] | None = None
        # What somebody set in the maker's app, until another schedule comes.
        self._app_a: float | None = None
        self._connection: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._late: list[str] = []
        self._has_booted = False
        self._status = ""
        self._session: str | None = None
        self.apply()

    @property
    def offered(self) -> OfferedPower:
        """What it offers the car now, by what it was sent."""
        if self._app_a is not None:
            return OfferedPower(self._app_a, PHASES)
        if self._schedule is None:
            return OfferedPower(MOST_A, PHASES)
        return read_offer(self._schedule, self._now())

    def apply(self) -> None:
        """Have the home's charger offer what the station offers."""
        offered = self.offered
        image = self._charger.image
        charges = offered.current_a >= LEAST_A
        image.put("current", min(offered.current_a, MOST_A))
        image.put("phases", offered.phases)
        image.put("charging", float(charges))
        image.put("own", 0.0)

    async def forget(self) -> None:
        """Restart: it has neither a limit nor a connection any more."""
        self._schedule = None
        self._app_a = None
        self._has_booted = False
        self.apply()
        if self._connection is not None:
            self._connection.transport.abort()

    async def command_by_app(self) -> None:
        """Set what Luna does not command now, as the maker's app does."""
        self._app_a = 0.0 if self.offered.current_a >= LEAST_A else LEAST_A
        self.apply()

    def read(self) -> OfferedPower:
        """Return what it offers, as the client of another product does."""
        return self.offered

    async def open(self) -> None:
        """Connect for the first time, once the process listens."""
        async with asyncio.timeout(OPEN_SECONDS):
            while not await self._connect():  # noqa: ASYNC110 - the process has no event
                await asyncio.sleep(RETRY_SECONDS)

    async def live(self) -> None:
        """Follow its schedule, and report what it does."""
        self.apply()
        if self._faults.kind == "silent":
            await self.close()
            return
        if not self._is_open and not await self._connect():
            return
        await self._send_late()
        if self._faults.is_garbage:
            await self._send(GARBAGE_TEXT.decode())
            await self._call(*self._messages.values(self._now(), {"power_w": "garbage"}))
            return
        await self._report()

    async def close(self) -> None:
        """Lose its connection."""
        if self._connection is not None:
            self._connection.transport.abort()
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)
        self._connection = None

    @property
    def _is_open(self) -> bool:
        return (
            self._connection is not None
            and self._listening is not None
            and (not self._listening.done())
        )

    async def _connect(self) -> bool:
        place = f"ws://127.0.0.1:{self._port}/ocpp/{IDENTITY}"
        protocols = [Subprotocol(self._messages.protocol)]
        try:
            self._connection = await connect(place, subprotocols=protocols, compression=None)
        except (OSError, TimeoutError, WebSocketException):
            return False
        self._listening = asyncio.create_task(self._listen(self._connection))
        self._late = []
        self._status = ""
        if not self._has_booted:
            self._has_booted = True
            await self._call(*self._messages.boot())
        await self._report()
        await asyncio.sleep(SETTLE_SECONDS)
        self.apply()
        return True

    async def _report(self) -> None:
        """Send its state where that changed, its session and what it measures."""
        now = self._now()
        measured = self._measure()
        counter_wh = measured["counter_wh"]
        if measured["plugged"] and self._session is None:
            answer = await self._call(*self._messages.begin(now, counter_wh))
            self._session = self._messages.read_session(answer)
        elif not measured["plugged"] and self._session is not None:
            await self._call(*self._messages.end(now, counter_wh, self._session))
            self._session = None
        status = self._find_status(measured)
        if status != self._status:
            self._status = status
            await self._call(*self._messages.status(now, status, self._session))
        await self._call(*self._messages.values(now, measured))

    def _find_status(self, measured: dict[str, Any]) -> str:
        if not measured["plugged"]:
            return "Available"
        if measured["power_w"] > 0:
            return "Charging"
        return "SuspendedEV" if measured["offered_a"] >= LEAST_A else "SuspendedEVSE"

    def _measure(self) -> dict[str, Any]:
        car = self._read_car()
        offered = self.offered
        if car is None:
            raise ValueError("a home with a charging station has a car")
        return {
            "plugged": car.is_home,
            "power_w": car.power_kw * 1000,
            "counter_wh": round(car.charge_kwh * 1000),
            "current_a": car.power_kw / (VOLTAGE_KV * offered.phases),
            "phases": offered.phases,
            "offered_a": offered.current_a,
            "soc": 100 * car.soc,
        }

    # Its wire

    async def _listen(self, connection: ClientConnection) -> None:
        with suppress(WebSocketException, OSError):
            async for frame in connection:
                await self._take(json.loads(frame))

    async def _take(self, message: list[Any]) -> None:
        if message[0] != _CALL:
            waiting = self._answers.pop(message[1], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message[2])
            return
        _, name, action, payload = message
        if self._faults.is_garbage:
            await self._send(json.dumps([_RESULT, name, "garbage"]))
            return
        answer = json.dumps([_RESULT, name, self._do(action, payload)])
        if self._faults.times_out():
            self._late.append(answer)
        else:
            await self._send(answer)

    def _do(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Do what it is sent, and return the answer."""
        schedule = self._messages.read_schedule(action, payload)
        if schedule is not None:
            self._schedule = schedule
            self._app_a = None
            offered = read_offer(schedule, self._now())
            self._times.note(self._charger, [PointValue("current", offered.current_a)])
        if action == "ClearChargingProfile":
            self._schedule = None
        self.apply()
        if action == "GetCompositeSchedule":
            return self._messages.composite(self._now(), self.offered.current_a)
        return self._messages.answer(action, payload)

    async def _send_late(self) -> None:
        """Send the answers that did not come in time."""
        late = self._late
        self._late = []
        for answer in late:
            await self._send(answer)

    async def _call(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a message; return the payload of its answer, empty where none comes."""
        name = f"s{next(self._numbers)}"
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[name] = waiting
        await self._send(json.dumps([_CALL, name, action, payload]))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await waiting
        except TimeoutError:
            return {}
        finally:
            self._answers.pop(name, None)

    async def _send(self, text: str) -> None:
        if self._connection is not None:
            with suppress(WebSocketException, OSError):
                await self._connection.send(text)


def is_station(profile: DeviceProfile) -> bool:
    """Return whether a product lives here as a station of its own."""
    return profile.profile in STATION_MESSAGES


def read_offer(schedule: dict[str, Any], now: datetime) -> OfferedPower:
    """Return what a charging schedule allows a car at an instant."""
    begun = datetime.fromisoformat(schedule["startSchedule"])
    passed_s = (now - begun).total_seconds()
    period = schedule["chargingSchedulePeriod"][0]
    for later in schedule["chargingSchedulePeriod"]:
        if later["startPeriod"] <= passed_s:
            period = later
    phases = int(period.get("numberPhases", PHASES))
    limit = float(period["limit"])
    if schedule["chargingRateUnit"] == "W":
        limit /= 1000 * VOLTAGE_KV * phases
    return OfferedPower(min(limit, MOST_A), phases)
