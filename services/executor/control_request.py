"""Build the control request for the current slot: by plan, owner's override, or fallback. Pure."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from luna.contracts.control import (
    BatterySetpoint,
    ControlState,
    DecidedBy,
    Decision,
    Override,
    ReasonCode,
    Source,
)
from luna.contracts.plan import PlanReply
from luna.drivers.control.units.unit import Controllable, InForce, Setpoints, SlotPrices
from luna.drivers.session import mode_at
from luna.energy.devices.battery import Mode
from luna.energy.part import PER_EURO
from luna.energy.timeline import SLOT, floor_to
from luna.house.control_standing import (
    is_handed_back,
    is_left_to_owner,
    is_silent,
    runs_by_itself,
)

# By then a device that acknowledged a command and does not follow it is detected.
PROVEN = timedelta(minutes=5)
# Bounds of the gain per slot, EUR, that justifies a mode change where each one wears a device's
# memory (docs/decisions/0099).
LEAST_GAIN = 0.001
MOST_GAIN = 0.1
TRADING = frozenset({"charge", "export"})
RUNNING = ("on", "charge")
RESTING = ("off", "stop")

Prices = Callable[[], SlotPrices | None]


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """Requested set-points with decider and reason.

    Args:
        planned_soc: the batteries' planned state of charge at the slot's start.
        gain: gain of the plan's slot over its opposite, currency; None: the plan states none.
        forgone: gains given up so far by keeping the mode in force, currency.
    """

    requested: Setpoints
    decided_by: DecidedBy
    reason: ReasonCode
    plan_id: str | None = None
    override: Override | None = None
    planned_soc: Mapping[str, float] = field(default_factory=dict)
    gain: float | None = None
    forgone: float = 0.0


def find_source(state: ControlState, now: datetime, *, named: bool = True) -> Source | None:
    """Return the source of the next command, or None if there is none.

    Nothing is to be sent while the site is disarmed and no command is left to release. ``named`` is
    False where the site's section ``control`` no longer names the device; it is then released as on
    a disarmed site, and so is one that its owner paused.
    """
    last = state.decision
    if state.armed_at is None or state.paused is not None or not named:
        if last is None or is_handed_back(last) or is_left_to_owner(state, now):
            return None
        return "released"
    return "owner" if state.override is not None and state.override.until > now else "planner"


def is_current(state: ControlState, source: Source, now: datetime) -> bool:
    """Return whether the last decision still holds.

    There is one decision per slot, unless the decider changes.
    """
    last = state.decision
    if last is None or last.source != source:
        return False
    if source == "released":
        # A silent device is tried again once it answers (``Delivery``), not in each slot.
        is_awaited = not last.settled or is_silent(state)
        return last.slot_start == floor_to(now, SLOT) or (runs_by_itself(last) and is_awaited)
    return last.slot_start == floor_to(now, SLOT) and (
        source == "planner" or last.override == state.override
    )


def follow_plan(
    plan: PlanReply | None,
    unit: Controllable,
    prices: Prices,
    *,
    now: datetime,
    max_age: timedelta,
    in_force: InForce,
) -> ControlRequest:
    """Return a plan's request for the slot that covers ``now``.

    Without a usable plan the fallback with its reason.

    Args:
        plan: covers ``now``; None: there is none.
        unit: the unit to control.
        prices: looks up the slot's import and export price.
        now: an instant.
        max_age: largest age of a plan, from the start of its first slot.
        in_force: states of charge and modes at the slot's start.
    """
    if plan is None:
        return fallback(unit, "no_plan", prices)
    if plan.age(now) > max_age:
        return fallback(unit, "plan_too_old", prices, plan_id=plan.plan_id)
    place = (now - plan.slots[0].start) // timedelta(minutes=plan.slot_minutes)
    requested = unit.read_plan(plan, place, in_force)
    if requested is None:
        return fallback(unit, unit.unplanned, prices, plan_id=plan.plan_id)
    before = plan.slots[place - 1].batteries if place else {}
    planned_soc = {name: flow.soc_end for name, flow in before.items() if name in requested}
    gain = plan.slots[place].reason.cost_of_opposite
    return ControlRequest(
        requested, "planner", "planned", plan.plan_id, planned_soc=planned_soc, gain=gain
    )


def follow_owner(override: Override, unit: Controllable) -> ControlRequest:
    """Return the request of an owner's override."""
    return ControlRequest(unit.follow_owner(override), "owner", "override", override=override)


def fallback(
    unit: Controllable, reason: ReasonCode, prices: Prices, *, plan_id: str | None = None
) -> ControlRequest:
    """Return the request of a device's fallback."""
    slot_prices = None if reason == "disarmed" else prices()
    return ControlRequest(unit.fallback(reason, slot_prices), "rule", reason, plan_id)


def finish_run(
    request: ControlRequest, last: Decision | None, unit: Controllable, *, now: datetime
) -> ControlRequest:
    """Return the request, or the last decision while the minimum run time lasts.

    Owner overrides and disarming end a run at once.
    """
    if last is None or last.mode_since is None:
        return request
    if request.decided_by == "owner" or request.reason == "disarmed":
        return request
    if now >= last.mode_since + unit.least_run:
        return request
    for name, setpoint in unit.make_safe(request.requested, {}).items():
        runs = name in last.allowed and last.allowed[name].mode in RUNNING
        if runs and setpoint.mode in RESTING:
            return replace(request, requested=last.allowed, decided_by="rule", reason="least_run")
    return request


def price_change(spent: float, currency: str) -> float:
    """Return the least gain of a mode change, in ``currency``, by the spent write budget.

    ``spent`` is the share of the day's budget used, 0 to 1. The price rises exponentially, so that
    early changes do not use up the budget of better ones; no online rule has a better competitive
    ratio.
    Source: Zhou, Chakrabarty, Lukose, Budget constrained bidding in keyword auctions and online
    knapsack problems, 2008.
    """
    # An unknown currency counts as the euro: the budget corrects a price too low, but not one too
    # high.
    per_euro = PER_EURO.get(currency, 1.0)
    return per_euro * LEAST_GAIN / math.e * math.pow(MOST_GAIN / LEAST_GAIN * math.e, spent)


def keep_mode(
    request: ControlRequest, last: Decision | None, soc: Mapping[str, float], *, price: float
) -> ControlRequest:
    """Return the request, or the modes in force while changing them gains too little.

    The gains forgone by keeping them have to reach the price of a change, so that a flapping plan
    wears no memory. Trading with the grid always ends as planned, and a request without a stated
    gain is always followed. Changing once the forgone gains reach the price costs at most twice the
    optimum.
    Source: Karlin, Manasse, Rudolph, Sleator, Competitive snoopy caching, 1988 (ski rental).

    Args:
        request: the request for the batteries.
        last: the decision in force.
        soc: measured states of charge by battery, 0 to 1, which turn set-points into modes. NaN:
            unknown, and the request stands.
        price: of a change, currency (``price_change``).
    """
    if last is None or request.gain is None:
        return request
    if not {request.decided_by, last.decided_by} <= {"planner", "agent"}:
        return request
    requested_modes = _read_modes(request.requested, soc)
    last_modes = _read_modes(last.requested, soc)
    if any(math.isnan(soc.get(name, math.nan)) for name in requested_modes):
        return request
    if requested_modes == last_modes or requested_modes.keys() != last_modes.keys():
        return request
    forgone = last.forgone + max(request.gain, 0.0)
    if TRADING & set(last_modes.values()) or forgone >= price:
        return request
    # Without the former slot's power and state-of-charge limits: they could end the mode that is
    # kept.
    unlimited = {name: BatterySetpoint(mode=mode) for name, mode in last_modes.items()}
    return replace(request, requested=unlimited, reason="mode_kept", forgone=forgone)


def _read_modes(setpoints: Setpoints, soc: Mapping[str, float]) -> dict[str, Mode]:
    """Return the batteries' modes that set-points mean at their states of charge."""
    modes = {}
    for name, setpoint in setpoints.items():
        if isinstance(setpoint, BatterySetpoint):
            modes[name] = mode_at(setpoint, soc.get(name, math.nan))
    return modes


def find_mode_since(last: Decision | None, allowed: Setpoints, *, now: datetime) -> datetime:
    """Return the instant since which a device has been in its allowed mode."""
    if last is None or last.mode_since is None:
        return now
    last_modes = {name: setpoint.mode for name, setpoint in last.allowed.items()}
    modes = {name: setpoint.mode for name, setpoint in allowed.items()}
    return last.mode_since if last_modes == modes else now


def find_left_alone(state: ControlState, source: Source, now: datetime) -> Decision | None:
    """Return the last decision while it leaves the device alone, or None to send.

    A device is left alone for the back-off after a failure. An owner's new override ends it.
    """
    last = state.decision
    if last is None or last.left_alone is None or not last.gave_up:
        return None
    override = state.override if source == "owner" else None
    is_over = now >= last.left_alone.until
    return None if is_over or last.override != override else last


def carry_left_alone(
    state: ControlState, decision: Decision, now: datetime, *, exceeds: bool
) -> dict[str, object]:
    """Return the fields of the back-off that a new decision inherits.

    It is reset once the device has followed a command for ``PROVEN``. ``exceeds``: the last
    decision is beyond a limit of now.
    """
    last = state.decision
    if last is None or last.left_alone is None:
        return {}
    if decision.gave_up and exceeds:
        # What has to be kept is sent, whatever the device did with earlier commands.
        return {"left_alone": last.left_alone}
    if decision.gave_up:
        # The fallback was sent once already: nothing is sent until the back-off ends.
        return {
            "left_alone": last.left_alone,
            "settled": last.confirmed_at is not None,
            "confirmed_at": last.confirmed_at,
        }
    if last.gave_up or last.confirmed_at is None or now - last.confirmed_at < PROVEN:
        return {"left_alone": last.left_alone}
    return {}
