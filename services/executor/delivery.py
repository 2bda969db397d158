"""Whether a device does what was decided: it is sent, read back, sent again, taken back in the end, and watched from then on."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Engine

from luna.contracts.control import ControlState, Decision
from luna.contracts.device_template import Write, matches
from luna.platform.clock import Clock
from luna.platform.retry import RetryPolicy
from services.executor.decider import Decider, PlanRequests, store_decision
from services.executor.device import Device, DeviceError
from services.executor.target import ControlTarget

LATENESS = Histogram(
    "luna_planner_command_lateness_seconds",
    "How long after its slot began the first command of a slot was sent.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300),
)
COMMANDS = Counter("luna_planner_commands_total", "Commands by what came of them: confirmed, unconfirmed, refused.", ["site_id", "outcome"])
CONFIRMED = Gauge(
    "luna_planner_last_confirmed_command_seconds", "When a command of a device was last confirmed, or first awaited; since 1970.", ["site_id", "device"]
)

# What an inverter, and the integration that asks it, take to say what holds.
RESEND = RetryPolicy(timedelta(seconds=30), growth=1, tries=3)
VERIFY = timedelta(minutes=1)

log = structlog.get_logger("luna.planner.execution")


class Delivery:
    """Brings stored decisions to devices.

    Args:
        engine: of the database, in which is noted how far each is.
        decider: takes back what is never confirmed.
        plan_requests: receives that a device does not follow, so that a new plan is wanted.
        clock: tells what is due.
    """

    def __init__(self, engine: Engine, decider: Decider, plan_requests: PlanRequests, *, clock: Clock) -> None:
        self._engine = engine
        self._decider = decider
        self._plan_requests = plan_requests
        self._clock = clock
        self._began_at = clock.now()
        self._verified_at: dict[tuple[str, str], datetime] = {}

    def advance(self, told: ControlTarget, state: ControlState, decision: Decision) -> bool:
        """Do what is due for the state's decision and return whether something is still awaited."""
        writes = told.unit.render(decision.allowed)
        return (self._verify if decision.settled else self._try)(told, state, decision, writes=writes)

    def _try(self, told: ControlTarget, state: ControlState, decision: Decision, *, writes: list[Write]) -> bool:
        """Send what was decided where that is due, then see whether it holds."""
        now = self._clock.now()
        if decision.tried_at is None or now - decision.tried_at >= RESEND.pause(decision.tries):
            if RESEND.gives_up(decision.tries):
                return self._give_up(told, state, decision)
            sent = store_decision(self._engine, state, decision.model_copy(update={"tries": decision.tries + 1, "tried_at": now}))
            if sent is None or sent.decision is None:
                return True
            state, decision = sent, sent.decision
            self._send(state, decision, writes, told.device)
        said = _read(told.device, writes)
        if not matches(writes, said):
            return True
        self._settle(state, decision, said)
        return False

    def _send(self, state: ControlState, decision: Decision, writes: list[Write], device: Device) -> None:
        if decision.tries == 1 and _saw_start(state, decision, self._began_at):
            LATENESS.observe((self._clock.now() - decision.slot_start).total_seconds())
        try:
            device.apply(writes)
        except DeviceError as error:
            COMMANDS.labels(state.site, "refused").inc()
            log.warning("command is not taken", site_id=state.site, device=state.device, error=str(error))

    def _settle(self, state: ControlState, decision: Decision, said: Mapping[str, str]) -> None:
        now = self._clock.now()
        if store_decision(self._engine, state, decision.model_copy(update={"settled": True, "confirmed_at": now}), confirmed=said) is None:
            return
        COMMANDS.labels(state.site, "confirmed").inc()
        CONFIRMED.labels(state.site, state.device).set(now.timestamp())
        self._verified_at[state.site, state.device] = now
        log.info("slot is followed", site_id=state.site, device=state.device, slot_start=decision.slot_start.isoformat(), reason=decision.reason)

    def _give_up(self, told: ControlTarget, state: ControlState, decision: Decision) -> bool:
        """Take back what was never confirmed: the device does what it does by itself. Where that is not confirmed either, wait for the next slot."""
        COMMANDS.labels(state.site, "unconfirmed").inc()
        self._plan_requests.want(state)
        if decision.gave_up or decision.source == "released":
            log.error("the device does not follow", site_id=state.site, device=state.device, remedy="Look at it, and at the site's section control.")
            store_decision(self._engine, state, decision.model_copy(update={"settled": True}))
            return False
        self._decider.take_back(told, state, decision)
        return True

    def _verify(self, told: ControlTarget, state: ControlState, decision: Decision, *, writes: list[Write]) -> bool:
        """See once a minute whether what was confirmed still holds; where it does not, it is sent again."""
        now, whom = self._clock.now(), (state.site, state.device)
        if decision.gave_up or decision.source == "released" or now - self._verified_at.get(whom, decision.slot_start) < VERIFY:
            return False
        self._verified_at[whom] = now
        told.gauge.look(told.device, told.unit.places, now=now, site=told.site)
        said = _read(told.device, writes)
        # Where nothing can be read, nothing was seen to differ: Home Assistant may be starting.
        if matches(writes, said) or not said:
            return False
        log.warning("the device does something else than it was told", site_id=state.site, device=state.device)
        store_decision(self._engine, state, decision.model_copy(update={"settled": False}))
        self._plan_requests.want(state)
        return True


def _saw_start(state: ControlState, decision: Decision, since: datetime) -> bool:
    """Return whether this process could have been in time for the slot."""
    armed_at = state.armed_at or decision.slot_start
    return decision.source == "planner" and not decision.gave_up and max(armed_at, since) <= decision.slot_start


def _read(device: Device, writes: list[Write]) -> dict[str, str]:
    try:
        return device.read([write.read_back for write in writes if write.read_back is not None])
    except DeviceError as error:
        log.warning("what holds cannot be read", error=str(error))
        return {}
