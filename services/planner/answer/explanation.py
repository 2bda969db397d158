"""Why a plan does what it does: per slot a code with its figures, the limits at work, and what leaving the action out would cost."""

import math
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from luna.physics import SERVES, STORES, BoolArray, Curtailment, IntArray, Mode, clamp, settle
from luna.schedule import Figure, Reason, Schedule
from luna.timeline import FloatArray
from services.planner.answer.price_view import find_peak_limit, find_peak_price, rank_prices
from services.planner.model.inverters import fills_inverter
from services.planner.plan import Plan, weigh_flows
from services.planner.value.segments import FORBIDDEN_VALUE

_NOTHING_KWH = 1e-6
# As plain numbers: a name of the enumeration costs a look-up in it.
_SELF_CONSUMPTION, _CHARGE, _EXPORT = int(Mode.SELF_CONSUMPTION), int(Mode.CHARGE), int(Mode.EXPORT)
# What leaving a mode out means: the battery rests instead of acting, or follows the house instead of resting.
_OPPOSITE = np.array([Mode.HOLD, Mode.SUPPLY, Mode.SAVE, Mode.SELF_CONSUMPTION, Mode.HOLD, Mode.HOLD], dtype=np.int8)


def lay_out(plan: Plan) -> Schedule:
    """Return the plan as a schedule: set-points, expected flows and reasons."""
    return Schedule(plan.problem.outlook.timeline, plan.setpoints, plan.flows, explain(plan))


def explain(plan: Plan) -> list[Reason]:
    """Return the reason of every slot. Slots of one run share sentence and figures; value, limits and opposite are each slot's own."""
    slots = plan.problem.outlook.timeline.count
    if not plan.problem.site.batteries:
        return [Reason("idle_no_battery")] * slots
    opposite = price_opposite(plan)
    binding = find_limits(plan)
    plan = replace(plan, energy_value=value_in_money(plan))
    reasons: list[Reason] = []
    story = _Story(plan)
    columns = _list_evidence(plan, opposite)
    for first, last in story.runs():
        code, figures = story.tell(first, last)
        reasons += [
            Reason(code, value, cost, limits, figures, rank, count, used_at)
            for limits, (value, cost, rank, count, used_at) in zip(binding[first:last], columns[first:last], strict=True)
        ]
    return reasons


def _list_evidence(plan: Plan, opposite: FloatArray) -> list[tuple[float, float | None, int, int, datetime | None]]:
    """Return of each slot the value of energy, the cost of the opposite, the price's rank on its local day, and when stored energy is next used."""
    problem, starts = plan.problem, list(plan.problem.outlook.timeline)
    rank, count = rank_prices(problem.paid.outlook.import_price, problem.outlook.timeline, ZoneInfo(problem.site.timezone))
    slots = np.arange(opposite.size)
    # From each slot on, the first that discharges; beyond the last one there is none.
    uses = np.minimum.accumulate(np.where(plan.flows.discharge_kwh[0] > _NOTHING_KWH, slots, slots.size)[::-1])[::-1]
    used_at = [starts[use] if use < slots.size else None for use in uses.tolist()]
    costs = [None if math.isnan(cost) else cost for cost in opposite.tolist()]
    return list(zip(plan.energy_value[0].tolist(), costs, rank.tolist(), count.tolist(), used_at, strict=True))


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
    return np.where(np.abs(forbidden.integral(*levels)) > _NOTHING_KWH, np.nan, np.maximum(more, 0.0))


def value_in_money(plan: Plan) -> FloatArray:
    """Return what a stored kWh is worth; where a limit or a wish makes it priceless, the dearest kWh it could stand for, ``(batteries, slots)``."""
    outlook, battery = plan.problem.outlook, plan.problem.limits.batteries
    dearest = max(float(np.abs(outlook.import_price).max()), float(np.abs(outlook.export_price).max()))
    most = (dearest + plan.problem.wear_price) / np.minimum(battery.charge_efficiency, battery.discharge_efficiency)
    return np.asarray(np.clip(plan.energy_value, -most, most))


def find_limits(plan: Plan) -> list[tuple[str, ...]]:
    """Return the limits at work in each slot, as codes of ``luna.wording``."""
    problem, flows, mode = plan.problem, plan.flows, plan.setpoints.mode[0]
    battery, hours = problem.limits.batteries, problem.outlook.timeline.hours
    stored, charge, discharge = flows.stored_kwh[0], flows.charge_kwh[0], flows.discharge_kwh[0]
    peak = find_peak_limit(plan)
    full, empty = stored >= battery.max_kwh[0, 0] - _NOTHING_KWH, stored <= battery.min_kwh[0, 0] + _NOTHING_KWH
    limits, unsold = problem.limits, (flows.curtailed_kwh > _NOTHING_KWH) & (problem.outlook.export_price >= 0)
    checks: dict[str, BoolArray] = {
        "battery_full": full & (STORES[mode] | (charge > _NOTHING_KWH)),
        "reserve" if battery.min_soc[0, 0] > 0 else "battery_empty": empty & SERVES[mode],
        "charge_power": _reaches(charge, battery.charge_limit_kw[0, 0] * hours),
        "discharge_power": _reaches(discharge, battery.discharge_limit_kw[0, 0] * hours),
        "peak": _reaches(flows.import_kwh, peak),
        "import_limit": _reaches(flows.import_kwh, limits.import_limit_kw * hours) & ~np.isfinite(peak),
        "export_limit": _reaches(flows.export_kwh, limits.export_limit_kw * hours) | (limits.export_limit_kw == 0) & unsold,
        "inverter_limit": fills_inverter(problem, charge, discharge),
        "curtailment": flows.curtailed_kwh > _NOTHING_KWH,
    }
    at_work: list[tuple[str, ...]] = [()] * problem.outlook.timeline.count
    for code, where in checks.items():
        for slot in np.flatnonzero(where):
            at_work[slot] = (*at_work[slot], code)
    return at_work


def _reaches(energy_kwh: FloatArray, limit_kwh: FloatArray) -> BoolArray:
    return np.asarray((energy_kwh >= limit_kwh - _NOTHING_KWH) & (energy_kwh > _NOTHING_KWH))


class _Sums:
    """A series whose sum over any run takes two look-ups: dozens of runs a plan would each add up a few slots."""

    def __init__(self, series: FloatArray) -> None:
        sums: list[float] = np.cumsum(series).tolist()
        self.until = [0.0, *sums]

    def over(self, run: slice) -> float:
        """Return the sum over a run."""
        first, end = int(run.start), int(run.stop)
        return self.until[end] - self.until[first]

    def mean(self, run: slice) -> float:
        """Return the mean over a run."""
        return self.over(run) / int(run.stop - run.start)


class _Story:
    """The plan as runs of slots that do the same thing, and what each run is for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.outlook = plan.problem.outlook
        self.mode: IntArray = plan.setpoints.mode[0]
        self.charge: FloatArray = plan.flows.charge_kwh[0]
        self.discharge: FloatArray = plan.flows.discharge_kwh[0]
        # What another battery stores is not spared.
        unused = plan.flows.export_kwh + plan.flows.curtailed_kwh
        self.surplus: FloatArray = np.minimum(np.maximum(self.outlook.pv_kwh - self.outlook.load_kwh, 0.0), unused)
        self.usable: FloatArray = plan.flows.stored_kwh[0] - plan.problem.limits.batteries.min_kwh[0, 0]
        # What happens, not only what is allowed, splits a run: resting, storing and serving read differently, and so do selling and holding back.
        moves = np.where(self.charge > _NOTHING_KWH, 1, np.where(self.discharge > _NOTHING_KWH, 2, 0))
        spares = np.where(self.surplus > _NOTHING_KWH, np.where(plan.flows.export_kwh > _NOTHING_KWH, 30, 60), 0)
        self.action = self.mode * 3 + moves + np.where(moves == 0, spares, 0)
        self.starts = list(self.outlook.timeline)
        # Where the meter stands at what keeps the month's peak, that is what the battery serves for.
        self.peak_kwh = find_peak_limit(plan)
        self.keeps_peak = (self.discharge > _NOTHING_KWH) & _reaches(plan.flows.import_kwh, self.peak_kwh)
        self.action = self.action + 100 * self.keeps_peak
        fed_in_kwh = plan.problem.export_limit_kwh
        self.unsold = (fed_in_kwh <= 0) | _reaches(plan.flows.export_kwh, fed_in_kwh) & (self.charge > _NOTHING_KWH)
        carried_kwh = plan.problem.limits.import_limit_kw * self.outlook.timeline.hours
        self.at_limit = _reaches(plan.flows.import_kwh, np.minimum(carried_kwh, self.peak_kwh))
        flows = plan.flows
        self.charged, self.discharged, self.spared = _Sums(self.charge), _Sums(self.discharge), _Sums(self.surplus)
        self.bought, self.sold = _Sums(np.minimum(self.charge, flows.import_kwh)), _Sums(np.minimum(self.discharge, flows.export_kwh))
        self.buy, self.sell, self.value = _Sums(self.outlook.import_price), _Sums(self.outlook.export_price), _Sums(plan.energy_value[0])

    def runs(self) -> list[tuple[int, int]]:
        """Return the runs as pairs of first slot and slot after the last."""
        changes = np.flatnonzero(np.diff(self.action)) + 1
        edges = [0, *changes.tolist(), self.action.size]
        return list(pairwise(edges))

    def tell(self, first: int, last: int) -> tuple[str, dict[str, Figure]]:
        """Return the code of a run and the figures of its sentence."""
        run = slice(first, last)
        charged, discharged = self.charged.over(run), self.discharged.over(run)
        sell, value = self.sell.mean(run), self.value.mean(run)
        figures: dict[str, Figure] = {"start": self.starts[first], "buy": self.buy.mean(run), "sell": sell, "value": value}
        # Beside what may not be fed in, its price says nothing.
        if self.unsold[run].all() or (self.unsold[run].any() and value < sell):
            del figures["sell"]
        mode = int(self.mode[first])
        if self.keeps_peak[first]:
            hours = self.outlook.timeline.hours
            return "peak_kept", figures | {"kw": float((self.peak_kwh[run] / hours[run]).max()), "cost": float(find_peak_price(self.plan)[run].max())}
        if mode == _CHARGE and (charged > _NOTHING_KWH or self.at_limit[run].all()):
            return self._tell_charge(run, figures, charged)
        sold = self.sold.over(run)
        if mode == _EXPORT and sold > _NOTHING_KWH:
            sell = float(self.outlook.export_price[run].max())
            return "sell_high", figures | {"kwh": sold, "sell": sell} | self._refill(last)
        if discharged > _NOTHING_KWH:
            return "serve_peak", figures
        if charged > _NOTHING_KWH:
            return ("follow_house" if mode == _SELF_CONSUMPTION else "store_surplus"), figures
        return self._tell_rest(run, figures)

    def _tell_charge(self, run: slice, figures: dict[str, Figure], charged: float) -> tuple[str, dict[str, Figure]]:
        if charged <= _NOTHING_KWH:
            return ("charge_waits_peak" if np.isfinite(self.peak_kwh[run]).all() else "charge_waits_limit"), figures
        bought = self.bought.over(run)
        if bought <= _NOTHING_KWH:
            return "store_surplus", figures
        figures = figures | {"kwh": bought}
        if (self.outlook.import_price[run] < 0).all() and (self.plan.setpoints.curtailment[run] != Curtailment.NONE).any():
            return "charge_negative", figures | {"kwh": charged}
        use = self._next_use(run.stop)
        # What is neither used again nor worth its price at the horizon was asked for.
        wanted_at_the_end = not use and bool((self.outlook.import_price[run] > self.plan.problem.terminal.value[0]).all())
        return ("charge_for_target" if wanted_at_the_end else "charge_cheap"), figures | use

    def _tell_rest(self, run: slice, figures: dict[str, Figure]) -> tuple[str, dict[str, Figure]]:
        kept = float(self.usable[run.start])
        sells = self.plan.flows.export_kwh[run].sum() > _NOTHING_KWH
        if not sells:
            figures.pop("sell", None)
        if self.spared.over(run) > _NOTHING_KWH and self._is_full(run.start) and (not sells or STORES[self.mode[run.start]]):
            return "full", figures
        if self.spared.over(run) > _NOTHING_KWH and not STORES[self.mode[run.start]]:
            return "keep_room", figures | self._refill(run.stop)
        if kept > _NOTHING_KWH:
            return self._tell_kept(run, figures | {"kwh": kept})
        reserve = float(self.plan.problem.limits.batteries.min_soc[0, 0])
        refill = self._refill(run.stop)
        if reserve > 0:
            return "reserve_kept", figures | {"reserve": reserve} | ({"time": refill["time"]} if refill else {})
        return "hold_equal", figures

    def _tell_kept(self, run: slice, figures: dict[str, Figure]) -> tuple[str, dict[str, Figure]]:
        use, terminal = self._next_use(run.stop), self.plan.problem.terminal
        if use:
            return "hold_for_peak", figures | use
        # At the wish for the end energy has no price of its own: what is there stays, whatever buying costs.
        if self.plan.flows.stored_kwh[0, -1] <= terminal.least_kwh[0] + _NOTHING_KWH < self.plan.problem.limits.batteries.max_kwh[0, 0]:
            return "hold_for_target", figures
        return ("hold_for_peak" if self.value.mean(run) > self.buy.mean(run) else "hold_equal"), figures

    def _is_full(self, slot: int) -> bool:
        return bool(self.plan.flows.stored_kwh[0, slot] >= self.plan.problem.limits.batteries.max_kwh[0, 0] - _NOTHING_KWH)

    def _next_use(self, slot: int) -> dict[str, Figure]:
        """Return when the battery is next used, and what the dearest kWh of that use brings: up to the next charging."""
        used = np.flatnonzero(self.discharge[slot:] > _NOTHING_KWH) + slot
        if not used.size:
            return {}
        refills = np.flatnonzero(self.charge[used[0] :] > _NOTHING_KWH)
        until = used[0] + refills[0] if refills.size else self.charge.size
        spell = used[used < until]
        brings = np.where(self.mode[spell] == _EXPORT, self.outlook.export_price[spell], self.outlook.import_price[spell])
        best = int(brings.argmax())
        return {"time": self.starts[spell[best]], "price": float(brings[best])}

    def _refill(self, slot: int) -> dict[str, Figure]:
        """Return when the battery is next charged and what a kWh costs then: the import price, or what selling surplus would bring."""
        charged = np.flatnonzero(self.charge[slot:] > _NOTHING_KWH) + slot
        if not charged.size:
            return {}
        first = int(charged[0])
        bought = self.mode[first] == _CHARGE
        price = self.outlook.import_price[first] if bought else max(self.outlook.export_price[first], 0.0)
        return {"time": self.starts[first], "refill": float(price)}
