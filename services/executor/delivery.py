"""Deliver decisions to devices: send, read back, retry, finally fall back.

A confirmed decision is verified every minute.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Engine

from luna.contracts.control import ControlState, Decision, DeviceReport
from luna.contracts.device_template import Write, matches
from luna.drivers.control.device import NOT_FOLLOWED, DeviceError
from luna.energy.policy import HANDED_BACK_WITHIN
from luna.house.control_standing import is_silent
from luna.platform.clock import Clock
from luna.platform.database import control as control_rows
from luna.platform.database import operator_limits
from luna.platform.database.engine import unit_of_work
from luna.platform.retry import RetryPolicy
from services.executor.decider import Decider, PlanRequests, store_decision
from services.executor.read_back import compose_reports, count_conflicts, read_unit
from services.executor.target import ControlTarget

LATENESS = Histogram(
    "luna_executor_command_lateness_seconds",
    "How long after its slot began the first command of a slot was sent.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300),
)
COMMANDS = Counter(
    "luna_executor_commands_total",
    "Commands by what came of them: confirmed, unconfirmed, refused, not_followed.",
    ["site_id", "outcome"],
)
CONFLICTS = Counter(
    "luna_executor_control_conflicts_total",
    "How often a battery was found changed by somebody else after it had confirmed Luna's command.",
    ["site_id", "device"],
)
CONFIRMED = Gauge(
    "luna_executor_last_confirmed_command_seconds",
    "When a command of a device was last confirmed, or first awaited; since 1970.",
    ["site_id", "device"],
)

# Time for an inverter, and the integration that polls it, to report a new value.
RESEND = RetryPolicy(timedelta(seconds=30), growth=1, tries=3)
VERIFY = timedelta(minutes=1)
# The pause between two questions to a silent device that is to be handed back.
ASK_AGAIN = timedelta(seconds=5)
# A report older than this is stored again although nothing else changed.
REPORT_AGE = timedelta(seconds=50)

log = structlog.get_logger("luna.executor")


class Delivery:
    """Sends stored decisions to devices.

    Args:
        engine: of the database, which stores tries and confirmations.
        decider: replaces a decision that is never confirmed by the fallback.
        plan_requests: collects sites that need a new plan because a device does not follow.
        clock: for retries and verification.
    """

    def __init__(
        self, engine: Engine, decider: Decider, plan_requests: PlanRequests, *, clock: Clock
    ) -> None:
        self._engine = engine
        self._decider = decider
        self._plan_requests = plan_requests
        self._clock = clock
        self._began_at = clock.now()
        self._verified_at: dict[tuple[str, str], datetime] = {}
        # Units whose last command this process saw confirmed: changes before its start are no
        # conflict.
        self._confirmed_here: set[tuple[str, str]] = set()
        self._requested_at: dict[tuple[str, str], datetime] = {}

    def advance(self, target: ControlTarget, state: ControlState, decision: Decision) -> bool:
        """Send or verify the state's decision and return whether a confirmation is pending."""
        writes = target.unit.render(decision.allowed)
        if decision.settled:
            return self._verify(target, state, decision, writes=writes)
        return self._try(target, state, decision, writes=writes)

    def _try(
        self, target: ControlTarget, state: ControlState, decision: Decision, *, writes: list[Write]
    ) -> bool:
        """Send the decision when a retry is due, then read back whether it holds."""
        now = self._clock.now()
        if decision.tried_at is None or now - decision.tried_at >= RESEND.pause(decision.tries):
            if RESEND.gives_up(decision.tries):
                return self._give_up(target, state, decision)
            tried = decision.model_copy(update={"tries": decision.tries + 1, "tried_at": now})
            sent = store_decision(self._engine, state, tried)
            if sent is None or sent.decision is None:
                return True
            state = sent
            decision = sent.decision
            until = self._send(target, state, decision)
            if until is not None and not _is_last_resort(decision):
                self._decider.fall_back(target, state, decision, "writes_spent", until=until)
                return True
        reading = read_unit(target, decision)
        reported = reading.values
        reports = compose_reports(state, target, decision, reading, now=now)
        self._store_reports(state, reports, now=now)
        if self._disobeys(target, state, decision, reported):
            return True
        if not matches(writes, reported):
            return True
        self._confirm(state, decision, reported)
        return False

    def _confirm(
        self, state: ControlState, decision: Decision, reported: Mapping[str, str]
    ) -> None:
        """Store that a decision is confirmed."""
        now = self._clock.now()
        settled = decision.model_copy(update={"settled": True, "confirmed_at": now})
        if store_decision(self._engine, state, settled, confirmed=reported) is None:
            return
        if decision.reason == "operator_limit":
            self._acknowledge_limits(state, now)
        COMMANDS.labels(state.site, "confirmed").inc()
        CONFIRMED.labels(state.site, state.device).set(now.timestamp())
        self._verified_at[state.site, state.device] = now
        self._confirmed_here.add((state.site, state.device))
        log.info(
            "slot is followed",
            site_id=state.site,
            device=state.device,
            slot_start=decision.slot_start.isoformat(),
            reason=decision.reason,
        )

    def _acknowledge_limits(self, state: ControlState, now: datetime) -> None:
        """Store that a device follows the operator's limits in force."""
        with unit_of_work(self._engine) as connection:
            for limit in operator_limits.list_in_force(connection, state.site, now):
                if limit.acknowledged_at is None:
                    operator_limits.acknowledge(connection, state.site, limit.limit_id, at=now)

    def _disobeys(
        self,
        target: ControlTarget,
        state: ControlState,
        decision: Decision,
        reported: Mapping[str, str],
    ) -> bool:
        """Fall back if the device acknowledged the command and has done something else for minutes.

        A retry would change nothing.
        """
        if NOT_FOLLOWED not in reported.values() or _is_last_resort(decision):
            return False
        log.warning(
            "the device took its command and does something else",
            site_id=state.site,
            device=state.device,
        )
        COMMANDS.labels(state.site, "not_followed").inc()
        self._plan_requests.add(state)
        self._decider.fall_back(target, state, decision, "not_followed")
        return True

    def _send(
        self, target: ControlTarget, state: ControlState, decision: Decision
    ) -> datetime | None:
        """Send to each device of the unit, whatever the others do.

        Return the end of a spent write budget, None if none is spent.
        """
        if self._counts_lateness(state, decision):
            LATENESS.observe((self._clock.now() - decision.slot_start).total_seconds())
        spent_until = None
        for name, setpoint in decision.allowed.items():
            try:
                target.device.apply(target.unit.render({name: setpoint}))
            except DeviceError as error:
                COMMANDS.labels(state.site, "refused").inc()
                log.warning(
                    "command is not taken",
                    site_id=state.site,
                    device=state.device,
                    error=str(error),
                )
                spent_until = error.spent_until or spent_until
        return spent_until

    def _counts_lateness(self, state: ControlState, decision: Decision) -> bool:
        """Return whether a slot's first command counts for lateness.

        It counts only where the process ran and the site was armed before the slot began.
        """
        if decision.tries != 1 or decision.source != "planner" or decision.gave_up:
            return False
        # A limit comes at any time within a slot.
        if decision.reason == "operator_limit":
            return False
        began_at = max(state.armed_at or decision.slot_start, self._began_at)
        return began_at <= decision.slot_start

    def _give_up(self, target: ControlTarget, state: ControlState, decision: Decision) -> bool:
        """Replace an unconfirmed decision by the fallback.

        An unconfirmed fallback waits for the next slot.
        """
        COMMANDS.labels(state.site, "unconfirmed").inc()
        self._plan_requests.add(state)
        if _is_last_resort(decision):
            log.error(
                "the device does not follow",
                site_id=state.site,
                device=state.device,
                remedy="Look at it, and at the site's section control.",
            )
            store_decision(self._engine, state, decision.model_copy(update={"settled": True}))
            return False
        self._decider.fall_back(target, state, decision, "not_acknowledged")
        return True

    def _verify(
        self, target: ControlTarget, state: ControlState, decision: Decision, *, writes: list[Write]
    ) -> bool:
        """Read a confirmed decision back once a minute; send it again where it does not hold."""
        now = self._clock.now()
        unit = (state.site, state.device)
        if decision.source == "released" and decision.confirmed_at is None:
            return self._await_answer(target, state, decision)
        # A clock that was put back must not delay the reading.
        is_recent = abs(now - self._verified_at.get(unit, decision.slot_start)) < VERIFY
        if _is_last_resort(decision) or is_recent:
            return False
        self._verified_at[unit] = now
        target.soc_reader.look(target.device, target.unit.places, now=now, site=target.site)
        reading = read_unit(target, decision)
        reported = reading.values
        reports = compose_reports(state, target, decision, reading, now=now)
        if unit in self._confirmed_here and decision.confirmed_at is not None:
            reports = count_conflicts(state, reports, decision, now=now)
        self._store_reports(state, reports, now=now)
        if self._disobeys(target, state, decision, reported):
            return True
        # No value at all is no deviation: Home Assistant may be starting.
        if matches(writes, reported) or not reported:
            return False
        log.warning(
            "the device does something else than it was told",
            site_id=state.site,
            device=state.device,
        )
        store_decision(self._engine, state, decision.model_copy(update={"settled": False}))
        self._plan_requests.add(state)
        return True

    def _await_answer(self, target: ControlTarget, state: ControlState, decision: Decision) -> bool:
        """Read a silent device, and retry its hand-back once it answers."""
        now = self._clock.now()
        unit = (state.site, state.device)
        is_recent = abs(now - self._requested_at.get(unit, decision.slot_start)) < ASK_AGAIN
        if not is_silent(state) or is_recent:
            return False
        self._requested_at[unit] = now
        reading = read_unit(target, decision)
        reports = compose_reports(state, target, decision, reading, now=now)
        self._store_reports(state, reports, now=now)
        # After a long silence its owner may have commanded it by hand, and is not overruled.
        is_commanded = any(
            report.commanded and report.silent_since is None for report in reports.values()
        )
        is_late = now - (decision.mode_since or decision.slot_start) >= HANDED_BACK_WITHIN
        if reading.silent or (is_late and not is_commanded):
            return False
        again = {
            "settled": False,
            "tries": 0,
            "tried_at": None,
            "mode_since": now if is_late else decision.mode_since,
        }
        store_decision(self._engine, state, decision.model_copy(update=again))
        return True

    def _store_reports(
        self, state: ControlState, reports: Mapping[str, DeviceReport], *, now: datetime
    ) -> None:
        """Store reports that differ or are a minute old, and count new conflicts."""
        for name, report in reports.items():
            before = state.reports.get(name)
            is_known = before is not None and report.conflict == before.conflict
            if report.conflict is None or is_known:
                continue
            CONFLICTS.labels(state.site, name).inc()
            log.warning(
                "another controller changed the device",
                site_id=state.site,
                device=name,
                mode=report.mode,
                power_kw=report.power_kw,
                count=report.conflict.count,
            )
        if all(_is_fresh(report, state.reports.get(name), now) for name, report in reports.items()):
            return
        with unit_of_work(self._engine) as connection:
            control_rows.report(connection, state, reports)


def _is_last_resort(decision: Decision) -> bool:
    """Return whether nothing replaces the decision if it is not followed."""
    return decision.gave_up or decision.source == "released"


def _is_fresh(report: DeviceReport, before: DeviceReport | None, now: datetime) -> bool:
    """Return whether a stored report says the same and is recent."""
    if before is None:
        return False
    undated = {"read_at": None}
    if report.model_copy(update=undated) != before.model_copy(update=undated):
        return False
    if report.read_at is None:
        return True
    return before.read_at is not None and abs(now - before.read_at) < REPORT_AGE
