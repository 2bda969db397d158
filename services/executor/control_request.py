"""Control request for the current slot: by the plan, by the owner's override, else the fallback."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from luna.contracts.control import BatterySetpoint, ControlState, DecidedBy, Decision, Override, ReasonCode, Source
from luna.contracts.plan import PlanReply
from luna.energy.part import PER_EURO
from luna.energy.timeline import SLOT, floor_to
from luna.platform.drivers.session import mode_at
from services.executor.devices.unit import Controllable, InForce, Setpoints, SlotPrices

# A device that takes a command and does something else is found out by then.
PROVEN = timedelta(minutes=5)
# Between what a quarter-hour gains by a change of mode that is worth one, EUR, where each wears out a device's memory. Source: docs/decisions/0099.
LEAST_GAIN, MOST_GAIN = 0.001, 0.1
TRADING = frozenset({"charge", "export"})
RUNNING, RESTING = ("on", "charge"), ("off", "stop")

Prices = Callable[[], SlotPrices | None]


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """Requested set-points with decider and reason.

    ``planned_soc``: the batteries' planned state of charge at the slot's start. ``gain``: what the plan's slot gains over its opposite, currency; None where
    nobody says. ``forgone``: what was not gained since, where the mode in force is kept.
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
    """Return who decides now; None where nothing is to be sent: the site is disarmed and no command is left to release.

    ``named`` says whether the site's section ``control`` still names the device; one that it does not name is as one of a site that is not armed.
    """
    last = state.decision
    if state.armed_at is None or not named:
        handed_back = last is not None and last.source == "released" and last.settled and _alone(last)
        return None if last is None or handed_back else "released"
    return "owner" if state.override is not None and state.override.until > now else "planner"


def is_current(state: ControlState, source: Source, now: datetime) -> bool:
    """Return whether the last decision still holds: one decision per slot, unless the decider changes."""
    last = state.decision
    if last is None or last.source != source:
        return False
    if source == "released":
        return last.slot_start == floor_to(now, SLOT) or _alone(last)
    return last.slot_start == floor_to(now, SLOT) and (source == "planner" or last.override == state.override)


def follow_plan(plan: PlanReply | None, unit: Controllable, prices: Prices, *, now: datetime, max_age: timedelta, in_force: InForce) -> ControlRequest:
    """Return a plan's request for the slot that covers ``now``; without a usable plan the fallback with its reason.

    Args:
        plan: that covers ``now``; None: there is none.
        unit: whose set-points are wanted.
        prices: looks up what a kWh costs and earns now.
        now: an instant.
        max_age: a plan whose first slot began longer ago is not followed.
        in_force: what holds when the slot begins.
    """
    if plan is None:
        return fallback(unit, "no_plan", prices)
    if plan_age(plan, now) > max_age:
        return fallback(unit, "plan_too_old", prices, plan_id=plan.plan_id)
    place = (now - plan.slots[0].start) // timedelta(minutes=plan.slot_minutes)
    requested = unit.read_plan(plan, place, in_force)
    if requested is None:
        return fallback(unit, unit.unplanned, prices, plan_id=plan.plan_id)
    before = plan.slots[place - 1].batteries if place else {}
    planned_soc = {name: flow.soc_end for name, flow in before.items() if name in requested}
    gain = plan.slots[place].reason.cost_of_opposite
    return ControlRequest(requested, "planner", "planned", plan.plan_id, planned_soc=planned_soc, gain=gain)


def plan_age(plan: PlanReply, now: datetime) -> timedelta:
    """Return the time from a plan's first slot to the current slot."""
    return floor_to(now, SLOT) - floor_to(plan.slots[0].start, SLOT)


def follow_owner(override: Override, unit: Controllable) -> ControlRequest:
    """Return the request of an owner's override."""
    return ControlRequest(unit.follow_owner(override), "owner", "override", override=override)


def fallback(unit: Controllable, reason: ReasonCode, prices: Prices, *, plan_id: str | None = None) -> ControlRequest:
    """Return the request of a device's fallback."""
    return ControlRequest(unit.fallback(reason, None if reason == "disarmed" else prices()), "rule", reason, plan_id)


def finish_run(request: ControlRequest, last: Decision | None, unit: Controllable, *, now: datetime) -> ControlRequest:
    """Return the request, or the last decision while the minimum run time lasts; owner overrides and disarming end a run at once."""
    began = None if last is None else last.mode_since
    if last is None or began is None or request.decided_by == "owner" or request.reason == "disarmed" or now >= began + unit.least_run:
        return request
    safe = unit.make_safe(request.requested, {})
    ends = any(last.allowed[name].mode in RUNNING and setpoint.mode in RESTING for name, setpoint in safe.items() if name in last.allowed)
    return replace(request, requested=last.allowed, decided_by="rule", reason="least_run") if ends else request


def price_change(spent: float, currency: str) -> float:
    """Return what a change of mode has to gain, in a currency, when this share of a day's changes is used up, 0 to 1.

    Cheap while many are left, dear towards the last, so that what gains most is not missed for what came first: no rule that does not know the day comes
    nearer to the best choice. Source: Zhou, Chakrabarty, Lukose, Budget constrained bidding in keyword auctions and online knapsack problems, 2008.
    """
    # Of a currency without an order of magnitude here as of a euro: too cheap is no harm beside a budget, too dear is.
    return PER_EURO.get(currency, 1.0) * LEAST_GAIN / math.e * math.pow(MOST_GAIN / LEAST_GAIN * math.e, spent)


def keep_mode(request: ControlRequest, last: Decision | None, soc: Mapping[str, float], *, price: float) -> ControlRequest:
    """Return the request, or the modes in force while what others would have gained since is less than the price of a change: who flaps is not followed.

    What is bought or sold ends when the plan says so, and what nobody knows the gain of begins. Waiting until the forgone gains reach the cost of a change
    comes to twice the least possible at most. Source: Karlin, Manasse, Rudolph, Sleator, Competitive snoopy caching, 1988 (ski rental).

    Args:
        request: what the plan asks of the batteries.
        last: the decision in force.
        soc: measured states of charge by battery, 0 to 1; which mode a set-point comes to depends on them. NaN: unknown, and the request stands.
        price: of a change, currency (``price_change``).
    """
    if last is None or request.decided_by not in {"planner", "agent"} or last.decided_by not in {"planner", "agent"} or request.gain is None:
        return request
    modes, kept = (
        {name: mode_at(each, soc.get(name, math.nan)) for name, each in setpoints.items() if isinstance(each, BatterySetpoint)}
        for setpoints in (request.requested, last.requested)
    )
    forgone = last.forgone + max(request.gain, 0.0)
    unknown = any(math.isnan(soc.get(name, math.nan)) for name in modes)
    if unknown or modes == kept or modes.keys() != kept.keys() or TRADING & set(kept.values()) or forgone >= price:
        return request
    # Without the limits of a slot that is over: they would end, at some state of charge, what is kept.
    unlimited = {name: BatterySetpoint(mode=mode) for name, mode in kept.items()}
    return replace(request, requested=unlimited, reason="mode_kept", forgone=forgone)


def find_mode_since(last: Decision | None, allowed: Setpoints, *, now: datetime) -> datetime:
    """Return the instant since which a device has been in its allowed mode."""
    same = last is not None and {name: each.mode for name, each in last.allowed.items()} == {name: each.mode for name, each in allowed.items()}
    return last.mode_since if last is not None and same and last.mode_since is not None else now


def find_left_alone(state: ControlState, source: Source, now: datetime) -> Decision | None:
    """Return the last decision where it leaves the device alone and that lasts; None: it is told again, as soon as its owner wants something else."""
    last = state.decision
    if last is None or last.left_alone is None or not last.gave_up or now >= last.left_alone.until:
        return None
    return last if last.override == (state.override if source == "owner" else None) else None


def carry_left_alone(state: ControlState, decision: Decision, now: datetime) -> dict[str, object]:
    """Return what a new decision takes over of how long the device is, or was, left alone: until it has followed a command for ``PROVEN``."""
    last = state.decision
    if last is None or last.left_alone is None:
        return {}
    if decision.gave_up:
        # It was handed back once: nothing is sent until it is tried again.
        return {"left_alone": last.left_alone, "settled": last.confirmed_at is not None, "confirmed_at": last.confirmed_at}
    proven = not last.gave_up and last.confirmed_at is not None and now - last.confirmed_at >= PROVEN
    return {} if proven else {"left_alone": last.left_alone}


def _alone(decision: Decision) -> bool:
    # Where nobody knew how full a battery was, it was made to hold: that is not yet what it does by itself.
    return all(setpoint.mode != "hold" for setpoint in decision.allowed.values())
