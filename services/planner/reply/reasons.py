"""Why a plan does what it does: per slot and battery a code with its figures, the limits at work, and what leaving the action out would cost."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import repeat

import numpy as np

from luna.contracts.owner import GRID, Action
from luna.physics import BoolArray, Mode, SlotActuals, simulate_slot
from luna.schedule import NO_FIGURES, Figure, Reason
from luna.timeline import FloatArray, IndexArray
from services.planner.dp.plan import Plan, weigh_flows
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.problem.owner_constraints import block_hours
from services.planner.reply.causes import CAUSES, Cause
from services.planner.reply.evidence import DECIMALS, Evidence, read_numbers
from services.planner.reply.prices import rank_prices
from services.planner.reply.slot_flows import NOTHING_KWH


def find_pins(seen: Evidence) -> Iterator[tuple[BoolArray, datetime]]:
    """Yield where a block decides what a battery does (``(batteries, slots)``), and when it ends.

    What is pinned decides wherever it is had; what is forbidden only where there was something to do.
    """
    manual, names = seen.problem.manual, [battery.name for battery in seen.problem.site.batteries]
    for place, block in enumerate(seen.blocks):
        if manual is None or place in manual.refused or block.device not in (*names, GRID):
            continue
        own = np.array([[block.device in (name, GRID)] for name in names], dtype=bool)
        inside = block_hours(block, seen.outlook.timeline) > 0
        pinned = own & inside & _DECIDES[block.action](seen)
        if pinned.any():
            yield pinned, block.to


_DECIDES: dict[Action, Callable[[Evidence], BoolArray]] = {
    "charge": lambda seen: seen.charges | seen.full & seen.rests,
    "discharge": lambda seen: seen.gives | seen.empty & seen.rests,
    "hold": lambda seen: seen.rests,
    "no_charge": lambda seen: seen.rests & (seen.left & ~seen.full | seen.may_buy_more),
    "no_discharge": lambda seen: seen.rests & seen.short & ~seen.empty,
    "no_import": lambda seen: seen.gives & (seen.imports <= NOTHING_KWH),
    "no_export": lambda seen: (seen.charges | seen.rests & seen.left) & (seen.exports <= NOTHING_KWH),
}


# What leaving a mode out means: the battery rests instead of acting, or follows the house instead of resting.
_OPPOSITE = np.array([Mode.HOLD, Mode.SUPPLY, Mode.SAVE, Mode.SELF_CONSUMPTION, Mode.HOLD, Mode.HOLD], dtype=np.int8)
NOWHERE = np.zeros(0, dtype=bool)
ToldReasons = tuple[list[list[str]], list[list[Mapping[str, Figure]]]]


@dataclass(frozen=True, slots=True)
class PlanExplanation:
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


def explain(plan: Plan) -> list[Reason]:
    """Return the reason of every slot."""
    return explain_each(Evidence(plan)).reasons


def explain_each(seen: Evidence) -> PlanExplanation:
    """Return the reasons of every battery in every slot: of the causes in order the first that is true."""
    plan = seen.plan
    if not plan.problem.site.batteries:
        return PlanExplanation(np.zeros(0, dtype=np.int64), (), tuple(_explain_idle(seen)))
    opposite, rank = read_numbers(price_opposite(plan)), rank_prices(plan.problem.paid.outlook.import_price, seen.days)
    codes, figures = _tell_causes(seen)
    reasons = tuple(
        list(map(Reason, codes[index], values, opposite, _list_limits(seen, index), figures[index], *rank, _find_uses(seen, index)))
        for index, values in enumerate(map(read_numbers, seen.energy_value))
    )
    return PlanExplanation((seen.charge + seen.discharge).argmax(axis=0), reasons)


def _tell_causes(seen: Evidence) -> ToldReasons:
    """Return the code of each battery in each slot, and its figures."""
    count = len(seen.starts)
    told: ToldReasons = [["rest_plain"] * count for _ in seen.charge], [[NO_FIGURES] * count for _ in seen.charge]
    untold = np.ones(seen.charge.shape, dtype=bool)
    for pinned, until in find_pins(seen):
        for index, slot in np.argwhere(pinned).tolist():
            told[0][index][slot], told[1][index][slot] = "manual", {"time": until, "start": seen.starts[slot]}
        untold &= ~pinned
    among = {name: getattr(seen, name) for name in ("charges", "gives", "rests", "exists")}
    left = {name: np.count_nonzero(untold & slots) for name, slots in among.items()}
    for cause in CAUSES:
        here = untold & among[cause.among] & cause.holds(seen) if left[cause.among] else NOWHERE
        if np.count_nonzero(here):
            for index, slots in enumerate(here):
                _tell(cause, seen, (index, np.flatnonzero(slots).tolist()), told)
            untold &= ~here
            left = {name: np.count_nonzero(untold & slots) for name, slots in among.items()}
    return told


def _tell(cause: Cause, seen: Evidence, where: tuple[int, list[int]], told: ToldReasons) -> None:
    """Give some slots of a battery a cause's code, with the figures that are known there; slots of one day that share them share one object."""
    index, slots = where
    names, columns = [*cause.figures], [seen.list_figures(source)[index] for source in cause.figures.values()]
    rows = zip(*[[column[slot] for slot in slots] for column in columns], strict=True) if columns else repeat(())
    codes, figures, days = told[0][index], told[1][index], iter(seen.days)
    last, said, ends = None, NO_FIGURES, 0
    for slot, row in zip(slots, rows, strict=False):
        if row != last or slot >= ends:
            while slot >= ends:
                ends = next(days)
            last, said = row, _name_figures(names, row, seen.starts[slot])
        codes[slot], figures[slot] = cause.code, said


def _name_figures(names: list[str], row: tuple[Figure | None, ...], start: datetime) -> Mapping[str, Figure]:
    """Return known figures by name; a time needs the ``start``, for its weekday is said where it is not of the same day."""
    figures = {name: figure for name, figure in zip(names, row, strict=True) if figure is not None}
    return figures | {"start": start} if "time" in figures else figures


def _explain_idle(seen: Evidence) -> list[Reason]:
    """Return the reasons of a site without batteries."""
    held = seen.flows.curtailed_kwh > NOTHING_KWH
    off = held & seen.short & np.isfinite(seen.grid_pays)
    fees = {"idle_pv_off": seen.grid_pays, "idle_held_back": seen.fee}
    codes = np.where(off, "idle_pv_off", np.where(held & seen.holds_back, "idle_held_back", "idle_no_battery")).tolist()
    figures = [{"fee": round(float(fees[code][slot]), DECIMALS)} if code in fees and np.isfinite(fees[code][slot]) else {} for slot, code in enumerate(codes)]
    return [Reason(code, figures=each) for code, each in zip(codes, figures, strict=True)]


def _find_uses(seen: Evidence, index: int) -> list[datetime | None]:
    """Return from each slot on when a battery first gives; None where it does not any more."""
    slots = np.arange(len(seen.starts))
    uses = np.minimum.accumulate(np.where(seen.gives[index], slots, slots.size)[::-1])[::-1]
    return [seen.starts[use] if use < slots.size else None for use in uses.tolist()]


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
    # A checked plan's set-points are safe already, and no opposite trades with the grid or goes beyond the limits.
    expected = SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours)
    flows = simulate_slot(other, plan.start_kwh, expected, limits=problem.limits)
    # Without anything beside money or placed, what the plan costs has been worked out already.
    planned = plan.costs if plan.placement is None and problem.billed is None else weigh_flows(problem, plan.flows)
    costs = weigh_flows(problem, flows).total - planned.total
    lowest = battery.min_kwh[0, 0]
    function, levels = plan.value.function, (plan.flows.stored_kwh[0] - lowest, flows.stored_kwh[0] - lowest)
    more = costs - function.integral(*levels)
    priceless = np.abs(function.value) > FORBIDDEN_VALUE / 2
    if not priceless.any():
        return np.maximum(more, 0.0)
    forbidden = replace(function, value=priceless.astype(float))
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
    spared = gives | seen.short & ~seen.empty[index]
    checks |= {code: spared & where[index] for code, where in seen.at_work.items()}
    at_work: list[tuple[str, ...]] = [()] * charges.size
    for code, where in checks.items():
        for slot in np.flatnonzero(where):
            at_work[slot] = (*at_work[slot], code)
    return at_work
