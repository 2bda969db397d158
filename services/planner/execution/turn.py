"""One turn of one site: who decides now, what is safe of it, and whether the inverters follow.

A decision is stored before it is sent and stands for its slot: whoever turns next, after whatever crash, sends the same again or nothing. What is not confirmed
is sent again, then taken back: the inverters consume their own, and a new plan is asked for.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.control import ControlState, Decision, Source
from luna.control import Control
from luna.database import control as control_rows
from luna.database import observations, plans, sites
from luna.database.engine import unit_of_work
from luna.site import Site
from luna.timeline import SLOT, Clock, Timeline, floor_to
from services.planner.execution.device import Device, DeviceError
from services.planner.execution.due import Wish, carries_on, find_source, follow_owner, follow_plan, leave_alone
from services.planner.execution.metrics import COMMANDS, CONFIRMED, LATENESS
from services.planner.execution.safety import make_sayable
from services.planner.execution.template import Write, matches, render

# What an inverter, and the integration that asks it, take to say what holds.
RETRY = timedelta(seconds=30)
TRIES = 3
VERIFY = timedelta(minutes=1)
# A plan is asked for anew when it is this old, or when batteries are this much fuller or emptier than it expected.
REPLAN_AGE = timedelta(hours=1)
REPLAN_SOC = 0.05
# A dry run believes what was last recorded.
RECORDED = timedelta(hours=1)

log = structlog.get_logger("luna.planner.execution")


class Executor:
    """Follows the plans of armed sites. A site's turns come one after another; those of several may run side by side.

    Args:
        engine: of the database.
        open_device: returns what tells a site's inverters.
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
        self._devices: dict[str, tuple[Control, Device]] = {}
        self._verified: dict[str, datetime] = {}
        self._asked: dict[str, datetime] = {}
        self._wanting: set[str] = set()
        self._since = clock.now()

    def turn(self, site_id: str) -> bool:
        """Do what is due for a site now; return whether something is still awaited.

        Raises:
            NotFoundError: no such site.
            UnavailableError: the database is away.
        """
        awaited = self._follow(site_id)
        # Only now: what is to be done in this slot comes before any planning.
        if site_id in self._wanting:
            self._wanting.discard(site_id)
            self._ask_plan(site_id)
        return awaited

    def _follow(self, site_id: str) -> bool:
        now = self._clock.now()
        with unit_of_work(self._engine) as connection:
            state, site = control_rows.load(connection, site_id), sites.load(connection, site_id)
        source = find_source(state, now)
        if source is None or site.control is None:
            return False
        device = self._device(site_id, site.control)
        if not carries_on(state, source, now):
            state = self._decide(site, state, source, device=device)
        decision = state.decision
        if decision is None or decision.source != source:
            return True
        writes = render(site.control, decision.allowed)
        if decision.settled:
            return self._verify(state, decision, writes, device=device)
        return self._try(site, state, decision, writes=writes, device=device)

    def close(self) -> None:
        """Let go of every device."""
        for _, device in self._devices.values():
            device.close()
        self._devices.clear()

    def _decide(self, site: Site, state: ControlState, source: Source, *, device: Device) -> ControlState:
        """Store what is to be done from now on and return the state with it; the old state where another was faster."""
        now, control = self._clock.now(), _require(site.control)
        names = [each.battery for each in control.batteries]
        soc = self._measure(site, control, device)
        with unit_of_work(self._engine) as connection:
            wish = self._wish(connection, state, source, names=names)
        decision = _decision(site, wish, soc, source=source, slot_start=floor_to(now, SLOT))
        decided = self._store(state, decision)
        if source == "planner" and (wish.reason != "planned" or _deviates(wish.planned_soc, soc)):
            self._request_plan(site.name)
        return decided or state

    def _wish(self, connection: Connection, state: ControlState, source: Source, *, names: list[str]) -> Wish:
        now = self._clock.now()
        if source == "released":
            return leave_alone(names, "disarmed")
        if source == "owner" and state.override is not None:
            return follow_owner(state.override, names)
        plan = plans.read_due(connection, state.site, now)
        if plan is not None and now - plan.issued_at >= REPLAN_AGE:
            self._request_plan(state.site)
        return follow_plan(plan, names, now=now, max_age=self._plan_max_age)

    def _try(self, site: Site, state: ControlState, decision: Decision, *, writes: list[Write], device: Device) -> bool:
        """Send what was decided where that is due, then see whether it holds; return whether it is still awaited."""
        now = self._clock.now()
        if decision.tried_at is None or now - decision.tried_at >= RETRY:
            if decision.tries >= TRIES:
                return self._give_up(site, state, decision)
            sent = self._store(state, decision.model_copy(update={"tries": decision.tries + 1, "tried_at": now}))
            if sent is None or sent.decision is None:
                return True
            state, decision = sent, sent.decision
            self._send(state, writes, device)
        said = _read(device, writes)
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
            log.warning("command is not taken", site_id=state.site, error=str(error))

    def _settle(self, state: ControlState, decision: Decision, said: Mapping[str, str]) -> None:
        if self._store(state, decision.model_copy(update={"settled": True}), confirmed=said) is None:
            return
        now = self._clock.now()
        COMMANDS.labels(state.site, "confirmed").inc()
        CONFIRMED.labels(state.site).set(now.timestamp())
        self._verified[state.site] = now
        log.info("slot is followed", site_id=state.site, slot_start=decision.slot_start.isoformat(), reason=decision.reason)

    def _give_up(self, site: Site, state: ControlState, decision: Decision) -> bool:
        """Take back what was never confirmed: the inverters consume their own. Where that is not confirmed either, wait for the next slot."""
        COMMANDS.labels(state.site, "unconfirmed").inc()
        self._request_plan(state.site)
        if decision.gave_up or decision.source == "released":
            log.error("the inverters do not follow", site_id=state.site, remedy="Look at them, and at the site's section control.")
            self._store(state, decision.model_copy(update={"settled": True}))
            return False
        soc = {name: math.nan if value is None else value for name, value in decision.measured_soc.items()}
        wish = leave_alone(decision.allowed, "not_acknowledged", plan_id=decision.plan_id)
        fallback = _decision(site, wish, soc, source=decision.source, slot_start=decision.slot_start)
        self._store(state, fallback.model_copy(update={"override": decision.override}))
        return True

    def _verify(self, state: ControlState, decision: Decision, writes: list[Write], *, device: Device) -> bool:
        """See once a minute whether what was confirmed still holds; where it does not, it is sent again. Return whether that is awaited."""
        now = self._clock.now()
        if decision.gave_up or decision.source == "released" or now - self._verified.get(state.site, decision.slot_start) < VERIFY:
            return False
        self._verified[state.site] = now
        said = _read(device, writes)
        # Where nothing can be read, nothing was seen to differ: Home Assistant may be starting.
        if matches(writes, said) or not said:
            return False
        log.warning("the inverters do something else than they were told", site_id=state.site)
        self._store(state, decision.model_copy(update={"settled": False}))
        self._request_plan(state.site)
        return True

    def _store(self, state: ControlState, decision: Decision, *, confirmed: Mapping[str, str] | None = None) -> ControlState | None:
        """Store a decision or how far it is, and in the log what came to an end by it; None where another was faster."""
        with unit_of_work(self._engine) as connection:
            if not control_rows.decide(connection, state, decision):
                log.warning("another executor was faster; one is enough", site_id=state.site)
                return None
            last = state.decision
            if decision.settled:
                control_rows.record(connection, state.site, decision, confirmed)
            elif last is not None and not last.settled and _differs(last, decision):
                control_rows.record(connection, state.site, last, None)
        return state.model_copy(update={"decision": decision, "version": state.version + 1})

    def _measure(self, site: Site, control: Control, device: Device) -> dict[str, float]:
        """Return how full the batteries are, NaN where nobody knows."""
        if control.by == "dry_run":
            with unit_of_work(self._engine) as connection:
                return dict.fromkeys((each.battery for each in control.batteries), _recorded_soc(connection, site, self._clock.now()))
        places = {each.battery: each.soc for each in control.batteries if each.soc is not None}
        try:
            said = device.read(list(places.values()))
        except DeviceError as error:
            log.warning("nobody says how full the batteries are", site_id=site.name, error=str(error))
            said = {}
        return {battery: _share(said.get(place)) for battery, place in places.items()}

    def _device(self, site_id: str, control: Control) -> Device:
        known = self._devices.get(site_id)
        if known is not None and known[0] == control:
            return known[1]
        if known is not None:
            known[1].close()
        device = self._open_device(control)
        self._devices[site_id] = control, device
        return device

    def _request_plan(self, site_id: str) -> None:
        """Have a plan asked for at the end of this turn, once per slot."""
        slot = floor_to(self._clock.now(), SLOT)
        if self._asked.get(site_id) != slot:
            self._asked[site_id] = slot
            self._wanting.add(site_id)


def _decision(site: Site, wish: Wish, soc: Mapping[str, float], *, source: Source, slot_start: datetime) -> Decision:
    return Decision(
        slot_start=slot_start,
        source=source,
        decided_by=wish.decided_by,
        reason=wish.reason,
        plan_id=wish.plan_id,
        override=wish.override,
        requested=dict(wish.requested),
        allowed=make_sayable(site, wish.requested, soc, control=_require(site.control)),
        measured_soc={name: None if math.isnan(value) else value for name, value in soc.items()},
    )


def _saw_start(state: ControlState, decision: Decision, since: datetime) -> bool:
    """Return whether this process could have been in time for the slot."""
    armed_at = state.armed_at or decision.slot_start
    return decision.source == "planner" and not decision.gave_up and max(armed_at, since) <= decision.slot_start


def _require(control: Control | None) -> Control:
    if control is None:
        raise DeviceError("the site has no section control", field="control", remedy="Add one as in config/site.yaml.")
    return control


def _differs(last: Decision, decision: Decision) -> bool:
    progress = {"tries", "tried_at", "settled"}
    return last.model_dump(exclude=progress) != decision.model_dump(exclude=progress)


def _read(device: Device, writes: list[Write]) -> dict[str, str]:
    try:
        return device.read([write.read_back for write in writes if write.read_back is not None])
    except DeviceError as error:
        log.warning("what holds cannot be read", error=str(error))
        return {}


def _share(percent: str | None) -> float:
    """Return a state of charge as a share, NaN for what is none."""
    try:
        share = math.nan if percent is None else float(percent) / 100
    except ValueError:
        return math.nan
    return share if 0 <= share <= 1 else math.nan


def _recorded_soc(connection: Connection, site: Site, now: datetime) -> float:
    recent = observations.read(connection, site.name, Timeline(floor_to(now, SLOT) - RECORDED, SLOT, RECORDED // SLOT)).soc
    known = [float(soc) for soc in recent if not math.isnan(soc)]
    return known[-1] if known else math.nan


def _deviates(planned: Mapping[str, float], measured: Mapping[str, float]) -> bool:
    return any(abs(planned[name] - soc) > REPLAN_SOC for name, soc in measured.items() if name in planned)
