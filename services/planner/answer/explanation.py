"""Why a plan does what it does: per slot and battery a code with its figures, the limits at work, and what leaving the action out would cost."""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from luna.physics import BoolArray, Mode, clamp, settle
from luna.schedule import Figure, Reason, Schedule
from luna.timeline import FloatArray, IndexArray
from services.planner.answer.causes import CAUSES, Cause
from services.planner.answer.evidence import NOTHING_KWH, Evidence
from services.planner.answer.pins import find_pins
from services.planner.answer.price_view import rank_prices
from services.planner.plan import Plan, weigh_flows
from services.planner.value.segments import FORBIDDEN_VALUE

# What leaving a mode out means: the battery rests instead of acting, or follows the house instead of resting.
_OPPOSITE = np.array([Mode.HOLD, Mode.SUPPLY, Mode.SAVE, Mode.SELF_CONSUMPTION, Mode.HOLD, Mode.HOLD], dtype=np.int8)
# What leaves the planner is exact to this many decimals.
DECIMALS = 6
Figures = dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The reasons of a plan: ``by_battery`` for each, slot by slot, and which battery is ``told`` in each slot: the one that moves most.

    Without batteries ``site`` holds the reasons; it is empty elsewhere.
    """

    told: IndexArray
    by_battery: tuple[list[Reason], ...]
    site: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> list[Reason]:
        """The reason of each slot."""
        if not self.by_battery:
            return list(self.site)
        if len(self.by_battery) == 1:
            return self.by_battery[0]
        return [self.by_battery[index][slot] for slot, index in enumerate(self.told.tolist())]


def lay_out(plan: Plan) -> Schedule:
    """Return the plan as a schedule: set-points, expected flows and reasons."""
    return Schedule(plan.problem.outlook.timeline, plan.setpoints, plan.flows, explain(plan))


def explain(plan: Plan) -> list[Reason]:
    """Return the reason of every slot."""
    return explain_each(Evidence(plan)).reasons


def explain_each(seen: Evidence) -> Explanation:
    """Return the reasons of every battery in every slot: of the causes in order the first that is true."""
    plan = seen.plan
    if not plan.problem.site.batteries:
        return Explanation(np.zeros(0, dtype=np.int64), (), tuple(_explain_idle(seen)))
    opposite = price_opposite(plan)
    evidence = [_list_evidence(seen, index, opposite) for index in range(len(plan.problem.site.batteries))]
    told = _tell_causes(seen)
    reasons = tuple(
        [
            Reason(code, value, cost, limits, figures, rank, count, used_at)
            for (code, figures), limits, (value, cost, rank, count, used_at) in zip(told[index], _list_limits(seen, index), evidence[index], strict=True)
        ]
        for index in range(len(plan.problem.site.batteries))
    )
    return Explanation((seen.charge + seen.discharge).argmax(axis=0), reasons)


def _tell_causes(seen: Evidence) -> list[list[tuple[str, Figures]]]:
    """Return code and figures of each battery in each slot."""
    shape, starts = seen.charge.shape, list(seen.outlook.timeline)
    told: list[list[tuple[str, Figures]]] = [[("rest_plain", {})] * shape[1] for _ in range(shape[0])]
    untold = np.ones(shape, dtype=bool)
    for pinned, until in find_pins(seen):
        for index, slot in np.argwhere(pinned).tolist():
            told[index][slot] = "manual", {"time": until, "start": starts[slot]}
        untold &= ~pinned
    for cause in CAUSES:
        here = untold & cause.holds(seen)
        if here.any():
            _tell(cause, seen, here, told)
            untold &= ~here
            if not untold.any():
                break
    return told


def _tell(cause: Cause, seen: Evidence, here: BoolArray, told: list[list[tuple[str, Figures]]]) -> None:
    """Give the slots ``here`` a cause's code, with the figures that are known there."""
    indices, slots = np.nonzero(here)
    starts, columns = [*seen.outlook.timeline, seen.outlook.timeline.end], {}
    for name, source in cause.figures.items():
        values = np.broadcast_to(getattr(seen, source), here.shape)[here]
        columns[name] = _read_instants(values, starts) if name == "time" else _read_numbers(values)
    if "time" in columns:
        # A time needs its weekday where it is not of the slot's own day.
        columns["start"] = [None if time is None else starts[slot] for slot, time in zip(slots.tolist(), columns["time"], strict=True)]
    whole = all(None not in column for column in columns.values())
    for place, (index, slot) in enumerate(zip(indices.tolist(), slots.tolist(), strict=True)):
        figures = {name: column[place] for name, column in columns.items()}
        if not whole:
            figures = {name: figure for name, figure in figures.items() if figure is not None}
        told[index][slot] = cause.code, figures


def _read_instants(slots: IndexArray, starts: list[datetime]) -> list[Figure | None]:
    return [starts[slot] if slot >= 0 else None for slot in slots.tolist()]


def _read_numbers(values: FloatArray) -> list[Figure | None]:
    # Adding nothing takes the minus from zeros.
    numbers = (np.round(values, DECIMALS) + 0.0).tolist()
    return [None if math.isnan(number) else number for number in numbers] if np.isnan(values).any() else numbers


def _explain_idle(seen: Evidence) -> list[Reason]:
    """Return the reasons of a site without batteries."""
    held = seen.flows.curtailed_kwh > NOTHING_KWH
    off = held & seen.short & np.isfinite(seen.grid_pays)
    fees = {"idle_pv_off": seen.grid_pays, "idle_held_back": seen.fee}
    codes = np.where(off, "idle_pv_off", np.where(held & seen.holds_back, "idle_held_back", "idle_no_battery")).tolist()
    figures = [{"fee": float(fees[code][slot])} if code in fees and np.isfinite(fees[code][slot]) else {} for slot, code in enumerate(codes)]
    return [Reason(code, figures=each) for code, each in zip(codes, figures, strict=True)]


def _list_evidence(seen: Evidence, index: int, opposite: FloatArray) -> list[tuple[float | None, float | None, int, int, datetime | None]]:
    """Return of each slot the value of energy, the cost of the opposite, the price's rank on its local day, and when stored energy is next used."""
    problem, starts = seen.problem, list(seen.outlook.timeline)
    rank, count = rank_prices(problem.paid.outlook.import_price, problem.outlook.timeline, ZoneInfo(problem.site.timezone))
    slots = np.arange(opposite.size)
    # From each slot on, the first that discharges; beyond the last one there is none.
    uses = np.minimum.accumulate(np.where(seen.gives[index], slots, slots.size)[::-1])[::-1]
    used_at = [starts[use] if use < slots.size else None for use in uses.tolist()]
    columns = [_read_numbers(seen.energy_value[index]), _read_numbers(opposite)]
    return list(zip(*columns, rank.tolist(), count.tolist(), used_at, strict=True))  # type: ignore[arg-type]


def price_opposite(plan: Plan) -> FloatArray:
    """Return what the opposite of each slot's mode would cost more, all else planned anew, shape ``(slots,)``; NaN where it is impossible.

    What the slot itself costs more comes from settling the other mode; what the battery then lacks is worth the integral of V′.
    """
    slots = plan.problem.outlook.timeline.count
    if plan.value is None:
        return np.full(slots, np.nan)
    problem, outlook = plan.problem, plan.problem.outlook
    battery = problem.limits.batteries
    other = replace(
        plan.setpoints,
        mode=_OPPOSITE[plan.setpoints.mode],
        floor_soc=np.broadcast_to(battery.min_soc, plan.start_kwh.shape),
        ceiling_soc=np.broadcast_to(battery.max_soc, plan.start_kwh.shape),
    )
    flows = settle(
        clamp(other, plan.start_kwh, problem.limits),
        plan.start_kwh,
        load_kwh=outlook.load_kwh,
        pv_kwh=outlook.pv_kwh,
        limits=problem.limits,
        hours=outlook.timeline.hours,
    )
    costs = weigh_flows(problem, flows).total - weigh_flows(problem, plan.flows).total
    lowest = battery.min_kwh[0, 0]
    function, levels = plan.value.function, (plan.flows.stored_kwh[0] - lowest, flows.stored_kwh[0] - lowest)
    more = costs - function.integral(*levels)
    forbidden = replace(function, value=(np.abs(function.value) > FORBIDDEN_VALUE / 2).astype(float))
    return np.where(np.abs(forbidden.integral(*levels)) > NOTHING_KWH, np.nan, np.maximum(more, 0.0))


def find_limits(plan: Plan) -> list[tuple[str, ...]]:
    """Return the limits at work in each slot, as codes of ``luna.wording``: the site's, and the first battery's."""
    return _list_limits(Evidence(plan), 0)


def _list_limits(seen: Evidence, index: int) -> list[tuple[str, ...]]:
    """Return the limits at work in each slot, of one battery and the site."""
    unsold = seen.holds_back & (seen.outlook.export_price >= 0)
    charges, gives = seen.charges[index], seen.gives[index]
    power = seen.charge[index] >= seen.charge_power_kwh[index] - NOTHING_KWH, seen.discharge[index] >= seen.discharge_power_kwh[index] - NOTHING_KWH
    empty, reserve = seen.empty[index] & (gives | seen.short), seen.has_reserve[index]
    peak, inside = seen.fills_peak, seen.imports > NOTHING_KWH
    checks: dict[str, BoolArray] = {
        "battery_full": (seen.end_kwh[index] >= seen.battery.max_kwh[index, 0] - NOTHING_KWH) & (charges | seen.left | (seen.buy < 0)),
        "reserve": empty & reserve,
        "battery_empty": empty & ~reserve,
        "charge_power": charges & power[0],
        "discharge_power": gives & power[1],
        "peak": inside & peak,
        "import_limit": inside & (seen.imports >= seen.problem.import_limit_kwh - NOTHING_KWH) & ~np.isfinite(seen.peak_kwh),
        "export_limit": seen.fills_feed_in & (seen.exports > NOTHING_KWH) | ~seen.may_feed_in & unsold,
        "inverter_limit": seen.fills_inverter[index],
        "curtailment": seen.flows.curtailed_kwh > NOTHING_KWH,
    }
    at_work: list[tuple[str, ...]] = [()] * charges.size
    for code, where in checks.items():
        for slot in np.flatnonzero(where):
            at_work[slot] = (*at_work[slot], code)
    return at_work
