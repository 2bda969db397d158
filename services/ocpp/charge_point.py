"""One charge point: what it is, does and measures, and what it is to do.

It outlives its connections. A *dialect* speaks to it over the present one.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from prometheus_client import Counter

from luna.contracts.charge_points import (
    ChargePointBoot,
    ChargePointLimit,
    ChargePointProtocol,
    ChargePointState,
    ChargePointTraits,
    SeenChargePoint,
)
from luna.energy.site.main_fuses import VOLTAGE_V
from luna.platform.clock import Clock
from services.ocpp.charging_schedule import RENEW_SECONDS, choose_safe_limit
from services.ocpp.link import CallRefusedError, OcppLink
from services.ocpp.meter_values import ChargePointMeasurement
from services.ocpp.offer_watch import OfferWatch
from services.ocpp.records import RecordFolder
from services.ocpp.transactions import Transaction, TransactionBook

# A charge point that comes back without a boot is asked for one after that.
BOOT_SECONDS = 5.0
LATE_SECONDS = 1.0
LOOK_SECONDS = 15.0
# What was refused is tried again after that; at once where something changed.
AGAIN_SECONDS = 60.0
# Who commanded it may have died: later than that, its safe limit counts.
ASKED_SECONDS = 150.0
# Older values say nothing of now.
STALE = timedelta(seconds=300)
# A connection whose charge point answers no ping within that time is dead.
ALIVE_SECONDS = 3.0
# From one request to start until the next one.
START_SECONDS = 60.0
_CURRENT_FLOWS_A = 1.0
_UNPLUGGED, _PLUGGED, _CHARGING, _FAULT = range(4)
# States of both versions. Source: OCPP 1.6, 7.7; OCPP 2.0.1 part 2, 3.16 and 3.17.
CAR_STATES = {
    "Available": _UNPLUGGED,
    "Reserved": _UNPLUGGED,
    "Preparing": _PLUGGED,
    "SuspendedEV": _PLUGGED,
    "SuspendedEVSE": _PLUGGED,
    "Finishing": _PLUGGED,
    "Occupied": _PLUGGED,
    "EVConnected": _PLUGGED,
    "Charging": _CHARGING,
    "Faulted": _FAULT,
    "Unavailable": _FAULT,
}
OUT_OF_SERVICE = "Unavailable"

SESSIONS = Counter("luna_ocpp_transactions_total", "Charging sessions that were kept.")
REFUSALS = Counter("luna_ocpp_refused_limits_total", "Limits that charge points refused.")

log = structlog.get_logger("luna.ocpp")


class Dialect(Protocol):
    """Messages to a charge point in one version of OCPP over one connection."""

    protocol: ChargePointProtocol
    link: OcppLink

    async def ask_boot(self) -> None:
        """Have it say what it is."""

    async def configure(self, traits: ChargePointTraits) -> None:
        """Read what it can, have it send its values, and set what it never exceeds."""

    async def ask_values(self) -> None:
        """Have it send its state and what it measures."""

    @property
    def takes_two_periods(self) -> bool:
        """Whether a limit may be followed by another one."""

    async def set_limit(self, limit: ChargePointLimit, following: ChargePointLimit | None) -> None:
        """Have it keep a limit, and the following one where Luna does not renew it."""

    @property
    def takes_phases(self) -> bool:
        """Whether a limit may name its number of phases."""

    async def read_current(self, limit: ChargePointLimit) -> float:
        """Return the current that its schedules allow now, NaN if unknown."""

    async def clear(self) -> None:
        """Remove the limit."""

    async def start(self) -> None:
        """Have it start to charge."""

    async def stop(self, transaction: str) -> None:
        """Have it end a session."""

    async def set_available(self) -> None:
        """Have it go back into service."""

    async def close(self, reason: str) -> None:
        """End the connection."""


class ChargePoint:
    """A charge point, found or accepted.

    Args:
        identity: that it names when it connects.
        records: where it is kept once it is accepted.
        clock: gives instants.
        seconds: a clock that never goes back.
        boot_seconds: how long a boot is waited for.
        look_seconds: after which it is looked after at the latest.
    """

    def __init__(
        self,
        identity: str,
        records: RecordFolder,
        clock: Clock,
        *,
        seconds: Callable[[], float] = time.monotonic,
        boot_seconds: float = BOOT_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.identity = identity
        self.address = ""
        self.boot = ChargePointBoot()
        self.traits: ChargePointTraits | None = None
        self.status = ""
        self.transactions = TransactionBook()
        self.clock = clock
        self.seen_at = seconds()
        self._records = records
        self._seconds = seconds
        self._boot_seconds = boot_seconds
        self._look_seconds = look_seconds
        self._dialect: Dialect | None = None
        self._measured = ChargePointMeasurement(clock.now())
        self._measured_at: datetime | None = None
        self._wanted: ChargePointLimit | None = None
        self._applied: ChargePointLimit | None = None
        self._offer = OfferWatch(seconds)
        self._asked_at = -math.inf
        self._commanded_at = -math.inf
        self._again_at = -math.inf
        self._renew_at = math.inf
        self._pinged_at = -math.inf
        self._started_at = -math.inf
        self._ended_here = False
        self._has_booted = False
        self._configured: ChargePointTraits | None = None
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        """Whether it has a connection."""
        return self._dialect is not None

    @property
    def connector(self) -> int:
        """The socket that counts."""
        return 1 if self.traits is None else self.traits.connector

    @property
    def tag(self) -> str:
        """With which Luna starts charging."""
        return ChargePointTraits().tag if self.traits is None else self.traits.tag

    @property
    def session_began_at(self) -> datetime | None:
        """Begin of the present session, None without one."""
        session = self.transactions.find_open(self.connector)
        return None if session is None else session.began_at

    def allows_tag(self, tag: str) -> bool:
        """Return whether a card, or Luna itself, may start charging."""
        return tag == self.tag or self._records.allows_tag(tag)

    # What it says

    def take_boot(self, boot: ChargePointBoot) -> None:
        """Take what it says it is: it forgot everything else."""
        is_other = boot != self.boot
        if is_other and boot.serial != self.boot.serial:
            # Another charge point took its place, with a counter of its own.
            self._measured.energy_wh = math.nan
        self.boot = boot
        self._applied = None
        self._offer.restart()
        self._configured = None
        self._has_booted = True
        self._again_at = -math.inf
        log.info(
            "a charge point has started",
            charge_point=self.identity,
            vendor=boot.vendor,
            model=boot.model,
            accepted=self.traits is not None,
        )
        if is_other:
            self.keep()
        self._changed.set()

    def take_status(self, status: str) -> None:
        """Take the state of its socket."""
        if status == self.status:
            return
        if CAR_STATES.get(status, _CHARGING) != _CHARGING:
            # What it measured while it charged holds no longer; not all send that it is nothing.
            self._measured.power_w = 0.0
            self._measured.currents_a = {}
        self.status = status
        # What it refused while idle it may take now.
        self._again_at = -math.inf
        if self._offer.take_status(status, charges=CAR_STATES.get(status) == _CHARGING):
            self._applied = None
        self._changed.set()

    def take_measured(self, sets: list[ChargePointMeasurement]) -> None:
        """Take what it measured; what was measured long ago counts for its counter alone."""
        now = self.clock.now()
        for measured in sets:
            if now - measured.at > STALE:
                self.take_counter(measured.energy_wh)
                continue
            # A message need not hold everything: what is missing stays as it was.
            known = self._measured
            if self._measured_at is None or now - self._measured_at > STALE:
                known = ChargePointMeasurement(now)
            self._measured = ChargePointMeasurement(
                measured.at,
                power_w=_first(measured.power_w, known.power_w),
                energy_wh=_first(measured.energy_wh, self._measured.energy_wh),
                offered_a=_first(measured.offered_a, known.offered_a),
                offered_w=_first(measured.offered_w, known.offered_w),
                soc=_first(measured.soc, known.soc),
                currents_a=measured.currents_a or known.currents_a,
            )
            self._measured_at = now
            charges = CAR_STATES.get(self.status) == _CHARGING
            if self._offer.take_measured(measured.power_w, measured.offered_a, charges=charges):
                self._applied = None
            if self._applied is None or self._offer.is_due:
                self._changed.set()

    def take_counter(self, energy_wh: float | None) -> None:
        """Take a reading of its counter that may be an old one: the highest counts."""
        if energy_wh is None or math.isnan(energy_wh) or energy_wh < 0:
            return
        self._measured.energy_wh = _highest(energy_wh, self._measured.energy_wh)

    def begin(self, transaction: Transaction) -> Transaction:
        """Keep the begin of a session; return it as it is kept."""
        kept, is_new = self.transactions.begin(transaction)
        self.take_counter(transaction.begin_wh)
        if is_new:
            SESSIONS.inc()
            self.keep()
        if kept.connector == self.connector:
            self._again_at = -math.inf
            self._changed.set()
        return kept

    def end(self, transaction: Transaction) -> Transaction:
        """Keep the end of a session; return it as it is kept."""
        kept, is_new = self.transactions.end(transaction)
        self.take_counter(transaction.end_wh)
        if is_new:
            self.keep()
        self._changed.set()
        return kept

    def keep(self) -> None:
        """Have the disk keep it, where it is accepted."""
        if self.traits is not None:
            self._records.store(self.identity, self.traits, self.boot, self.transactions.kept)

    # Its connection

    def connect(self, dialect: Dialect, address: str) -> Dialect | None:
        """Take a connection; return the one that it replaces."""
        replaced = self._dialect
        self._dialect = dialect
        self.address = address
        self._applied = None
        self._offer.restart()
        self._configured = None
        self._has_booted = False
        self._ready.clear()
        self._again_at = -math.inf
        self.seen_at = self._seconds()
        return replaced

    def disconnect(self, dialect: Dialect) -> None:
        """Take the end of a connection, unless another one has replaced it."""
        if self._dialect is not dialect:
            return
        self._dialect = None
        self._applied = None
        self.seen_at = self._seconds()

    async def keeps_connection(self) -> bool:
        """Return whether its connection is alive, or that is being found out."""
        dialect = self._dialect
        if dialect is None:
            return False
        now = self._seconds()
        # However many come under its name, it gets a ping now and then.
        if now - self._pinged_at < ALIVE_SECONDS:
            return True
        self._pinged_at = now
        return await dialect.link.is_alive(ALIVE_SECONDS) or self._dialect not in {None, dialect}

    async def look_after(self, dialect: Dialect) -> None:
        """Have it do what it is to do, for as long as a connection lasts."""
        try:
            async with asyncio.timeout(self._boot_seconds):
                while not self._has_booted:
                    await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            await self._try(dialect.ask_boot(), "a charge point cannot be asked what it is")
        self._ready.set()
        while True:
            async with self._turn:
                await self._try(
                    self._catch_up(dialect), "a charge point does not do what it is to do"
                )
                await self._read_offer(dialect)
            if self._is_silent():
                await self._try(
                    dialect.ask_values(), "a charge point sends its values when it wants"
                )
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()

    async def _try(self, action: Awaitable[None], failure: str) -> None:
        try:
            await action
        except CallRefusedError as error:
            log.warning(failure, charge_point=self.identity, why=error.reason)

    def _is_silent(self) -> bool:
        is_charging = CAR_STATES.get(self.status) == _CHARGING
        if not is_charging or self.traits is None:
            return False
        if self._measured_at is None:
            return True
        expected = timedelta(seconds=max(60, 3 * self.traits.sample_interval_s))
        return self.clock.now() - self._measured_at > expected

    # What it is to do

    def accept(self, traits: ChargePointTraits, *, commands: bool) -> None:
        """Take note that a site has it, and asks for it now; ``commands``: who commands it."""
        self._asked_at = self._seconds()
        if commands:
            if not self._is_commanded():
                self._changed.set()
            self._commanded_at = self._asked_at
        if traits == self.traits:
            return
        self.traits = traits
        self.keep()
        self._changed.set()

    async def limit(self, limit: ChargePointLimit) -> None:
        """Have it keep a limit from now on; return once it accepted it.

        Raises:
            CallRefusedError: it has no connection, refuses, or does not answer.
        """
        dialect = self._dialect
        before = self._wanted or ChargePointLimit()
        self._wanted = _merge(before, limit)
        if dialect is None:
            raise CallRefusedError("it has no connection to Luna", silent=True)
        try:
            async with asyncio.timeout(self._boot_seconds + LATE_SECONDS):
                await self._ready.wait()
        except TimeoutError as exc:
            raise CallRefusedError("it has only just connected", silent=True) from exc
        async with self._turn:
            self._again_at = -math.inf
            await self._catch_up(dialect)
            if self._applied != self._drop_phases(self._wanted):
                raise CallRefusedError("the connection ended", silent=True)

    async def _catch_up(self, dialect: Dialect) -> None:
        """Send what differs from what it accepted on this connection."""
        traits = self.traits
        now = self._seconds()
        if traits is None or dialect is not self._dialect:
            return
        wanted = self._choose_limit(traits)
        is_asked = now - self._asked_at <= ASKED_SECONDS
        if not is_asked and (wanted is None or wanted.own == 1):
            return
        if self._configured != traits:
            self._configured = traits
            await self._try(dialect.configure(traits), "a charge point cannot be configured")
            await self._try(dialect.ask_values(), "a charge point sends its values when it wants")
        if self.status == OUT_OF_SERVICE and traits.changes_availability:
            await self._try(dialect.set_available(), "a charge point cannot be set into service")
        if wanted is None or now < self._again_at:
            return
        try:
            if wanted != self._applied or now >= self._renew_at:
                await self._apply(dialect, traits, wanted)
                # It may have turned out that it takes no number of phases.
                self._applied = self._drop_phases(wanted)
                self._offer.begin(wanted)
            await self._start_where_needed(dialect, wanted)
        except CallRefusedError:
            self._again_at = self._seconds() + AGAIN_SECONDS
            REFUSALS.inc()
            raise

    async def _read_offer(self, dialect: Dialect) -> None:
        """Read back what it offers; correct it where that is less."""
        limit = self._applied
        if limit is None or not self._is_commanded() or not self._offer.is_due:
            return
        try:
            offered_a = await dialect.read_current(limit)
        except CallRefusedError as error:
            self._offer.take_refusal(error.reason)
            log.info(
                "a charge point does not tell its schedules",
                charge_point=self.identity,
                why=error.reason,
            )
            return
        if self._offer.take_schedule(offered_a):
            log.warning(
                "a charge point offers less than its limit, which is sent again",
                charge_point=self.identity,
                offered_a=offered_a,
                limit_a=limit.current_a,
            )
            self._applied = None
            self._changed.set()

    def _drop_phases(self, limit: ChargePointLimit) -> ChargePointLimit:
        """Return a limit without a number of phases that it refuses."""
        if self._dialect is None or self._dialect.takes_phases:
            return limit
        return limit.model_copy(update={"phases": None})

    def _is_commanded(self) -> bool:
        return self._seconds() - self._commanded_at <= ASKED_SECONDS

    def _choose_limit(self, traits: ChargePointTraits) -> ChargePointLimit | None:
        """Return the limit to keep: the commanded one, or the safe one once nobody commands."""
        wanted = self._wanted
        # Who only reads it keeps up no command of somebody who may have died. One that was left to
        # itself stays so: some start only when they are told to.
        if wanted is None:
            return None
        if wanted.own == 1 or self._is_commanded():
            return self._drop_phases(wanted)
        return self._drop_phases(choose_safe_limit(traits, wanted))

    async def _apply(
        self, dialect: Dialect, traits: ChargePointTraits, wanted: ChargePointLimit
    ) -> None:
        if wanted.own == 1:
            await dialect.clear()
            self._renew_at = math.inf
            return
        safe = choose_safe_limit(traits, wanted)
        if not self._is_commanded():
            log.warning(
                "nobody commands a charge point any more; it keeps its safe limit",
                charge_point=self.identity,
                current_a=safe.current_a,
            )
        elif dialect.takes_two_periods and await self._apply_with_end(dialect, wanted, safe):
            return
        try:
            await dialect.set_limit(wanted, None)
        except CallRefusedError as error:
            running = self.transactions.find_open(self.connector)
            charges = wanted.charging != 0 and bool(wanted.current_a)
            if error.silent or charges or running is None:
                raise
            # It takes no limit of 0 A: its session has to end instead.
            await dialect.stop(running.number)
            self._ended_here = True
        self._renew_at = math.inf

    async def _apply_with_end(
        self, dialect: Dialect, wanted: ChargePointLimit, safe: ChargePointLimit
    ) -> bool:
        """Send a limit that the safe one follows without Luna; return False where it refuses."""
        renew_at = self._seconds() + RENEW_SECONDS
        try:
            await dialect.set_limit(wanted, safe)
        except CallRefusedError as error:
            if error.silent:
                raise
            log.info(
                "a charge point takes no limit that ends by itself",
                charge_point=self.identity,
                why=error.reason,
            )
            return False
        self._renew_at = renew_at
        return True

    async def _start_where_needed(self, dialect: Dialect, wanted: ChargePointLimit) -> None:
        traits = self.traits
        if traits is None or (wanted.charging != 1 and wanted.own != 1):
            return
        is_waiting = CAR_STATES.get(self.status) == _PLUGGED
        needs_start = traits.remote_start or self._ended_here
        if not needs_start or not is_waiting or self.transactions.find_open(traits.connector):
            return
        if self._seconds() - self._started_at < START_SECONDS:
            return
        await dialect.start()
        self._started_at = self._seconds()
        self._ended_here = False

    # What others see of it

    def describe(self) -> ChargePointState:
        """Return what it does and measures now."""
        measured = self._measured
        car_state = CAR_STATES.get(self.status)
        is_fresh = self._measured_at is not None and self.clock.now() - self._measured_at <= STALE
        rests = car_state is not None and car_state != _CHARGING and not is_fresh
        power_w = measured.power_w if is_fresh else math.nan
        currents = measured.currents_a if is_fresh else {}
        current_a = max(currents.values(), default=math.nan)
        phases = sum(current >= _CURRENT_FLOWS_A for current in currents.values() if current)
        if rests or car_state == _UNPLUGGED:
            power_w = current_a = 0.0
            phases = 0
        is_connected = self.is_connected
        return ChargePointState(
            connected=int(is_connected),
            status=self.status,
            car_state=car_state if is_connected else None,
            power_w=_known(max(power_w, 0.0)) if is_connected else None,
            energy_kwh=_known(measured.energy_wh / 1000),
            session_kwh=self._session_kwh(),
            current_a=_known(max(current_a, 0.0)) if is_connected else None,
            offered_a=self._offered_a(is_fresh=is_fresh) if is_connected else None,
            phases=phases if is_connected and ("" not in currents) else None,
            soc=_known(measured.soc) if is_fresh and car_state != _UNPLUGGED else None,
            overridden=int(self._offer.is_overridden),
            transactions=len(self.transactions.kept),
            limit=self._applied if is_connected else None,
        )

    def summarise(self) -> SeenChargePoint:
        """Return what a search finds of it."""
        return SeenChargePoint(
            identity=self.identity,
            address=self.address,
            protocol=None if self._dialect is None else self._dialect.protocol,
            boot=self.boot,
            connected=self.is_connected,
            accepted=self.traits is not None,
        )

    def _session_kwh(self) -> float | None:
        if CAR_STATES.get(self.status) == _UNPLUGGED:
            return 0.0
        session = self.transactions.find_last(self.connector)
        if session is None or session.begin_wh is None:
            return None
        end_wh = self._measured.energy_wh if session.is_open else session.end_wh
        if end_wh is None or math.isnan(end_wh):
            return None
        return max(end_wh - session.begin_wh, 0.0) / 1000

    def _offered_a(self, *, is_fresh: bool) -> float | None:
        measured = self._measured
        by_schedules = self._offer.offered_a
        if is_fresh and not math.isnan(measured.offered_a):
            # Some always send what they could offer.
            known = min(measured.offered_a, _first(by_schedules, measured.offered_a))
            return max(known, 0.0)
        if not math.isnan(by_schedules):
            return by_schedules
        phases = 3 if self._applied is None else self._applied.phases or 3
        if is_fresh and not math.isnan(measured.offered_w):
            return max(measured.offered_w, 0.0) / (VOLTAGE_V * phases)
        if self._applied is None or self._applied.own == 1:
            return None
        return 0.0 if self._applied.charging == 0 else self._applied.current_a


def _merge(before: ChargePointLimit, change: ChargePointLimit) -> ChargePointLimit:
    """Return a limit with what a command changes of it."""
    if change.own == 1:
        return ChargePointLimit(own=1)
    changes = change.model_dump(exclude_none=True) | {"own": 0}
    return before.model_copy(update=changes)


def _first(newer: float, older: float) -> float:
    return older if math.isnan(newer) else newer


def _highest(newer: float, older: float) -> float:
    return newer if math.isnan(older) else max(newer, older)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
