"""Plan an alternative to a plan, and return its cost and the slots that change.

The alternative is fixed, the rest is planned again, and both plans are priced over the whole
horizon.
"""

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.alternative import Alternative, WhyNotReply
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanRequest
from luna.energy.devices import FLOW_KINDS
from luna.energy.devices.battery import Battery
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import Timeline, floor_to, require_utc
from luna.words import Language, Numbers, limit
from luna.words.alternatives import say_alternative
from services.planner.alternatives.replan import AlternativePlan, replan_after, take_slots
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.problem.problem import Problem
from services.planner.reply.plan_limits import find_limits
from services.planner.reply.reply import answer
from services.planner.reply.slot_changes import compare_costs, list_changes, newly_missed

_NOTHING_KWH = 1e-6
_MODES = ", ".join(mode.word for mode in Mode)
# The actions of owners' blocks that stand for the modes of devices other than batteries.
_ACTIONS = {"charge": "charge", "hold": "no_charge", "on": "on", "off": "off"}


@dataclass(frozen=True, slots=True)
class ComparedPlans:
    """A plan and the plan with the alternative.

    ``cost_by_value`` is the additional cost by the value of stored energy, ``limits`` are the codes
    of the limits at work.
    """

    before: Plan
    after: Plan
    cost_by_value: float | None = None
    limits: tuple[str, ...] = ()


def plan_alternative(
    inputs: PlanRequest, alternative: Alternative, *, solver: Solver, language: Language
) -> WhyNotReply:
    """Return the cost of an alternative to the plan of ``inputs``, and the slots that change.

    Of a battery, all earlier slots and the schedules of loads stay as planned, so that the answer
    agrees with a slot's ``cost_of_opposite``. Any other device's alternative is a block that
    everything else is planned around, earlier slots too.

    Raises:
        InvalidInputError: the alternative lies outside the plan, names no device, or a limit
            forbids it.
        SolverError: no plan for the later slots.
    """
    problem = build_problem(inputs)
    plan = _keep_charges(decide(problem, solver), problem)
    site = plan.problem.site
    slots = find_slots(alternative, plan.problem.outlook.timeline, ZoneInfo(site.timezone))
    actions = _list_actions(inputs, alternative)
    if actions is None:
        index = find_battery(alternative, site)
        require_allowed(alternative, site.batteries[index])
        setpoints = override_setpoint(plan, alternative, index=index, slots=slots)
        replanned = replan_after(plan, setpoints, slots[0], solver)
        require_happens(alternative, replanned, index)
        cost = replanned.cost_by_value
        compared = ComparedPlans(
            plan,
            replanned.after,
            cost_by_value=None if cost is None else round(cost, 6),
            limits=tuple(limits_at_work(replanned)),
        )
    else:
        request = _add_block(inputs, alternative, slots, actions)
        try:
            block_problem = build_problem(request)
        except InvalidInputError as exc:
            impossible = InvalidInputError(
                f"impossible: {exc.message}",
                field="alternative",
                value=exc.value,
                remedy=exc.remedy,
            )
            raise impossible.because(exc.reason, exc.parameters) from exc
        compared = ComparedPlans(plan, decide(block_problem, solver))
    return _reply(compared, inputs, alternative, slots=slots, language=language)


def _keep_charges(plan: Plan, problem: Problem) -> Plan:
    """Return the plan with its problem's charges.

    Under a block tariff the decided plan has the price of the block in which it ends instead.
    """
    if not problem.tariff.charges:
        return plan
    decided = plan.problem
    outlook = replace(decided.outlook, import_price=problem.outlook.import_price)
    tariff = replace(decided.tariff, charges=problem.tariff.charges)
    return replace(plan, problem=replace(decided, outlook=outlook, tariff=tariff))


def find_slots(alternative: Alternative, timeline: Timeline, zone: ZoneInfo) -> tuple[int, int]:
    """Return the first slot of an alternative and the one after its last.

    Raises:
        InvalidInputError: it lies outside the plan.
    """
    slot = alternative.slot
    until = alternative.until
    if until is None:
        slot_start = floor_to(require_utc(slot, field="alternative.slot"), timeline.step)
        until = slot_start + timeline.step
    outside = []
    if not timeline.start <= slot < timeline.end:
        outside.append(("slot", slot))
    if not timeline.start <= until <= timeline.end:
        outside.append(("until", until))
    for field, instant in outside:
        raise refuse(
            "outside-plan",
            field=f"alternative.{field}",
            value=instant.astimezone(zone).isoformat(),
            start=timeline.start.astimezone(zone),
            end=timeline.end.astimezone(zone),
        )
    first = timeline.index_of(slot)
    # Rounded up: a slot that is covered in part counts.
    end = -((timeline.start - until) // timeline.step)
    return first, max(end, first + 1)


# --- batteries: the alternative is a set-point


def find_battery(alternative: Alternative, site: Site) -> int:
    """Return the index of the battery that an alternative names.

    Raises:
        InvalidInputError: none is named where there are several, or the site has none; the mode is
            none of a battery's.
    """
    names = [battery.name for battery in site.batteries]
    device = alternative.device
    if device is not None and device not in names:
        devices: list[str] = []
        for kind in FLOW_KINDS:
            devices.extend(part.name for part in kind.of(site))
        raise refuse(
            "no-such-device",
            field="alternative.device",
            value=device,
            names=tuple(devices) or ("–",),
        )
    if device is None and len(names) != 1:
        raise refuse(
            "which-battery" if names else "no-battery",
            field="alternative.device",
            value=device,
            names=tuple(names),
        )
    if alternative.mode in ("on", "off"):
        raise refuse(
            "no-such-mode",
            field="alternative.mode",
            value=alternative.mode,
            modes=_MODES,
            device=device or names[0],
        )
    return names.index(device) if device else 0


def require_allowed(alternative: Alternative, battery: Battery) -> None:
    """Refuse modes, powers and targets beyond the battery's limits.

    Raises:
        InvalidInputError: names the limit that forbids it.
    """
    mode = alternative.mode
    permission = "discharge_to_grid"
    power_limit = "discharge_limit_kw"
    if mode == "charge":
        permission = "charge_from_grid"
        power_limit = "charge_limit_kw"
    if mode in ("charge", "export") and not getattr(battery, permission):
        raise _forbid("mode", mode, f"batteries.{battery.name}.{permission} is false")
    most_kw = getattr(battery, power_limit)
    power_kw = alternative.power_kw
    if power_kw is not None and power_kw > most_kw:
        raise _forbid(
            "power_kw", power_kw, f"batteries.{battery.name}.{power_limit} is {most_kw:g}"
        )
    target_soc = alternative.target_soc
    if target_soc is not None and not battery.min_soc <= target_soc <= battery.max_soc:
        limits = f"min_soc is {battery.min_soc:g}, max_soc {battery.max_soc:g}"
        raise _forbid("target_soc", target_soc, f"of batteries.{battery.name} {limits}")


def override_setpoint(
    plan: Plan, alternative: Alternative, *, index: int, slots: tuple[int, int]
) -> SetPoint:
    """Return the plan's set-points of ``slots`` with one battery in the alternative's mode.

    The mode has the battery's widest limits.
    """
    setpoints = take_slots(plan.setpoints, slice(*slots))
    battery = plan.problem.site.batteries[index]
    charges = alternative.mode == "charge"
    most_kw = battery.charge_limit_kw if charges else battery.discharge_limit_kw
    widest = {
        "mode": Mode[alternative.mode.upper()].value,
        "power_kw": alternative.power_kw or most_kw,
        "target_soc": _target_soc(
            alternative, battery.min_soc if alternative.mode == "export" else battery.max_soc
        ),
        "floor_soc": battery.min_soc,
        "ceiling_soc": battery.max_soc,
    }
    changed = {name: getattr(setpoints, name).copy() for name in widest}
    for name, value in widest.items():
        changed[name][index] = value
    return replace(setpoints, **changed)


def _target_soc(alternative: Alternative, furthest_soc: float) -> float:
    return furthest_soc if alternative.target_soc is None else alternative.target_soc


def require_happens(alternative: Alternative, replanned: AlternativePlan, index: int) -> None:
    """Refuse an exchange with the grid that the limits reduce to nothing.

    Raises:
        InvalidInputError: names the limits at work.
    """
    flows = replanned.after.flows
    if alternative.mode == "charge":
        exchanged = flows.charge_kwh
    elif alternative.mode == "export":
        exchanged = np.minimum(flows.discharge_kwh, flows.export_kwh)
    else:
        return
    slots = slice(replanned.first, replanned.end)
    if exchanged[index, slots].sum() <= _NOTHING_KWH:
        raise _forbid("mode", alternative.mode, _describe_refusal(alternative, replanned, index))


def _describe_refusal(alternative: Alternative, replanned: AlternativePlan, index: int) -> str:
    """Return the limit that leaves nothing of an exchange with the grid, in words."""
    plan = replanned.after
    slot = replanned.first
    problem = plan.problem
    battery = problem.site.batteries[index]
    hours = problem.outlook.timeline.hours[slot]
    soc = float(plan.start_kwh[index, slot]) / battery.capacity_kwh
    if alternative.mode == "charge":
        end_soc = _target_soc(alternative, battery.max_soc)
        is_at_end = soc >= end_soc - _NOTHING_KWH
        limit_kwh = problem.import_limit_kwh[slot]
        direction = "import"
        is_peak = bool(limit_kwh < problem.connection_limit_kwh[slot] - _NOTHING_KWH)
    else:
        end_soc = _target_soc(alternative, battery.min_soc)
        is_at_end = soc <= end_soc + _NOTHING_KWH
        limit_kwh = problem.export_limit_kwh[slot]
        direction = "export"
        is_peak = False
    if is_at_end:
        return (
            f"batteries.{battery.name} is at {soc:.0%} then, and {end_soc:.0%} is as far as it goes"
        )
    room_kw = float(limit_kwh / hours)
    if is_peak:
        return (
            f"the peak of {room_kw:.2f} kW that is planned for the capacity tariff leaves nothing "
            "for it"
        )
    return f"the connection's {direction} limit of {room_kw:g} kW leaves nothing for it"


def _forbid(field: str, value: object, why: str) -> LunaError:
    return refuse("alternative-impossible", field=f"alternative.{field}", value=value, why=why)


def limits_at_work(replanned: AlternativePlan) -> list[str]:
    """Return the codes of the limits at work in the alternative's slots, each once.

    They are the first battery's, as in reasons.
    """
    limits = find_limits(replanned.after)[replanned.first : replanned.end]
    return list(dict.fromkeys(code for codes in limits for code in codes))


# --- other devices: the alternative is an owner's block


def _list_actions(inputs: PlanRequest, alternative: Alternative) -> dict[str, str] | None:
    """Return a device's actions of blocks by mode; None for a battery or no device."""
    site = inputs.site
    device = alternative.device
    if site is None or device is None:
        return None
    if any(battery.name == device for battery in site.batteries):
        return None
    for kind in FLOW_KINDS:
        if any(part.name == device for part in kind.of(site)):
            return {mode: action for mode, action in _ACTIONS.items() if action in kind.actions}
    return None


def _add_block(
    inputs: PlanRequest, alternative: Alternative, slots: tuple[int, int], actions: dict[str, str]
) -> PlanRequest:
    """Return the request with the alternative as a block."""
    if alternative.mode not in actions:
        raise refuse(
            "no-such-mode",
            field="alternative.mode",
            value=alternative.mode,
            modes=", ".join(actions),
            device=alternative.device,
        )
    timeline = build_problem(inputs).outlook.timeline
    first, end = slots
    block = {
        "device": alternative.device,
        "action": actions[alternative.mode],
        "from": timeline.start + first * timeline.step,
        "to": timeline.start + end * timeline.step,
        "power_kw": alternative.power_kw,
    }
    return inputs.model_copy(update={"manual": [*inputs.manual, ManualBlock.model_validate(block)]})


def _reply(
    compared: ComparedPlans,
    inputs: PlanRequest,
    alternative: Alternative,
    *,
    slots: tuple[int, int],
    language: Language,
) -> WhyNotReply:
    site = compared.before.problem.site
    starts = list(compared.before.problem.outlook.timeline)
    before = answer(compared.before, request=inputs, issued_at=starts[0])
    after = answer(compared.after, request=inputs, issued_at=starts[0])
    missing_kwh = compared.before.flows.stored_kwh[:, -1] - compared.after.flows.stored_kwh[:, -1]
    terminal_value = compared.before.problem.at_tariff_prices.terminal.value
    cost = compare_costs(before, after, stored=float((terminal_value * missing_kwh).sum()))
    changes = list_changes(before, after)
    other_starts = {change.start for change in changes} - set(starts[slice(*slots)])
    text = say_alternative(
        alternative.mode,
        device=alternative.device or site.batteries[0].name,
        start=starts[slots[0]],
        cost=cost.total,
        others=sorted(other_starts),
        numbers=Numbers(language, ZoneInfo(site.timezone), site.currency),
    )
    return WhyNotReply(
        plan_id=before.plan_id,
        alternative=alternative,
        cost=cost,
        cost_by_value=compared.cost_by_value,
        changes=changes,
        binding=[limit(code, language=language) for code in compared.limits],
        compromises=newly_missed(before.compromises, after.compromises),
        text=text,
        currency=site.currency,
        timezone=site.timezone,
        slot_minutes=before.slot_minutes,
    )
