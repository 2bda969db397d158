"""Find what an owner should know of a site.

No plan, a plan with compromises, devices that deviate, sensors that are silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from luna.contracts.agent import SHADOW_POLICIES
from luna.contracts.agent_control import CONTROL_MODES, GATEKEEPER, GateEntry
from luna.contracts.charging_sessions import StoredSession, lay_out_sessions
from luna.contracts.control import ControlStanding, ControlState, Decision, DeviceReport, LeftAlone
from luna.contracts.plan import PlanReply
from luna.energy.car_draw import DRAWS_WELL, LEFT_OUT, CarDraw
from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.house.silent_sensors import read_silent
from luna.platform.database import agent_gates, charging_sessions, control, readings

FindingCode = Literal[
    "no_plan",
    "plan_old",
    "plan_compromised",
    "plan_unproven",
    "device_silent",
    "device_disobeys",
    "device_spared",
    "device_kept",
    "device_held",
    "device_left",
    "device_conflict",
    "sensors_silent",
    "sensor_silent",
    "sensor_unheard",
    "agent_offered",
    "agent_withdrawn",
    "device_takes_nothing",
    "car_draws_less",
    "car_draws_nothing",
    "car_departure_at_risk",
    "level_doubted",
    "prices_doubted",
]
# Home Assistant tells of changes alone: single sensors may be still for a night, all of them
# together are not.
SILENT_AFTER = timedelta(hours=1)
# A sensor that is silent for longer was removed, or its site is loaded from files.
FORGOTTEN_AFTER = timedelta(days=7)
# Silence is counted in hours, and looking for it reads when each sensor spoke.
SEARCH_EVERY = timedelta(minutes=1)
# Codes of a plan's notes on levels that cannot be right, and on devices that take no planned
# energy.
LEVEL_NOTES = {"soc_stands_still"}.union(*(kind.plan.notes.levels for kind in DEVICE_KINDS))
UNTAKEN_NOTES = set[str]().union(*(kind.plan.notes.untaken for kind in DEVICE_KINDS))
# Codes of a plan's notes on prices that may be wrong, or are old.
PRICE_NOTES = frozenset(("price_beyond_markets", "prices_beyond_last_week", "prices_stale"))
# The figures of a note that name its device.
NAMES = tuple(kind.name for kind in DEVICE_KINDS)
# So long it is news that the gatekeeper offers a mode of control, or has withdrawn it.
GATE_NEWS = timedelta(days=2)
# Cars report their state of charge in whole per cent.
LITTLE_SOC = 0.015
# A device confirms within seconds that it was handed back.
RELEASED_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """Something the owner should know.

    Attributes:
        code: what it is, a key of ``luna.words.messages.MESSAGES``.
        key: the same as long as it is the same event.
        figures: what its sentence is made from.
    """

    code: FindingCode
    key: str
    figures: dict[str, Any] = field(default_factory=dict)


def find(
    connection: Connection,
    site: Site,
    *,
    plan: PlanReply | None,
    states: Sequence[ControlState],
    plan_max_age: timedelta,
    now: datetime,
) -> list[SiteFinding]:
    """Return the findings on a site, beside those on its sensors.

    Args:
        connection: to the database.
        site: a stored one.
        plan: that covers ``now``, None where none does.
        states: of the site's devices, batteries first.
        plan_max_age: age at which a plan is no longer followed.
        now: the instant of the question.
    """
    return [
        *_find_plan_faults(plan, states, plan_max_age, now),
        *find_doubted_levels(plan),
        *find_doubted_prices(plan),
        *_find_deviations(connection, states, now),
        *_find_draws(connection, site, states, now),
        *find_agent_news(connection, site, now=now),
    ]


def _find_plan_faults(
    plan: PlanReply | None, states: Sequence[ControlState], plan_max_age: timedelta, now: datetime
) -> list[SiteFinding]:
    armed_at = states[0].armed_at
    if plan is None:
        # A site that is not armed needs no plan.
        if armed_at is None:
            return []
        return [SiteFinding("no_plan", f"armed {armed_at.isoformat()}")]
    if armed_at is not None and plan.age(now) > plan_max_age:
        return [SiteFinding("plan_old", plan.issued_at.isoformat(), {"at": plan.issued_at})]
    if plan.status != "compromised":
        return []
    # A plan that the solver had no time to prove may still be feasible.
    parts: tuple[tuple[FindingCode, bool], ...] = (
        ("plan_compromised", False),
        ("plan_unproven", True),
    )
    findings = []
    for code, is_unproven in parts:
        shortfalls = [missed for missed in plan.compromises if missed.unproven == is_unproven]
        if not shortfalls:
            continue
        # The same shortfall in every plan of a day is one event.
        constraints = sorted({missed.code or missed.constraint for missed in shortfalls})
        key = f"{plan.slots[0].start.date()} {' '.join(constraints)}"
        figures = {"missed": [missed.model_dump() for missed in shortfalls]}
        findings.append(SiteFinding(code, key, figures))
    return findings


def find_doubted_prices(plan: PlanReply | None) -> list[SiteFinding]:
    """Return a plan's doubts about prices: absurd ones, and those of a silent source."""
    if plan is None:
        return []
    findings = []
    for note in plan.notes:
        if note.code in PRICE_NOTES:
            # The same doubt in every plan of a day is one event.
            key = f"{note.code} {plan.slots[0].start.date()}"
            findings.append(SiteFinding("prices_doubted", key, {"note": (note.code, note.figures)}))
    return findings


def find_doubted_levels(plan: PlanReply | None) -> list[SiteFinding]:
    """Return a plan's doubts about idle devices and impossible levels."""
    if plan is None:
        return []
    findings = []
    for note in plan.notes:
        is_untaken = note.code in UNTAKEN_NOTES
        if not is_untaken and note.code not in LEVEL_NOTES:
            continue
        code: FindingCode = "device_takes_nothing" if is_untaken else "level_doubted"
        named = [str(note.figures[name]) for name in NAMES if name in note.figures]
        # The same session, or the same level that does not change, is one event.
        key = " ".join([*named, note.code, note.figures["since"]])
        findings.append(SiteFinding(code, key, {"note": (note.code, note.figures)}))
    return findings


# The finding on a device that is left alone, by the reason.
_SUSPENSIONS: dict[str, FindingCode] = {
    "not_acknowledged": "device_silent",
    "not_followed": "device_disobeys",
    "writes_spent": "device_spared",
}


def _find_deviations(
    connection: Connection, states: Sequence[ControlState], now: datetime
) -> list[SiteFinding]:
    findings = []
    for state in states:
        findings += _find_standing(state, now)
        decision = state.decision
        is_armed = state.armed_at is not None
        if is_armed and decision is not None and decision.reason == "mode_kept":
            at = decision.slot_start
            figures = _name_device(state) | {"at": at}
            findings.append(SiteFinding("device_kept", f"{state.device} {at.date()}", figures))
        suspension = _find_suspension(connection, state)
        if suspension is not None:
            reason, period = suspension
            figures = _name_device(state) | {"at": period.since, "until": period.until}
            key = f"{state.device} {period.since.date()}"
            findings.append(SiteFinding(_SUSPENSIONS[reason], key, figures))
    return findings


def _find_draws(
    connection: Connection, site: Site, states: Sequence[ControlState], now: datetime
) -> list[SiteFinding]:
    """Return the cars that do not follow their chargers' commands."""
    reports: list[tuple[str, DeviceReport]] = []
    for state in states:
        reports += state.reports.items()
    findings = []
    for name, report in reports:
        draw = report.draw
        if draw is None or draw.since is None or not draw.holds_at(now):
            continue
        if draw.verdict in DRAWS_WELL:
            continue
        figures: dict[str, Any] = {"device": name, "draw": draw}
        code: FindingCode = "car_draws_nothing"
        if draw.verdict == "draws_less":
            # The plan says whether that is enough until the departure.
            code = "car_draws_less"
        elif draw.verdict in LEFT_OUT:
            session = _find_missed(connection, site, name, draw, now=now)
            if session is not None:
                code = "car_departure_at_risk"
                figures |= {"wanted": session.target_soc, "at": session.to}
        findings.append(SiteFinding(code, f"{name} {draw.since.isoformat()}", figures))
    return findings


def _find_missed(
    connection: Connection, site: Site, vehicle: str, draw: CarDraw, *, now: datetime
) -> StoredSession | None:
    """Return the running session whose target an idle car misses."""
    if draw.verdict == "full" and draw.soc is None:
        return None
    end = now + timedelta(seconds=1)
    standing = charging_sessions.read_standing(connection, site.name, first=now, end=end)
    running = lay_out_sessions(standing, parse_zone(site.timezone), first=now, end=end)
    for session in running:
        if session.vehicle != vehicle or session.target_soc is None:
            continue
        if draw.soc is None or draw.soc < session.target_soc - LITTLE_SOC:
            return session
    return None


def _find_standing(state: ControlState, now: datetime) -> list[SiteFinding]:
    """Return the devices in conflict with another controller, or not handed back."""
    standing = state.standing
    decision = state.decision
    if standing is None or decision is None:
        return []
    findings = []
    for name in decision.allowed:
        report = state.reports.get(name, DeviceReport())
        if standing.code == "not_released" and not _is_being_released(decision, standing, now):
            code: FindingCode = "device_left" if standing.next == "left_to_owner" else "device_held"
            at = report.read_at or decision.slot_start
            since = report.since or at
            figures = {"device": name, "doing": (report.mode, report.power_kw), "at": at}
            findings.append(SiteFinding(code, f"{name} {since.isoformat()}", figures))
        conflict = report.conflict
        if standing.conflict and conflict is not None:
            figures = {
                "device": name,
                "count": conflict.count,
                "doing": (conflict.mode, conflict.power_kw),
                "at": conflict.last_at,
                "since": conflict.first_at,
            }
            key = f"{name} {conflict.first_at.isoformat()}"
            findings.append(SiteFinding("device_conflict", key, figures))
    return findings


def _is_being_released(decision: Decision, standing: ControlStanding, now: datetime) -> bool:
    """Return whether a running executor is about to hand a device back."""
    if standing.next != "released_when_it_answers":
        return False
    if decision.source != "released" or decision.tried_at is None:
        return True
    return now - decision.tried_at < RELEASED_WITHIN and not decision.settled


def _name_device(state: ControlState) -> dict[str, Any]:
    """Return the figures that name a device, and each of several batteries."""
    figures: dict[str, Any] = {"device": state.device.rpartition(":")[2]}
    commanded = [] if state.decision is None else list(state.decision.allowed)
    if state.device == BATTERIES and len(commanded) > 1:
        figures["batteries"] = commanded
    return figures


def _find_suspension(connection: Connection, state: ControlState) -> tuple[str, LeftAlone] | None:
    """Return reason and period for which a device of an armed site is left alone, if it is."""
    decision = state.decision
    if state.armed_at is None or decision is None or decision.left_alone is None:
        return None
    # The news is the other controller, not the lost command.
    if state.standing is not None and state.standing.conflict:
        return None
    if decision.gave_up:
        return decision.reason, decision.left_alone
    if decision.settled:
        return None
    # The executor tries the device again; until it confirms, the last reason counts.
    last = control.read_last_entry(connection, state)
    last_reason = None if last is None else last[0]
    if last_reason not in _SUSPENSIONS:
        return None
    return last_reason, decision.left_alone


def find_silent(connection: Connection, site: Site, *, now: datetime) -> list[SiteFinding]:
    """Return the silent sensors of a site: all, or some while others report.

    The search is slow: frequent callers reuse a result for ``SEARCH_EVERY``.
    """
    names = set[str]()
    for sensors in site.sensor_roles.values():
        names.update(sensor.name for sensor in sensors if sensor.holds_at(now))
    last = readings.last_instant(connection, site.name, names, now=now) if names else None
    silent = find_silent_beside_others(connection, site, now=now)
    if last is None or not SILENT_AFTER < now - last < FORGOTTEN_AFTER:
        return silent
    return [SiteFinding("sensors_silent", last.isoformat(), {"at": last}), *silent]


def find_silent_beside_others(
    connection: Connection, site: Site, *, now: datetime
) -> list[SiteFinding]:
    """Return the sensors that are silent while others of their role speak."""
    findings = []
    for silent in read_silent(connection, site, now=now):
        key = f"{silent.role} {silent.sensor.name}"
        figures = {"sensor": silent.sensor.name, "role": silent.role}
        if silent.since is None:
            findings.append(SiteFinding("sensor_unheard", key, figures))
            continue
        local_since = silent.since.astimezone(parse_zone(site.timezone))
        figures["since"] = local_since.date().isoformat()
        key = f"{key} {silent.since.isoformat()}"
        findings.append(SiteFinding("sensor_silent", key, figures))
    return findings


def find_agent_news(connection: Connection, site: Site, *, now: datetime) -> list[SiteFinding]:
    """Return the highest mode that the gatekeeper newly offers, and the highest it withdrew.

    A person's decisions are no news.
    """
    policy = SHADOW_POLICIES[site.antares.shadow_policy_type]
    standing = agent_gates.read_standing(connection, site.name, policy=policy)
    recent: list[GateEntry] = []
    for mode in reversed(CONTROL_MODES[1:]):
        if mode not in standing:
            continue
        turn = agent_gates.find_turn(connection, site.name, policy=policy, mode=mode)
        if turn is None or turn.decided_by != GATEKEEPER:
            continue
        if now - GATE_NEWS < turn.at <= now:
            recent.append(turn)
    higher_modes = CONTROL_MODES[CONTROL_MODES.index(site.antares.control_mode) + 1 :]
    offered = [turn for turn in recent if turn.state == "offered" and turn.mode in higher_modes]
    withdrawn = [turn for turn in recent if turn.state == "withdrawn"]
    news = []
    if offered:
        offer = offered[0]
        key = f"{offer.mode} {offer.at.isoformat()}"
        news.append(SiteFinding("agent_offered", key, {"mode": offer.mode}))
    if withdrawn:
        loss = withdrawn[0]
        key = f"{loss.mode} {loss.at.isoformat()}"
        news.append(SiteFinding("agent_withdrawn", key, {"mode": loss.mode, "at": loss.at}))
    return news
