"""A plan's use by one device: when, how much, and its marginal cost.

A kWh costs by where it comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np

from luna.contracts.plan import PlanReply
from luna.energy.devices import SWITCHED_KINDS
from luna.energy.devices.kind import DeviceUseKind
from luna.energy.site import Site
from luna.energy.timeline import FloatArray

_NOTHING_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class SlotSources:
    """The sources of each slot's energy and its worth, shape ``(slots,)``.

    Energies are kWh, worths currency per kWh. ``energy_value`` is what a stored kWh is worth, NaN
    where nobody says so.
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
        discharged = []
        values = []
        for slot in slots:
            discharged.append(sum(flow.discharge_kwh for flow in slot.batteries.values()))
            value = slot.reason.energy_value
            values.append(np.nan if value is None else value)
        return cls(
            import_kwh=np.array([slot.import_kwh for slot in slots]),
            discharge_kwh=np.array(discharged),
            curtailed_kwh=np.array([slot.curtailed_kwh for slot in slots]),
            import_price=np.array([slot.import_price for slot in slots]),
            export_price=np.array([slot.export_price for slot in slots]),
            energy_value=np.array(values),
        )

    def price(self, used_kwh: FloatArray) -> FloatArray:
        """Return the savings per slot if the house did without a use.

        It would import less first, then discharge less, then use less sun. Energy that stays in
        the battery counts by its value, the sun by its export price, and by nothing where some of
        it is curtailed.
        """
        bought_kwh = np.minimum(used_kwh, self.import_kwh)
        stored_kwh = np.minimum(used_kwh - bought_kwh, self.discharge_kwh)
        sun_kwh = used_kwh - bought_kwh - stored_kwh
        has_value = np.isfinite(self.energy_value)
        stored_price = np.where(has_value, self.energy_value, self.export_price)
        sun_price = np.where(self.curtailed_kwh > _NOTHING_KWH, 0.0, self.export_price)
        bought_cost = bought_kwh * self.import_price
        return np.asarray(bought_cost + stored_kwh * stored_price + sun_kwh * sun_price)

    def price_more(self, export_kwh: FloatArray) -> FloatArray:
        """Return the cost of one more kWh of use in each slot.

        Curtailed sun costs nothing, sun that is fed in its export price. Else it costs the import
        price where the house imports, and the stored energy's value where it does not.

        Args:
            export_kwh: what is fed in, by slot.
        """
        has_value = np.isfinite(self.energy_value)
        price = np.where(has_value, self.energy_value, self.import_price)
        price = np.where(self.import_kwh > _NOTHING_KWH, self.import_price, price)
        price = np.where(export_kwh > _NOTHING_KWH, self.export_price, price)
        return np.asarray(np.where(self.curtailed_kwh > _NOTHING_KWH, 0.0, price))


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A device's next use of energy: its time, energy and cost."""

    start: datetime
    end: datetime
    energy_kwh: float
    cost: float

    @property
    def price(self) -> float:
        """Mean cost of a kWh."""
        return self.cost / self.energy_kwh


def find_switched_run(
    plan: PlanReply, section: str, device: str, first: datetime
) -> PlannedRun | None:
    """Return a switched device's next run that ends after an instant, to its first pause.

    None where there is none. ``section`` is its kind's.
    """
    flows = [getattr(slot, section).get(device) for slot in plan.slots]
    used = [flow.energy_kwh if flow else 0.0 for flow in flows]
    end = plan.slots[-1].start + timedelta(minutes=plan.slot_minutes)
    return find_run(plan, used, first, end, unbroken=True)


def list_switched_runs(
    plan: PlanReply, site: Site, first: datetime
) -> list[tuple[str, DeviceUseKind, PlannedRun | None]]:
    """Return the name, use and next run of each switched device.

    See ``find_switched_run``.
    """
    runs = []
    for kind in SWITCHED_KINDS:
        for device in kind.of(site):
            run = find_switched_run(plan, kind.section, device.name, first)
            runs.append((device.name, kind.consumption.kind(device), run))
    return runs


def find_run(
    plan: PlanReply, used_kwh: Sequence[float], first: datetime, end: datetime, *, unbroken: bool
) -> PlannedRun | None:
    """Return the run of a use between two instants; None where nothing is used.

    It ends with its first pause where it is ``unbroken``.
    """
    step = timedelta(minutes=plan.slot_minutes)
    used = np.array(used_kwh)
    places: list[int] = []
    for place, slot in enumerate(plan.slots):
        is_within = slot.start + step > first and slot.start < end
        if not is_within or used[place] <= _NOTHING_KWH:
            continue
        if unbroken and places and place != places[-1] + 1:
            break
        places.append(place)
    if not places:
        return None
    cost = SlotSources.of(plan).price(used)[places]
    return PlannedRun(
        start=plan.slots[places[0]].start,
        end=plan.slots[places[-1]].start + step,
        energy_kwh=float(used[places].sum()),
        cost=float(cost.sum()),
    )
