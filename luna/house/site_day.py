"""Read a local day of a site: measured, else as last planned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import PlanReply, SlotReply
from luna.energy.devices import FLOW_KINDS
from luna.energy.economics.device_charges import device_slot_cost
from luna.energy.observations import SERIES
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.schedule import whole_range
from luna.energy.simulator import Actuals, simulate
from luna.energy.site import SUBMETERED, Site
from luna.energy.tariffs.device_price import DEVICE_SERIES, PricedDevices
from luna.energy.timeline import SLOT, FloatArray, Timeline, parse_zone
from luna.house.account import (
    bills_own_price,
    has_begun,
    read_account_slots,
    read_device_charges,
)
from luna.platform.database import observations, plans
from luna.platform.database.plans import PlannedSlots

PLANNED = (
    "load_kwh",
    "pv_kwh",
    "import_kwh",
    "export_kwh",
    "charge_kwh",
    "discharge_kwh",
    "import_price",
    "export_price",
)
# Earlier plans have no slots of the day that later plans lack.
_PLANNED_BEFORE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Day:
    """A day's energies and prices per slot, arrays of shape ``(slots,)``, NaN where unknown.

    Attributes:
        measured: 1 where all meters have values; elsewhere the last plan is used.
        battery_kwh: the batteries' net charge at their terminals.
        device_cost: what devices cost beside the house's price, measured or as planned.
        paid: the account's cost of energy, NaN where it is not known yet.
        start_soc: state of charge at its beginning, None if it was not measured.
    """

    timeline: Timeline
    measured: FloatArray
    load_kwh: FloatArray
    pv_kwh: FloatArray
    import_kwh: FloatArray
    export_kwh: FloatArray
    battery_kwh: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    start_soc: float | None
    device_cost: FloatArray
    paid: FloatArray

    @property
    def cost(self) -> float | None:
        """Energy cost at the meter without monthly fees, None where a slot is unknown.

        By the account as far as it goes, then as planned.
        """
        bought = self.import_kwh * self.import_price
        planned = bought - self.export_kwh * self.export_price + self.device_cost
        return _finite(float(np.where(np.isfinite(self.paid), self.paid, planned).sum()))

    @property
    def paid_so_far(self) -> float | None:
        """Energy cost by the account without monthly fees; None: nothing is known of it."""
        if not np.isfinite(self.paid).any():
            return None
        return float(np.nansum(self.paid))


def read_days(
    connection: Connection,
    site: Site,
    days: Sequence[Timeline],
    *,
    now: datetime,
    before: PlannedSlots | None = None,
) -> tuple[list[Day], PlannedSlots]:
    """Return consecutive local days of a stored site at ``now``, and the planned slots.

    Plans and meters are read once for all of them; ``before`` are planned slots from an earlier
    call.
    """
    whole = Timeline(days[0].start, SLOT, sum(day.count for day in days))
    issued = (whole.start - _PLANNED_BEFORE, now)
    uses = _name_device_uses(site)
    columns = list(PLANNED)
    for names in uses.values():
        columns += names
    if before is not None and not before.columns.keys() >= set(columns):
        before = None
    planned = plans.read_latest(
        connection, site.name, whole, columns=columns, issued=issued, before=before
    )
    since = Timeline(whole.start - SLOT, SLOT, whole.count + 1)
    observed = observations.read_series(connection, site.name, since, (*SERIES, *SUBMETERED))
    paid = _read_paid(connection, site, whole, now=now)
    use_kwh: dict[str, FloatArray] = {}
    for kind in FLOW_KINDS:
        if kind.section not in uses:
            continue
        measured = observed[DEVICE_SERIES[kind.section]][1:]
        if bills_own_price(site, kind, measured):
            names = uses[kind.section]
            planned_kwh = np.sum([np.nan_to_num(planned.columns[name]) for name in names], axis=0)
            use_kwh[kind.section] = np.where(np.isfinite(measured), measured, planned_kwh)
    charges = read_device_charges(connection, site, whole)
    zone = parse_zone(site.timezone)
    device_cost = device_slot_cost(charges, use_kwh, whole, zone=zone)
    columns_of_plans = {name: planned.columns[name] for name in PLANNED}
    parts = _split_days(
        site,
        days,
        planned=columns_of_plans | {"device_cost": device_cost},
        observed=observed,
        paid=paid,
        now=now,
    )
    return list(parts), planned


def _name_device_uses(site: Site) -> dict[PricedDevices, list[str]]:
    """Return the plans' energy columns of devices with a price of their own."""
    uses: dict[PricedDevices, list[str]] = {}
    for section in {price.devices for price in site.tariff.devices}:
        for kind in FLOW_KINDS:
            devices = kind.of(site)
            if kind.section != section or not devices:
                continue
            # A kind's first flow is the energy that it takes.
            flow = next(iter(kind.plan.flows))
            uses[section] = [f"{section}:{device.name}:{flow}" for device in devices]
    return uses


def _read_paid(connection: Connection, site: Site, whole: Timeline, *, now: datetime) -> FloatArray:
    """Return the account's cost of energy per slot of ``whole``, NaN from now on."""
    paid = np.full(whole.count, np.nan)
    if has_begun(whole, now):
        slots = read_account_slots(connection, site, whole, now=now)
        paid[: slots.timeline.count] = slots.cost
    return paid


def _split_days(
    site: Site,
    days: Sequence[Timeline],
    *,
    planned: Mapping[str, FloatArray],
    observed: Mapping[str, FloatArray],
    paid: FloatArray,
    now: datetime,
) -> Iterator[Day]:
    """Yield each day's part; the first slot of ``observed`` lies before the first day."""
    first = 0
    for day in days:
        of_day = slice(first, first + day.count)
        # Observations begin one slot earlier.
        observed_of_day = slice(first + 1, first + day.count + 1)
        yield join_day(
            site,
            day,
            planned={name: values[of_day] for name, values in planned.items()},
            observed={name: values[observed_of_day] for name, values in observed.items()},
            paid=paid[of_day],
            start_soc=float(observed["soc"][first]),
            now=now,
        )
        first += day.count


def join_day(  # noqa: PLR0913 - one per source of a day's columns
    site: Site,
    timeline: Timeline,
    *,
    planned: dict[str, FloatArray],
    observed: dict[str, FloatArray],
    paid: FloatArray,
    start_soc: float,
    now: datetime,
) -> Day:
    """Combine planned and observed columns to a day.

    ``start_soc`` is NaN where it is unknown.

    Invariants: a slot that has not ended is never measured, nor is one with any meter missing.
    """
    pv = observed["pv_kwh"] if site.pv else np.zeros(timeline.count)
    load = observed["load_kwh"] + sum(np.nan_to_num(observed[name]) for name in SUBMETERED)
    imported = observed["import_kwh"]
    exported = observed["export_kwh"]
    is_over = timeline.starts + np.timedelta64(SLOT) <= np.datetime64(now.replace(tzinfo=None))
    measured = is_over & np.isfinite(load + pv + imported + exported)
    # What the meters leave went into the batteries.
    battery = pv - load + imported - exported
    planned_battery = planned["charge_kwh"] - planned["discharge_kwh"]
    return Day(
        timeline=timeline,
        measured=measured.astype(float),
        load_kwh=np.where(measured, observed["load_kwh"], planned["load_kwh"]),
        pv_kwh=np.where(measured, pv, planned["pv_kwh"]),
        import_kwh=np.where(measured, imported, planned["import_kwh"]),
        export_kwh=np.where(measured, exported, planned["export_kwh"]),
        battery_kwh=np.where(measured, battery, planned_battery),
        import_price=planned["import_price"],
        export_price=planned["export_price"],
        start_soc=start_soc if np.isfinite(start_soc) else None,
        device_cost=planned["device_cost"],
        paid=paid,
    )


def total(energy_kwh: FloatArray) -> float | None:
    """Return the sum over a day; None where a slot is unknown."""
    return _finite(float(np.sum(energy_kwh)))


def price(import_kwh: FloatArray, export_kwh: FloatArray, day: Day) -> float:
    """Return the cost of these energies at the day's prices."""
    return float(np.sum(import_kwh * day.import_price - export_kwh * day.export_price))


def save_beside_inverter(
    site: Site, day: Day, plan: PlanReply | None, *, end_soc: float | None = None
) -> float | None:
    """Return the saving of a day's planned battery control against plain self-consumption.

    None where it is unknown. Energy stored at midnight counts with its value; load, PV and
    curtailment are the same on both sides.

    Args:
        site: the site.
        day: measured and planned.
        plan: with the value of stored energy at the end of the day.
        end_soc: measured state of charge of all batteries at the end of the day; None: as planned.
    """
    last = None if plan is None else find_slot(plan, day.timeline.end - SLOT)
    # Both sides at the same prices, whatever the account knows of the day.
    own_cost = price(day.import_kwh, day.export_kwh, day)
    if last is None or last.reason.energy_value is None:
        return None
    if day.start_soc is None or not np.isfinite(own_cost) or not site.batteries:
        return None
    value = last.reason.energy_value
    capacity = np.array([[battery.capacity_kwh] for battery in site.batteries])
    # Net load without batteries; curtailed PV stays curtailed.
    residual = day.import_kwh - day.export_kwh - day.battery_kwh
    actuals = Actuals(day.timeline, np.maximum(residual, 0.0), np.maximum(-residual, 0.0))
    alone = simulate(
        _InverterAlone(len(site.batteries)),
        actuals,
        limits=SiteLimits.of(site),
        stored_kwh=day.start_soc * capacity,
    )
    own_end_kwh = 0.0
    if end_soc is not None:
        own_end_kwh = end_soc * float(capacity.sum())
    else:
        for battery in site.batteries:
            if battery.name in last.batteries:
                own_end_kwh += last.batteries[battery.name].soc_end * battery.capacity_kwh
    alone_end_kwh = float(alone.flows.stored_kwh[..., -1].sum())
    alone_cost = price(alone.flows.import_kwh[0], alone.flows.export_kwh[0], day)
    return (alone_cost - alone_end_kwh * value) - (own_cost - own_end_kwh * value)


def find_slot(plan: PlanReply, at: datetime) -> SlotReply | None:
    """Return the plan's slot at an instant, None if it covers none."""
    step = timedelta(minutes=plan.slot_minutes)
    return next((slot for slot in plan.slots if slot.start <= at < slot.start + step), None)


class _InverterAlone:
    """Self-consumption: stores surplus and serves the load."""

    def __init__(self, batteries: int) -> None:
        self._setpoint = whole_range(
            np.full((batteries, 1), Mode.SELF_CONSUMPTION, dtype=np.int8),
            np.zeros(1, dtype=np.int8),
        )

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        return self._setpoint


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
