"""What a site is to be told now: by its plan, by its owner, or, where neither can be followed, nothing but what inverters do by themselves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from luna.contracts.control import ControlState, DecidedBy, Decision, Override, ReasonCode, Source
from luna.contracts.plan import PlanReply
from luna.contracts.setpoint import BatterySetpoint
from luna.timeline import SLOT, floor_to

# What an inverter does without anybody's commands.
OWN = BatterySetpoint(mode="self_consumption")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, by whom and why. ``planned_soc`` is how full the plan expected the batteries to be at the start of the slot."""

    requested: Mapping[str, BatterySetpoint]
    decided_by: DecidedBy
    reason: ReasonCode
    plan_id: str | None = None
    override: Override | None = None
    planned_soc: Mapping[str, float] = field(default_factory=dict)


def find_source(state: ControlState, now: datetime) -> Source | None:
    """Return who decides now; None where nothing is to be sent: the site is not armed, and nothing has to be taken back."""
    if state.armed_at is None:
        return None if state.decision is None or _handed_back(state.decision) else "released"
    return "owner" if state.override is not None and state.override.until > now else "planner"


def carries_on(state: ControlState, source: Source, now: datetime) -> bool:
    """Return whether the last decision still stands: nobody decides twice for a slot, unless someone else decides from now on."""
    last = state.decision
    if last is None or last.source != source:
        return False
    if source == "released":
        return last.slot_start == floor_to(now, SLOT) or _alone(last)
    return last.slot_start == floor_to(now, SLOT) and (source == "planner" or last.override == state.override)


def follow_plan(plan: PlanReply | None, batteries: Iterable[str], *, now: datetime, max_age: timedelta) -> Wish:
    """Return what a plan says of the slot that covers ``now``; without a usable plan what inverters do by themselves, and why.

    Args:
        plan: that covers ``now``; None: there is none.
        batteries: whose set-points are wanted.
        now: an instant.
        max_age: a plan issued longer ago is not followed.
    """
    names = list(batteries)
    if plan is None:
        return leave_alone(names, "no_plan")
    if now - plan.issued_at > max_age:
        return leave_alone(names, "plan_too_old", plan_id=plan.plan_id)
    place = (now - plan.slots[0].start) // timedelta(minutes=plan.slot_minutes)
    requested = {name: told.at(place) for name, told in plan.setpoints.items() if name in names}
    if set(requested) != set(names):
        return leave_alone(names, "plan_without_setpoints", plan_id=plan.plan_id)
    before = plan.slots[place - 1].batteries if place else {}
    return Wish(requested, "planner", "planned", plan.plan_id, planned_soc={name: flow.soc_end for name, flow in before.items()})


def follow_owner(wanted: Override, batteries: Iterable[str]) -> Wish:
    """Return what the owner asks for, for every battery."""
    setpoint = BatterySetpoint(mode=wanted.mode, power_kw=wanted.power_kw, target_soc=wanted.target_soc)
    return Wish(dict.fromkeys(batteries, setpoint), "owner", "override", override=wanted)


def leave_alone(batteries: Iterable[str], reason: ReasonCode, *, plan_id: str | None = None) -> Wish:
    """Return what inverters do by themselves."""
    return Wish(dict.fromkeys(batteries, OWN), "rule", reason, plan_id)


def _handed_back(decision: Decision) -> bool:
    return decision.source == "released" and decision.settled and _alone(decision)


def _alone(decision: Decision) -> bool:
    # Where nobody knew how full a battery was, it was made to hold: that is not yet what it does by itself.
    return all(setpoint.mode == OWN.mode for setpoint in decision.allowed.values())
