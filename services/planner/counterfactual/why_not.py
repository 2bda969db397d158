"""Why not otherwise: the alternative is held to, the rest is planned anew, and both are priced over
the whole horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.counterfactual import Alternative, WhyNotReply
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import CompromiseReply, PlanRequest
from luna.energy.devices import FLOW_KINDS
from luna.energy.devices.battery import Battery
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.outlook import Outlook
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.refusals import refuse
from luna.energy.schedule import pick_slot
from luna.energy.site import Site
from luna.energy.timeline import Timeline, floor_to, require_utc
from luna.words import Language, Numbers, limit, say_instant
from luna.words.alternatives import say_alternative
from services.planner.counterfactual.slot_changes import compare_costs, list_changes
from services.planner.dp.plan import Plan, objective, weigh_flows
from services.planner.milp.battery_constraints import carry_today
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.problem.owner_constraints import Manual
from services.planner.problem.problem import Problem, StorageBounds, Uncertainty
from services.planner.problem.scenarios import ScenarioSet
from services.planner.reply.plan_limits import find_limits
from services.planner.reply.reply import answer

Tail = TypeVar("Tail", Outlook, SiteLimits, Manual, StorageBounds)
Part = TypeVar("Part", Flows, SetPoint)
# What counts batteries, not slots.
_BY_BATTERY = frozenset({"stored_kwh"})
_NOTHING_KWH = 1e-6


def tail_problem(problem: Problem, past: Flows) -> Problem:
    """Return the problem of the slots after ``past``.

    The horizon, its terminal rule and its prices stay.

    Args:
        problem: with nothing to place.
        past: what happened in its first slots.
    """
    first = past.import_kwh.size
    timeline = problem.outlook.timeline
    count = timeline.count
    charge = problem.tariff.charge
    values = {
        each.name: getattr(problem, each.name)
        for each in fields(problem)
        if each.name not in _BY_BATTERY
    }
    series = {
        name: value[..., first:] for name, value in values.items() if _has_slots(value, count)
    }
    parts: dict[str, Any] = {
        "outlook": replace(
            _cut(problem.outlook, first, count), timeline=timeline.window(first, count - first)
        ),
        "limits": _cut(problem.limits, first, count),
        "manual": problem.manual and _cut(problem.manual, first, count),
        "uncertainty": _cut_scenarios(problem.uncertainty, first),
        "storage": _cut(replace(problem.storage, discharged_today_kwh=None), first, count),
        "tariff": replace(
            problem.tariff,
            charge=charge
            and charge.after(past.import_kwh, timeline, zone=ZoneInfo(problem.site.timezone)),
        ),
        "billed": problem.billed and tail_problem(problem.billed, past),
    }
    rest = replace(problem, **series | parts, stored_kwh=past.stored_kwh[:, -1])
    return replace(
        rest,
        storage=replace(
            rest.storage, discharged_today_kwh=carry_today(problem, past.discharge_kwh)
        ),
    )


def _cut_scenarios(uncertainty: Uncertainty, first: int) -> Uncertainty:
    """Return the scenarios from slot ``first`` on: those that are planned for, and the errors that
    a policy has to bear.
    """

    def shorten(scenarios: ScenarioSet | None) -> ScenarioSet | None:
        if scenarios is None:
            return None
        return ScenarioSet(
            scenarios.weight, scenarios.load_kwh[:, first:], scenarios.pv_kwh[:, first:]
        )

    return replace(
        uncertainty, courses=shorten(uncertainty.courses), errors=shorten(uncertainty.errors)
    )


def _cut(part: Tail, first: int, count: int) -> Tail:
    """Return the part with every series shortened; what holds for all slots stays as it is."""
    values = {each.name: getattr(part, each.name) for each in fields(part)}
    shorter: dict[str, Any] = {
        name: value[..., first:] if _has_slots(value, count) else value
        for name, value in values.items()
    }
    return type(part)(**shorter)


def _has_slots(value: object, count: int) -> bool:
    return isinstance(value, np.ndarray) and value.shape[-1:] == (count,)


@dataclass(frozen=True, slots=True)
class Deviation:
    """A plan and what becomes of it when slots ``first`` to ``end`` (exclusive) go another way.

    ``after`` is the plan with these and all later slots.
    """

    before: Plan
    after: Plan
    first: int
    end: int

    @property
    def cost(self) -> float:
        """What the alternative costs more over the horizon by what the plan optimises, what is left
        in the batteries counted in.
        """
        return objective(self.after) - objective(self.before)

    @property
    def cost_by_value(self) -> float | None:
        """The same from the value of stored energy at the end of the alternative.

        None where the plan has no such function.
        """
        if self.before.value is None:
            return None
        problem = self.before.problem
        here = slice(self.first, self.end)
        lowest = problem.limits.batteries.min_kwh[0, 0]
        stored_kwh = [plan.flows.stored_kwh[0] - lowest for plan in (self.before, self.after)]
        worth = self.before.value.function.integral(*stored_kwh)[self.end - 1]
        before, after = (
            weigh_flows(problem, plan.flows).total for plan in (self.before, self.after)
        )
        return float((after - before)[here].sum() - worth)


def replan_after(plan: Plan, setpoints: SetPoint, first: int, solver: Solver) -> Deviation:
    """Return a plan with other set-points from slot ``first`` on, for as many slots as they cover,
    replanned afterwards.

    Args:
        plan: as it was made.
        setpoints: of the slots that go another way, the slot as last axis; not clamped yet.
        first: their first slot.
        solver: plans what comes after.

    Raises:
        SolverError: no plan for what comes after.
    """
    problem = plan.problem
    safe, flows = _settle(plan, setpoints, first)
    end = first + safe.mode.shape[-1]
    followed = [take(plan.setpoints, slice(first)), safe]
    settled = [take(plan.flows, slice(first)), flows]
    if end < problem.outlook.timeline.count:
        modes = tuple(Mode(mode) for mode in safe.mode[:, -1].tolist())
        tail = tail_problem(problem, join(settled))
        rest = decide(replace(tail, following=replace(tail.following, modes=modes)), solver)
        followed.append(rest.setpoints)
        settled.append(rest.flows)
    whole = join(settled)
    starts = np.concatenate([problem.stored_kwh[:, None], whole.stored_kwh[:, :-1]], axis=1)
    after = replace(
        plan,
        flows=whole,
        setpoints=join(followed),
        costs=weigh_flows(problem.at_tariff_prices, whole),
        start_kwh=starts,
        values=(),
        spread=None,
    )
    return Deviation(plan, after, first, end)


def _settle(plan: Plan, setpoints: SetPoint, first: int) -> tuple[SetPoint, Flows]:
    """Return the set-points after the safety layer and their simulated flows, slot by slot."""
    stored = plan.start_kwh[:, first : first + 1]
    outlook = plan.problem.outlook
    limits = plan.problem.limits
    imports, exports = (
        np.broadcast_to(limit, (outlook.timeline.count,))
        for limit in (limits.import_limit_kw, limits.export_limit_kw)
    )
    safe = []
    settled = []
    for place in range(setpoints.mode.shape[-1]):
        here = slice(first + place, first + place + 1)
        now = replace(limits, import_limit_kw=imports[here], export_limit_kw=exports[here])
        safe.append(clamp(pick_slot(setpoints, place), stored, now))
        expected = SlotActuals(
            outlook.load_kwh[here], outlook.pv_kwh[here], float(outlook.timeline.hours[here][0])
        )
        settled.append(simulate_slot(safe[-1], stored, expected, limits=now))
        stored = settled[-1].stored_kwh
    return join(safe), join(settled)


def take(part: Part, slots: slice) -> Part:
    """Return some slots of flows or set-points."""
    return type(part)(**{each.name: getattr(part, each.name)[..., slots] for each in fields(part)})


def join(parts: Sequence[Part]) -> Part:
    """Return flows or set-points of consecutive slots as one."""
    return type(parts[0])(
        **{
            each.name: np.concatenate([getattr(part, each.name) for part in parts], axis=-1)
            for each in fields(parts[0])
        }
    )


def find_slots(alternative: Alternative, timeline: Timeline, zone: ZoneInfo) -> tuple[int, int]:
    """Return first slot and end of what goes another way.

    Raises:
        InvalidInputError: it lies outside the plan.
    """
    until = (
        alternative.until
        or floor_to(require_utc(alternative.slot, field="alternative.slot"), timeline.step)
        + timeline.step
    )
    for field, instant in (("slot", alternative.slot), ("until", until)):
        if not timeline.start <= instant <= timeline.end or (
            field == "slot" and instant == timeline.end
        ):
            span = f"{say_instant(timeline.start, zone)} to {say_instant(timeline.end, zone)}"
            raise refuse(
                "outside-plan",
                field=f"alternative.{field}",
                value=instant.astimezone(zone).isoformat(),
                span=span,
            )
    first = timeline.index_of(alternative.slot)
    return first, max(-((timeline.start - until) // timeline.step), first + 1)


def find_battery(alternative: Alternative, site: Site) -> int:
    """Return the index of the battery that an alternative names.

    Raises:
        InvalidInputError: none is named where there are several, or the site has none; the mode is
            none of a battery's.
    """
    names = [battery.name for battery in site.batteries]
    if alternative.device is not None and alternative.device not in names:
        devices = [device.name for kind in FLOW_KINDS for device in kind.of(site)]
        raise refuse(
            "why-not-no-such-device",
            field="alternative.device",
            value=alternative.device,
            names=", ".join(devices) or "none",
        )
    if alternative.device is None and len(names) != 1:
        raise refuse(
            "which-battery" if names else "no-battery",
            field="alternative.device",
            value=alternative.device,
            names=tuple(names),
        )
    if alternative.mode in ("on", "off"):
        raise refuse(
            "no-battery-mode", field="alternative.mode", value=alternative.mode, modes=_MODES
        )
    return names.index(alternative.device) if alternative.device else 0


_MODES = ", ".join(mode.word for mode in Mode)


def require_allowed(alternative: Alternative, battery: Battery) -> None:
    """Refuse what the battery is never allowed or able to do.

    Raises:
        InvalidInputError: names the limit that forbids it.
    """
    charging = alternative.mode == "charge"
    contract, power = (
        ("charge_from_grid", "charge_limit_kw")
        if charging
        else ("discharge_to_grid", "discharge_limit_kw")
    )
    if alternative.mode in ("charge", "export") and not getattr(battery, contract):
        raise _forbid("mode", alternative.mode, f"batteries.{battery.name}.{contract} is false")
    if alternative.power_kw is not None and alternative.power_kw > getattr(battery, power):
        raise _forbid(
            "power_kw",
            alternative.power_kw,
            f"batteries.{battery.name}.{power} is {getattr(battery, power):g}",
        )
    if (
        alternative.target_soc is not None
        and not battery.min_soc <= alternative.target_soc <= battery.max_soc
    ):
        limits = f"min_soc is {battery.min_soc:g}, max_soc {battery.max_soc:g}"
        raise _forbid("target_soc", alternative.target_soc, f"of batteries.{battery.name} {limits}")


def override_setpoint(
    plan: Plan, alternative: Alternative, *, index: int, slots: tuple[int, int]
) -> SetPoint:
    """Return the plan's set-points of ``slots`` with the battery of that index in the requested
    mode, with its widest limits.
    """
    setpoints = take(plan.setpoints, slice(*slots))
    battery = plan.problem.site.batteries[index]
    charging = alternative.mode == "charge"
    exporting = alternative.mode == "export"
    widest = {
        "mode": Mode[alternative.mode.upper()].value,
        "power_kw": alternative.power_kw
        or (battery.charge_limit_kw if charging else battery.discharge_limit_kw),
        "target_soc": alternative.target_soc
        if alternative.target_soc is not None
        else (battery.min_soc if exporting else battery.max_soc),
        "floor_soc": battery.min_soc,
        "ceiling_soc": battery.max_soc,
    }
    changed = {name: getattr(setpoints, name).copy() for name in widest}
    for name, value in widest.items():
        changed[name][index] = value
    return replace(setpoints, **changed)


def require_happens(alternative: Alternative, deviation: Deviation, index: int) -> None:
    """Refuse an exchange with the grid of which physics leaves nothing.

    Raises:
        InvalidInputError: names the limits at work.
    """
    if alternative.mode not in ("charge", "export"):
        return
    flows = deviation.after.flows
    here = slice(deviation.first, deviation.end)
    moved = (
        flows.charge_kwh
        if alternative.mode == "charge"
        else np.minimum(flows.discharge_kwh, flows.export_kwh)
    )
    if moved[index, here].sum() <= _NOTHING_KWH:
        raise _forbid("mode", alternative.mode, _say_why(alternative, deviation, index))


def _say_why(alternative: Alternative, deviation: Deviation, index: int) -> str:
    plan = deviation.after
    slot = deviation.first
    charging = alternative.mode == "charge"
    problem = plan.problem
    battery = plan.problem.site.batteries[index]
    soc = float(plan.start_kwh[index, slot]) / battery.capacity_kwh
    end = (
        alternative.target_soc
        if alternative.target_soc is not None
        else (battery.max_soc if charging else battery.min_soc)
    )
    if (soc >= end - _NOTHING_KWH) if charging else (soc <= end + _NOTHING_KWH):
        return f"batteries.{battery.name} is at {soc:.0%} then, and {end:.0%} is as far as it goes"
    room = float(
        (problem.import_limit_kwh if charging else problem.export_limit_kwh)[slot]
        / problem.outlook.timeline.hours[slot]
    )
    if (
        charging
        and problem.import_limit_kwh[slot] < problem.connection_limit_kwh[slot] - _NOTHING_KWH
    ):
        return (
            f"the peak of {room:.2f} kW that is planned for the capacity tariff leaves nothing "
            "for it"
        )
    return (
        f"the connection's {'import' if charging else 'export'} limit of {room:g} kW leaves "
        "nothing for it"
    )


def _forbid(field: str, value: object, why: str) -> LunaError:
    return refuse("alternative-impossible", field=f"alternative.{field}", value=value, why=why)


def limits_at_work(deviation: Deviation) -> list[str]:
    """Return the codes of the limits at work in the slots that go another way, each once.

    Of the first battery, as in reasons.
    """
    limits = find_limits(deviation.after)[deviation.first : deviation.end]
    return list(dict.fromkeys(code for codes in limits for code in codes))


# What an owner's block calls what is asked of a device that is no battery.
_ACTIONS = {"charge": "charge", "hold": "no_charge", "on": "on", "off": "off"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A plan and the one with the alternative.

    ``by_value`` is its cost by the value of stored energy, ``limits`` are those at work, as codes.
    """

    before: Plan
    after: Plan
    by_value: float | None = None
    limits: tuple[str, ...] = ()


def ask_why_not(
    inputs: PlanRequest, alternative: Alternative, *, solver: Solver, language: Language
) -> WhyNotReply:
    """Return what an alternative to the plan of ``inputs`` costs, and which slots change.

    Of a battery, what comes before stays as planned and what is placed stays placed, so that the
    answer agrees with a slot's ``cost_of_opposite``. Any other device's alternative is a block that
    everything else is planned around, what comes before it too.

    Raises:
        InvalidInputError: the alternative lies outside the plan, names no device, or a limit
            forbids it.
        SolverError: no plan for what comes after.
    """
    posed = build_problem(inputs)
    plan = decide(posed, solver)
    if posed.tariff.charge is not None:
        # Its problem keeps the blocks, and not the price of the block in which the plan ends.
        outlook = replace(plan.problem.outlook, import_price=posed.outlook.import_price)
        plan = replace(
            plan,
            problem=replace(
                plan.problem,
                outlook=outlook,
                tariff=replace(plan.problem.tariff, charge=posed.tariff.charge),
            ),
        )
    slots = find_slots(
        alternative, plan.problem.outlook.timeline, ZoneInfo(plan.problem.site.timezone)
    )
    words = _blocks_of(inputs, alternative)
    if words is None:
        index = find_battery(alternative, plan.problem.site)
        require_allowed(alternative, plan.problem.site.batteries[index])
        deviation = replan_after(
            plan, override_setpoint(plan, alternative, index=index, slots=slots), slots[0], solver
        )
        require_happens(alternative, deviation, index)
        cost = None if deviation.cost_by_value is None else round(deviation.cost_by_value, 6)
        pair = Pair(plan, deviation.after, cost, tuple(limits_at_work(deviation)))
    else:
        request = _ask_block(inputs, alternative, slots, words)
        try:
            problem = build_problem(request)
        except InvalidInputError as exc:
            impossible = InvalidInputError(
                f"impossible: {exc.message}",
                field="alternative",
                value=exc.value,
                remedy=exc.remedy,
            )
            raise impossible.because(exc.reason, exc.parameters) from exc
        pair = Pair(plan, decide(problem, solver))
    return _reply(pair, inputs, alternative, slots=slots, language=language)


def _blocks_of(inputs: PlanRequest, alternative: Alternative) -> dict[str, str] | None:
    """Return what blocks call a device's modes; None where a battery is meant."""
    site = inputs.site
    if site is None or alternative.device in [None, *(battery.name for battery in site.batteries)]:
        return None
    kind = next(
        (
            kind
            for kind in FLOW_KINDS
            if any(device.name == alternative.device for device in kind.of(site))
        ),
        None,
    )
    return (
        None
        if kind is None
        else {mode: action for mode, action in _ACTIONS.items() if action in kind.actions}
    )


def _ask_block(
    inputs: PlanRequest, alternative: Alternative, slots: tuple[int, int], words: dict[str, str]
) -> PlanRequest:
    """Return the request with the alternative as a block."""
    if alternative.mode not in words:
        modes = ", ".join(words)
        raise refuse(
            "why-not-no-such-mode", field="alternative.mode", value=alternative.mode, modes=modes
        )
    timeline = build_problem(inputs).outlook.timeline
    begin, end = (timeline.start + slot * timeline.step for slot in slots)
    block = {
        "device": alternative.device,
        "action": words[alternative.mode],
        "from": begin,
        "to": end,
        "power_kw": alternative.power_kw,
    }
    return inputs.model_copy(update={"manual": [*inputs.manual, ManualBlock.model_validate(block)]})


def _reply(
    pair: Pair,
    inputs: PlanRequest,
    alternative: Alternative,
    *,
    slots: tuple[int, int],
    language: Language,
) -> WhyNotReply:
    site = pair.before.problem.site
    starts = list(pair.before.problem.outlook.timeline)
    before, after = (
        answer(plan, request=inputs, issued_at=starts[0]) for plan in (pair.before, pair.after)
    )
    cost = compare_costs(before, after, stored=missing_worth(pair.before, pair.after))
    changes = list_changes(before, after)
    others = sorted({each.start for each in changes} - set(starts[slice(*slots)]))
    numbers = Numbers(language, ZoneInfo(site.timezone), site.currency)
    device = alternative.device or site.batteries[0].name
    return WhyNotReply(
        plan_id=before.plan_id,
        alternative=alternative,
        cost=cost,
        cost_by_value=pair.by_value,
        changes=changes,
        binding=[limit(code, language=language) for code in pair.limits],
        compromises=newly_missed(before.compromises, after.compromises),
        text=say_alternative(
            alternative.mode,
            device=device,
            start=starts[slots[0]],
            cost=cost.total,
            others=others,
            numbers=numbers,
        ),
        currency=site.currency,
        timezone=site.timezone,
        slot_minutes=before.slot_minutes,
    )


def missing_worth(before: Plan, after: Plan) -> float:
    """Return what the energy is worth that the second plan leaves less in the same batteries at the
    horizon.
    """
    missing = before.flows.stored_kwh[:, -1] - after.flows.stored_kwh[:, -1]
    return float((before.problem.at_tariff_prices.terminal.value * missing).sum())


def newly_missed(
    before: Sequence[CompromiseReply], after: Sequence[CompromiseReply]
) -> list[CompromiseReply]:
    """Return what the second plan misses that the first does not."""
    missed_before = {(each.constraint, each.shortfall) for each in before}
    return [each for each in after if (each.constraint, each.shortfall) not in missed_before]
