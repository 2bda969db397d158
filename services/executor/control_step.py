"""One turn of one unit of a site: who decides now, what is safe of it, and whether the device follows.

A decision is stored before it is sent and stands for its slot: whoever turns next, after whatever crash, sends the same again or nothing. What is not confirmed
is sent again, then taken back: the device does what it does by itself, and a new plan is asked for.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Connection, Engine

from luna.contracts.control import ControlState, Decision, Source
from luna.database import control as control_rows
from luna.database import plans, sites
from luna.database.engine import unit_of_work
from luna.device_config import BATTERIES, Control
from luna.policy import REPLAN_AGE, REPLAN_SOC
from luna.retry import RetryPolicy
from luna.site import Site
from luna.timeline import SLOT, Clock, floor_to
from services.executor.decision import ControlRequest, fallback, find_mode_since, find_source, finish_run, follow_owner, follow_plan, is_current, plan_age
from services.executor.device import Device, DeviceError
from services.executor.readings import SocReader, read_recorded, read_slot_prices
from services.executor.template import Write, matches
from services.executor.unit import Controllable, InForce, SlotPrices
from services.executor.units import find_unit

LATENESS = Histogram(
    "luna_planner_command_lateness_seconds",
    "How long after its slot began the first command of a slot was sent.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300),
)
COMMANDS = Counter("luna_planner_commands_total", "Commands by what came of them: confirmed, unconfirmed, refused.", ["site_id", "outcome"])
ARMED = Gauge("luna_planner_site_armed", "Whether a site is armed: 1 or 0.", ["site_id"])
CONFIRMED = Gauge(
    "luna_planner_last_confirmed_command_seconds", "When a command of a device was last confirmed, or first awaited; since 1970.", ["site_id", "device"]
)
FALLBACK = Gauge(
    "luna_planner_fallback_active", "Whether a device of an armed site does what it does by itself, for want of a plan or an answer.", ["site_id", "device"]
)
PLAN_AGE = Gauge("luna_planner_plan_age_seconds", "How long ago the last plan of an armed site was issued; infinite without one.", ["site_id"])


# What an inverter, and the integration that asks it, take to say what holds.
RESEND = RetryPolicy(timedelta(seconds=30), growth=1, tries=3)
VERIFY = timedelta(minutes=1)

log = structlog.get_logger("luna.planner.execution")


@dataclass(frozen=True, slots=True)
class ControlTarget:
    """Whom a turn is about: a unit of a site, the section ``control`` that describes how it is told, and what tells it."""

    site: Site
    control: Control
    unit: Controllable
    device: Device
    gauge: SocReader


class Executor:
    """Follows the plans of armed sites. A unit's turns come one after another; those of several may run side by side.

    Args:
        engine: of the database.
        open_device: returns what tells a site's devices.
        ask_plan: asks for a new plan of a site; nobody waits for it.
        clock: tells which slot is now.
        plan_max_age: a plan issued longer ago is not followed.
    """

    def __init__(
        self, engine: Engine, open_device: Callable[[Control], Device], ask_plan: Callable[[str], None], *, clock: Clock, plan_max_age: timedelta
    ) -> None:
        self._engine = engine
        self._open_device = open_device
        self._ask_plan = ask_plan
        self._clock = clock
        self._plan_max_age = plan_max_age
        self._devices: dict[tuple[str, str], tuple[Control, Device, SocReader]] = {}
        self._verified: dict[tuple[str, str], datetime] = {}
        self._asked: dict[str, datetime] = {}
        self._wanting: set[tuple[str, str]] = set()
        self._since = clock.now()

    def turn(self, site_id: str, key: str = BATTERIES) -> bool:
        """Do what is due for a unit of a site now; return whether something is still awaited.

        Raises:
            NotFoundError: no such site.
            UnavailableError: the database is away.
        """
        awaited = self._follow(site_id, key)
        # Only now: what is to be done in this slot comes before any planning.
        if (site_id, key) in self._wanting:
            self._wanting.discard((site_id, key))
            self._ask_plan(site_id)
        return awaited

    def close(self) -> None:
        """Let go of every device."""
        for _, device, _ in self._devices.values():
            device.close()
        self._devices.clear()

    def _follow(self, site_id: str, key: str) -> bool:
        now = self._clock.now()
        with unit_of_work(self._engine) as connection:
            state, site = control_rows.load(connection, site_id, key), sites.load(connection, site_id)
        named = find_unit(site, site.control, key)
        source = find_source(state, now, named=named is not None)
        # What its section does not name any more is handed back by the one that it was told by.
        control = site.control if named is not None else state.decision.control if state.decision is not None else None
        unit = named or find_unit(site, control, key)
        if source is None or control is None or unit is None:
            return False
        told = ControlTarget(site, control, unit, *self._device((site_id, key), control))
        if not is_current(state, source, now):
            state = self._decide(told, state, source)
        decision = state.decision
        if decision is None or decision.source != source:
            return True
        writes = unit.render(decision.allowed)
        if decision.settled:
            return self._verify(told, state, decision, writes=writes)
        return self._try(told, state, decision, writes=writes)

    def _decide(self, told: ControlTarget, state: ControlState, source: Source) -> ControlState:
        """Store what is to be done from now on and return the state with it; the old state where another was faster."""
        now = self._clock.now()
        soc = self._measure(told)
        with unit_of_work(self._engine) as connection:
            wanted = self._wanted(connection, told, state, source=source, soc=soc)
        decision = _decision(told, finish_run(wanted, state.decision, told.unit, now=now), soc, source=source, now=now)
        decision = decision.model_copy(update={"mode_since": find_mode_since(state.decision, decision.allowed, now=now)})
        decided = self._store(state, decision)
        if source == "planner" and (wanted.reason not in {"planned", "not_in_plan"} or _deviates(wanted.planned_soc, soc)):
            self._request_plan(state)
        return decided or state

    def _wanted(self, connection: Connection, told: ControlTarget, state: ControlState, *, source: Source, soc: Mapping[str, float]) -> ControlRequest:
        now, prices = self._clock.now(), partial(read_slot_prices, connection, told.site, self._clock.now())
        if source == "released":
            return fallback(told.unit, "disarmed", prices)
        if source == "owner" and state.override is not None:
            return follow_owner(state.override, told.unit)
        plan = plans.read_due(connection, state.site, now)
        if plan is not None and plan_age(plan, now) >= REPLAN_AGE:
            self._request_plan(state)
        last = {} if state.decision is None else {name: str(each.mode) for name, each in state.decision.allowed.items()}
        return follow_plan(plan, told.unit, prices, now=now, max_age=self._plan_max_age, in_force=InForce(soc, last))

    def _try(self, told: ControlTarget, state: ControlState, decision: Decision, *, writes: list[Write]) -> bool:
        """Send what was decided where that is due, then see whether it holds; return whether it is still awaited."""
        now = self._clock.now()
        if decision.tried_at is None or now - decision.tried_at >= RESEND.pause(decision.tries):
            if RESEND.gives_up(decision.tries):
                return self._give_up(told, state, decision)
            sent = self._store(state, decision.model_copy(update={"tries": decision.tries + 1, "tried_at": now}))
            if sent is None or sent.decision is None:
                return True
            state, decision = sent, sent.decision
            self._send(state, writes, told.device)
        said = _read(told.device, writes)
        if not matches(writes, said):
            return True
        self._settle(state, decision, said)
        return False

    def _send(self, state: ControlState, writes: list[Write], device: Device) -> None:
        decision = state.decision
        if decision is not None and decision.tries == 1 and _saw_start(state, decision, self._since):
            LATENESS.observe((self._clock.now() - decision.slot_start).total_seconds())
        try:
            device.apply(writes)
        except DeviceError as error:
            COMMANDS.labels(state.site, "refused").inc()
            log.warning("command is not taken", site_id=state.site, device=state.device, error=str(error))

    def _settle(self, state: ControlState, decision: Decision, said: Mapping[str, str]) -> None:
        now = self._clock.now()
        if self._store(state, decision.model_copy(update={"settled": True, "confirmed_at": now}), confirmed=said) is None:
            return
        COMMANDS.labels(state.site, "confirmed").inc()
        CONFIRMED.labels(state.site, state.device).set(now.timestamp())
        self._verified[state.site, state.device] = now
        log.info("slot is followed", site_id=state.site, device=state.device, slot_start=decision.slot_start.isoformat(), reason=decision.reason)

    def _give_up(self, told: ControlTarget, state: ControlState, decision: Decision) -> bool:
        """Take back what was never confirmed: the device does what it does by itself. Where that is not confirmed either, wait for the next slot."""
        COMMANDS.labels(state.site, "unconfirmed").inc()
        self._request_plan(state)
        if decision.gave_up or decision.source == "released":
            log.error("the device does not follow", site_id=state.site, device=state.device, remedy="Look at it, and at the site's section control.")
            self._store(state, decision.model_copy(update={"settled": True}))
            return False
        soc = {name: math.nan if value is None else value for name, value in decision.measured_soc.items()}
        wanted = fallback(told.unit, "not_acknowledged", self._look_up_prices(told.site), plan_id=decision.plan_id)
        decided = _decision(told, wanted, soc, source=decision.source, now=decision.slot_start)
        self._store(state, decided.model_copy(update={"override": decision.override, "mode_since": self._clock.now()}))
        return True

    def _look_up_prices(self, site: Site) -> Callable[[], SlotPrices | None]:
        def look_up() -> SlotPrices | None:
            with unit_of_work(self._engine) as connection:
                return read_slot_prices(connection, site, self._clock.now())

        return look_up

    def _verify(self, told: ControlTarget, state: ControlState, decision: Decision, *, writes: list[Write]) -> bool:
        """See once a minute whether what was confirmed still holds; where it does not, it is sent again. Return whether that is awaited."""
        now, whom = self._clock.now(), (state.site, state.device)
        if decision.gave_up or decision.source == "released" or now - self._verified.get(whom, decision.slot_start) < VERIFY:
            return False
        self._verified[whom] = now
        told.gauge.look(told.device, told.unit.places, now=now)
        said = _read(told.device, writes)
        # Where nothing can be read, nothing was seen to differ: Home Assistant may be starting.
        if matches(writes, said) or not said:
            return False
        log.warning("the device does something else than it was told", site_id=state.site, device=state.device)
        self._store(state, decision.model_copy(update={"settled": False}))
        self._request_plan(state)
        return True

    def _store(self, state: ControlState, decision: Decision, *, confirmed: Mapping[str, str] | None = None) -> ControlState | None:
        """Store a decision or how far it is, and in the log what came to an end by it; None where another was faster."""
        with unit_of_work(self._engine) as connection:
            if not control_rows.decide(connection, state, decision):
                log.warning("another executor was faster; one is enough", site_id=state.site, device=state.device)
                return None
            last = state.decision
            if decision.settled:
                control_rows.record(connection, state, decision, confirmed)
            elif last is not None and not last.settled and _differs(last, decision):
                control_rows.record(connection, state, last, None)
        return state.model_copy(update={"decision": decision, "version": state.version + 1})

    def _measure(self, told: ControlTarget) -> dict[str, float]:
        """Return how full the batteries are, NaN where nobody knows."""
        now = self._clock.now()
        if told.control.by == "dry_run" and told.unit.key == BATTERIES:
            with unit_of_work(self._engine) as connection:
                return dict.fromkeys((each.battery for each in told.control.batteries), read_recorded(connection, told.site, now))
        return told.gauge.read(told.device, told.unit.places, now=now)

    def _device(self, whom: tuple[str, str], control: Control) -> tuple[Device, SocReader]:
        known = self._devices.get(whom)
        if known is not None and known[0] == control:
            return known[1:]
        if known is not None:
            known[1].close()
        self._devices[whom] = control, self._open_device(control), SocReader()
        return self._devices[whom][1:]

    def _request_plan(self, state: ControlState) -> None:
        """Have a plan asked for at the end of this turn, once per slot."""
        slot = floor_to(self._clock.now(), SLOT)
        if self._asked.get(state.site) != slot:
            self._asked[state.site] = slot
            self._wanting.add((state.site, state.device))


def _decision(told: ControlTarget, wanted: ControlRequest, soc: Mapping[str, float], *, source: Source, now: datetime) -> Decision:
    return Decision(
        slot_start=floor_to(now, SLOT),
        source=source,
        decided_by=wanted.decided_by,
        reason=wanted.reason,
        plan_id=wanted.plan_id,
        override=wanted.override,
        requested=dict(wanted.requested),
        allowed=dict(told.unit.make_safe(wanted.requested, soc)),
        measured_soc={name: None if math.isnan(value) else value for name, value in soc.items()},
        control=told.control,
    )


def _saw_start(state: ControlState, decision: Decision, since: datetime) -> bool:
    """Return whether this process could have been in time for the slot."""
    armed_at = state.armed_at or decision.slot_start
    return decision.source == "planner" and not decision.gave_up and max(armed_at, since) <= decision.slot_start


def _differs(last: Decision, decision: Decision) -> bool:
    progress = {"tries", "tried_at", "settled", "confirmed_at"}
    return last.model_dump(exclude=progress) != decision.model_dump(exclude=progress)


def _read(device: Device, writes: list[Write]) -> dict[str, str]:
    try:
        return device.read([write.read_back for write in writes if write.read_back is not None])
    except DeviceError as error:
        log.warning("what holds cannot be read", error=str(error))
        return {}


def _deviates(planned: Mapping[str, float], measured: Mapping[str, float]) -> bool:
    return any(abs(planned[name] - soc) > REPLAN_SOC for name, soc in measured.items() if name in planned)
