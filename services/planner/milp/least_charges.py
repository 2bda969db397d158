"""Round charges below a battery's least power.

Batteries charge in turn, so that together they store as much as in the relaxed model.
Slot by slot, the battery furthest behind the relaxed model charges for all of them. Where the
export limit forces a charge that is smaller than the least power, another battery gives back the
difference.
Source: sum-up rounding, in Sager, Jung, Kirches: Combinatorial integral approximation, Mathematical
Methods of Operations Research 73 (2011), 363–380.
"""

from dataclasses import replace

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.milp.directions import FlowDirections, PlannedFlows
from services.planner.milp.formulation import Formulation
from services.planner.problem.problem import Problem

_NOTHING_KWH = 1e-7
# For how long after a pinned charge a battery may be full, hours.
_FULL_AFTER_PIN_HOURS = 24.0


def spare_room(problem: Problem, built: Formulation, first: int) -> Formulation:
    """Return the model with room for one more least charge in every battery.

    It has it from slot ``first`` on. Otherwise a rounded charge would fill a battery before the
    surplus ends.
    """
    stored = built.batteries[:, 2, first:]
    upper = np.array(built.model.upper)
    highest = np.maximum(_highest_kwh(problem)[:, first:], built.model.lower[stored])
    open_end = _is_after_pin(problem)[:, first:]
    upper[stored] = np.where(open_end, upper[stored], np.minimum(upper[stored], highest))
    return replace(built, model=replace(built.model, upper=upper))


def _highest_kwh(problem: Problem) -> FloatArray:
    """Return the highest stored energy that leaves room for a least charge."""
    hours = problem.outlook.timeline.hours
    highest = []
    for battery in problem.site.batteries:
        if battery.min_charge_kw <= 0:
            highest.append(np.full(hours.size, np.inf))
            continue
        least_kwh = battery.min_charge_kw * hours * battery.charge_efficiency
        full_kwh = battery.max_soc * battery.capacity_kwh
        highest.append(np.minimum(full_kwh - least_kwh, _tapered_to_least_kwh(battery)))
    return np.array(highest).reshape(-1, hours.size)


def _tapered_to_least_kwh(battery: Battery) -> float:
    """Return the stored energy at which the taper leaves the least power."""
    spread = 1.0 - battery.taper_to_share
    least_share = battery.min_charge_kw / battery.charge_limit_kw
    if spread <= 0 or least_share <= battery.taper_to_share:
        return battery.capacity_kwh
    above = (1.0 - least_share) / spread
    from_soc = battery.taper_from_soc
    return (from_soc + above * (1.0 - from_soc)) * battery.capacity_kwh


def _is_after_pin(problem: Problem) -> BoolArray:
    """Return the slots in or after a pinned charge, ``(batteries, slots)``."""
    timeline = problem.outlook.timeline
    after = np.zeros((len(problem.site.batteries), timeline.count), dtype=bool)
    if problem.manual is None:
        return after
    begins = np.cumsum(timeline.hours) - timeline.hours
    for index, slot in np.argwhere(problem.manual.charge_kwh > 0):
        until = np.searchsorted(begins, begins[slot] + _FULL_AFTER_PIN_HOURS)
        after[index, slot:until] = True
    return after


def round_charges(problem: Problem, guide: PlannedFlows, slots: range) -> BoolArray:
    """Return the ``slots`` in which batteries charge, at their least power or more.

    The mask is of the whole horizon, ``(batteries, slots)``.

    Args:
        problem: with batteries that have a least power.
        guide: flows of the relaxed model.
        slots: to round; their batteries begin with the guide's energy.
    """
    turns = _Turns(problem, guide, first=slots.start)
    charges = np.zeros(guide.charge_kwh.shape, dtype=bool)
    for slot in slots:
        charges[:, slot] = turns.settle_slot(slot) > _NOTHING_KWH
    return charges


class _Turns:
    """The batteries' stored energy while charges are rounded slot by slot."""

    def __init__(self, problem: Problem, guide: PlannedFlows, *, first: int) -> None:
        ways = FlowDirections.of(problem)
        manual = problem.manual
        batteries = problem.site.batteries
        self._batteries = batteries
        self._guide = guide
        self._hours = problem.outlook.timeline.hours
        self._export_limit_kwh = problem.export_limit_kwh
        # Load less PV, with flexible loads and curtailment as planned.
        self._net_kwh = (
            guide.import_kwh
            - guide.export_kwh
            - guide.charge_kwh.sum(axis=0)
            + guide.discharge_kwh.sum(axis=0)
            + guide.direct_kwh.sum(axis=0)
        )
        self._pinned = np.zeros(guide.charge_kwh.shape, dtype=bool)
        if manual is not None:
            self._pinned = np.isfinite(manual.charge_kwh) | np.isfinite(manual.discharge_kwh)
        self._may_charge = ways.may_charge & ~self._pinned
        sells = np.array([[battery.discharge_to_grid] for battery in batteries], dtype=bool)
        self._may_give = ways.may_discharge & ~self._pinned & sells
        begin_kwh = guide.stored_kwh[:, first - 1] if first else problem.stored_kwh
        self._stored_kwh = np.array(begin_kwh, dtype=float)
        self._lowest_kwh = problem.limits.batteries.min_kwh[:, 0]
        self._charge_efficiency = problem.limits.batteries.charge_efficiency[:, 0]
        self._discharge_efficiency = problem.limits.batteries.discharge_efficiency[:, 0]

    def settle_slot(self, slot: int) -> FloatArray:
        """Return each battery's charge in a slot, kWh, and go on to the next."""
        behind_kwh = self._guide.stored_kwh[:, slot] - self._stored_kwh
        charge, beyond_kwh = self._charge(slot, behind_kwh)
        discharge = self._discharge(slot, charge, behind_kwh, beyond_kwh)
        self._stored_kwh += charge * self._charge_efficiency
        self._stored_kwh -= discharge / self._discharge_efficiency
        return charge

    def _charge(self, slot: int, behind_kwh: FloatArray) -> tuple[FloatArray, float]:
        """Return the charges, and by how much they exceed the guide's.

        The battery furthest behind charges first.
        """
        planned = self._guide.charge_kwh[:, slot]
        charge = np.where(self._pinned[:, slot], planned, 0.0)
        wanted_kwh = float(planned[self._may_charge[:, slot]].sum())
        forced_kwh = float(-self._net_kwh[slot] - self._export_limit_kwh[slot] - charge.sum())
        missing_kwh = float(behind_kwh.sum())
        for index in np.argsort(-behind_kwh, kind="stable"):
            if max(wanted_kwh, forced_kwh) <= _NOTHING_KWH:
                break
            if not self._may_charge[index, slot]:
                continue
            battery = self._batteries[index]
            least_kwh = battery.min_charge_kw * self._hours[slot]
            most_kwh = self._most_charge_kwh(index, slot)
            if most_kwh < least_kwh:
                continue
            energy_kwh = min(most_kwh, max(wanted_kwh, forced_kwh))
            if energy_kwh < least_kwh:
                is_due = missing_kwh >= least_kwh * battery.charge_efficiency / 2
                if forced_kwh <= _NOTHING_KWH and not is_due:
                    continue
                energy_kwh = least_kwh
            charge[index] = energy_kwh
            wanted_kwh -= energy_kwh
            forced_kwh -= energy_kwh
            missing_kwh -= energy_kwh * battery.charge_efficiency
        return charge, -wanted_kwh

    def _most_charge_kwh(self, index: int, slot: int) -> float:
        battery = self._batteries[index]
        stored_kwh = float(self._stored_kwh[index])
        power_kwh = battery.charge_limit_kw * float(self._hours[slot])
        room_kwh = battery.max_soc * battery.capacity_kwh - stored_kwh
        most_kwh = min(power_kwh, room_kwh / battery.charge_efficiency)
        if not battery.charge_from_grid:
            most_kwh = min(most_kwh, max(-float(self._net_kwh[slot]), 0.0))
        if battery.taper_from_soc >= 1.0:
            return most_kwh
        soc = stored_kwh / battery.capacity_kwh
        above = (soc - battery.taper_from_soc) / (1.0 - battery.taper_from_soc)
        return min(most_kwh, power_kwh * (1.0 - above * (1.0 - battery.taper_to_share)))

    def _discharge(
        self, slot: int, charge: FloatArray, behind_kwh: FloatArray, beyond_kwh: float
    ) -> FloatArray:
        """Return the guide's discharge, with what batteries ahead of the guide give back.

        They give back charges beyond the guide's, or replace imports.
        """
        above_lowest_kwh = np.maximum(self._stored_kwh - self._lowest_kwh, 0.0)
        most_kwh = above_lowest_kwh * self._discharge_efficiency
        most_kwh[charge > 0] = 0.0
        discharge = np.minimum(self._guide.discharge_kwh[:, slot], most_kwh)
        added_kwh = charge * self._charge_efficiency - discharge / self._discharge_efficiency
        ahead_kwh = float(added_kwh.sum() - behind_kwh.sum())
        spare_kwh = max(beyond_kwh, 0.0) + float(self._guide.import_kwh[slot])
        for index in np.argsort(behind_kwh, kind="stable"):
            if min(spare_kwh, ahead_kwh) <= _NOTHING_KWH:
                break
            if not self._may_give[index, slot]:
                continue
            efficiency = float(self._discharge_efficiency[index])
            limit_kwh = self._batteries[index].discharge_limit_kw * float(self._hours[slot])
            room_kwh = min(limit_kwh, float(most_kwh[index])) - float(discharge[index])
            energy_kwh = max(min(spare_kwh, ahead_kwh * efficiency, room_kwh), 0.0)
            discharge[index] += energy_kwh
            spare_kwh -= energy_kwh
            ahead_kwh -= energy_kwh / efficiency
        return discharge
