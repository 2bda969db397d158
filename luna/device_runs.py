"""What a plan has one device use: when, how much, and what that costs at the margin: each kWh by where it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np

from luna.contracts.plan import PlanReply
from luna.timeline import FloatArray

_NOTHING_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class SlotSources:
    """Where the energy of each slot comes from and what it is worth, arrays of shape ``(slots,)``: kWh, and currency per kWh.

    ``energy_value`` is what a stored kWh is worth, NaN where nobody says so.
    """

    import_kwh: FloatArray
    discharge_kwh: FloatArray
    curtailed_kwh: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    energy_value: FloatArray

    @classmethod
    def of(cls, plan: PlanReply) -> Self:
        """Return the sources of a plan's slots."""
        slots = plan.slots
        given = [sum(flow.discharge_kwh for flow in slot.batteries.values()) for slot in slots]
        own = [[getattr(slot, name) for slot in slots] for name in ("curtailed_kwh", "import_price", "export_price")]
        value = [np.nan if slot.reason.energy_value is None else slot.reason.energy_value for slot in slots]
        curtailed, bought, sold = (np.array(each) for each in own)
        return cls(np.array([slot.import_kwh for slot in slots]), np.array(given), curtailed, bought, sold, np.array(value))

    def price(self, used_kwh: FloatArray) -> FloatArray:
        """Return what a use costs that the house would do without, per slot: the meter spares it first, then the battery, then the sun.

        What the battery would have kept counts by its value, the sun by what selling it brings, and by nothing where some of it is held back.
        """
        bought = np.minimum(used_kwh, self.import_kwh)
        given = np.minimum(used_kwh - bought, self.discharge_kwh)
        stored = np.where(np.isfinite(self.energy_value), self.energy_value, self.export_price)
        sold = np.where(self.curtailed_kwh > _NOTHING_KWH, 0.0, self.export_price)
        return np.asarray(bought * self.import_price + given * stored + (used_kwh - bought - given) * sold)

    def price_more(self, export_kwh: FloatArray) -> FloatArray:
        """Return what a kWh more of use costs in each slot: nothing of sun that is held back, what selling it would bring, what buying costs, else its value.

        Args:
            export_kwh: what is fed in, by slot.
        """
        between = np.where(np.isfinite(self.energy_value), self.energy_value, self.import_price)
        bought = np.where(self.import_kwh > _NOTHING_KWH, self.import_price, between)
        sold = np.where(export_kwh > _NOTHING_KWH, self.export_price, bought)
        return np.asarray(np.where(self.curtailed_kwh > _NOTHING_KWH, 0.0, sold))


@dataclass(frozen=True, slots=True)
class DeviceRun:
    """What a device uses in the slots ``[first, end)``, and what that costs."""

    first: int
    end: int
    energy_kwh: float
    cost: float

    @property
    def price(self) -> float:
        """What a kWh costs on average."""
        return self.cost / self.energy_kwh


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """What a plan has a device use from ``start`` until ``end``, and what that costs."""

    start: datetime
    end: datetime
    energy_kwh: float
    cost: float

    @property
    def price(self) -> float:
        """What a kWh costs on average."""
        return self.cost / self.energy_kwh


def find_run(used_kwh: FloatArray, sources: SlotSources, first: int, end: int, *, unbroken: bool = False) -> DeviceRun | None:
    """Return what a device uses in the slots ``[first, end)``, None where it uses nothing; ``unbroken``: until its first pause.

    Args:
        used_kwh: by slot, NaN where nobody knows.
        sources: of the same slots.
        first: of the slots.
        end: of the slots.
        unbroken: whether what follows a pause is left out.
    """
    used = np.nan_to_num(used_kwh)
    slots = first + np.flatnonzero(used[first:end] > _NOTHING_KWH)
    if unbroken:
        slots = slots[: next((place for place in range(1, slots.size) if slots[place] != slots[place - 1] + 1), slots.size)]
    if not slots.size:
        return None
    cost = np.nan_to_num(sources.price(used))
    return DeviceRun(int(slots[0]), int(slots[-1]) + 1, float(used[slots].sum()), float(cost[slots].sum()))


def find_vehicle_run(plan: PlanReply, vehicle: str, first: datetime, end: datetime) -> PlannedRun | None:
    """Return what a plan charges a vehicle with between two instants; None where nothing."""
    charged = [slot.vehicles[vehicle].charge_kwh if vehicle in slot.vehicles else 0.0 for slot in plan.slots]
    return _find_between(plan, charged, first, end, unbroken=False)


def find_load_run(plan: PlanReply, load: str, first: datetime) -> PlannedRun | None:
    """Return the next run of an appliance that ends after an instant; None where there is none."""
    used = [slot.loads[load].energy_kwh if load in slot.loads else 0.0 for slot in plan.slots]
    return _find_between(plan, used, first, plan.slots[-1].start + timedelta(minutes=plan.slot_minutes), unbroken=True)


def _find_between(plan: PlanReply, used: Sequence[float], first: datetime, end: datetime, *, unbroken: bool) -> PlannedRun | None:
    step = timedelta(minutes=plan.slot_minutes)
    places = [place for place, slot in enumerate(plan.slots) if slot.start + step > first and slot.start < end]
    run = find_run(np.array(used), SlotSources.of(plan), places[0], places[-1] + 1, unbroken=unbroken) if places else None
    return None if run is None else PlannedRun(plan.slots[run.first].start, plan.slots[run.end - 1].start + step, run.energy_kwh, run.cost)
