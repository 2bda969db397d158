"""Share an operator's limit among the units of a site.

Units are decided one by one, and share the limit by what the decisions in force ask for. All see
the same, so that all reckon the same shares; a unit that asks for more finds the others lowered
within a look of the watch.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.control import DecidedBy
from luna.contracts.live_flow import LiveFlow
from luna.drivers.control.units import list_units
from luna.drivers.control.units.pv import NAME as PV
from luna.drivers.control.units.unit import (
    UNLIMITED,
    Controllable,
    Setpoints,
    UnitLimit,
)
from luna.energy.device_shares import PowerRequest, find_import_room, share_power
from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.operator_limits import LimitInForce, find_in_force
from luna.energy.site import SENSOR_ROLES, Site
from luna.energy.site.control import Control
from luna.platform.database import control as control_rows
from luna.platform.database import operator_limits, plans

ReadFlow = Callable[[str], LiveFlow | None]
# What was measured earlier says nothing of what may be drawn now.
FRESH = timedelta(seconds=15)
# Own production on top is granted in whole steps, so that each flicker is no new command.
STEP_KW = 0.5
_RANKS: Mapping[DecidedBy, int] = {"owner": 0, "planner": 1, "agent": 1, "rule": 2}


@dataclass(frozen=True, slots=True)
class SiteLimit:
    """An operator's limit in force at a site, and what its devices ask for.

    Args:
        in_force: the strictest of all limits that hold.
        requests: of the decisions in force, by unit.
        deciders: who made them.
        measured: powers of the site now; None: there is no fresh measurement.
        surplus_kw: own production that the house leaves to its devices; None: it is not known.
        assumed_surplus_kw: what holds without it: no production, and the planned load.
        has_pv: whether a roof feeds in as well.
    """

    in_force: LimitInForce
    requests: Mapping[str, list[PowerRequest]]
    deciders: Mapping[str, DecidedBy]
    measured: LiveFlow | None
    surplus_kw: float | None
    assumed_surplus_kw: float
    has_pv: bool

    def find_unit_limit(
        self,
        unit: Controllable,
        requested: Setpoints,
        decided_by: DecidedBy,
        *,
        by_measurement: bool = True,
    ) -> UnitLimit:
        """Return the power left for a unit that requests ``requested``.

        Args:
            unit: a unit of the site.
            requested: its set-points before the safety layer.
            decided_by: whose they are.
            by_measurement: grant measured own production on top.
        """
        shares = self._share(unit, requested, decided_by, by_measurement=by_measurement)
        own_use_kw = self._measure_own_use() if by_measurement else 0.0
        export_kw = self.in_force.export_kw
        if unit.key != PV and math.isfinite(export_kw):
            # What the roof may feed in is free; batteries export what it leaves.
            export_kw = self._find_battery_export(by_measurement=by_measurement)
        return UnitLimit(shares, export_kw, own_use_kw)

    def _share(
        self,
        unit: Controllable,
        requested: Setpoints,
        decided_by: DecidedBy,
        *,
        by_measurement: bool,
    ) -> dict[str, float]:
        """Return the share of each device of a unit.

        The owner's orders come first, then what is planned, then what is left to itself: it may
        draw nothing at all. Batteries come after the others, which cannot wait as well as they.
        """
        by_unit = dict(self.requests) | {unit.key: unit.list_requests(requested)}
        deciders = dict(self.deciders) | {unit.key: decided_by}

        def rank(key: str) -> tuple[int, bool]:
            return _RANKS[deciders[key]], key == BATTERIES

        queue = []
        for key in sorted(by_unit, key=rank):
            # Devices of two kinds may have the same name.
            queue += [replace(request, name=f"{key} {request.name}") for request in by_unit[key]]
        surplus_kw = self.assumed_surplus_kw
        if by_measurement and self.surplus_kw is not None:
            surplus_kw = self.surplus_kw
        shares = share_power(queue, find_import_room(self.in_force, surplus_kw))
        names = [request.name for request in by_unit[unit.key]]
        return {name: shares[f"{unit.key} {name}"] for name in names}

    def _measure_own_use(self) -> float:
        """Return what the home takes of PV's production, kW, in whole steps."""
        if self.measured is None:
            return 0.0
        used_kw = self.measured.load_kw + self.measured.charge_kw
        used_kw += sum(self.measured.submetered_kw.values())
        return _floor_step(used_kw)

    def _find_battery_export(self, *, by_measurement: bool) -> float:
        if not self.has_pv:
            return self.in_force.export_kw
        if self.measured is None or not by_measurement:
            return 0.0
        fed_in_kw = max(self.measured.pv_kw - self._measure_own_use(), 0.0)
        return _floor_step(max(self.in_force.export_kw - fed_in_kw, 0.0))


def read_site_limit(
    connection: Connection,
    site: Site,
    section: Control | None,
    *,
    now: datetime,
    read_flow: ReadFlow,
) -> SiteLimit | None:
    """Return the operator's limit in force at a site, None without one.

    Raises:
        NotFoundError: no such site.
    """
    in_force = find_in_force(operator_limits.list_in_force(connection, site.name, now), now)
    if in_force is None:
        return None
    requests: dict[str, list[PowerRequest]] = {}
    deciders: dict[str, DecidedBy] = {}
    for key, unit in list_units(site, section).items():
        state = control_rows.load(connection, site.name, key)
        # One that its owner paused is in the owner's hands, and does not share.
        if state.decision is not None and state.paused is None:
            requests[key] = unit.list_requests(state.decision.requested)
            deciders[key] = state.decision.decided_by
    flow = read_flow(site.name)
    is_fresh = flow is not None and abs(now - flow.at) <= FRESH
    measured = flow if is_fresh else None
    return SiteLimit(
        in_force,
        requests,
        deciders,
        measured,
        surplus_kw=None if measured is None else measure_surplus(measured, site, section),
        assumed_surplus_kw=_assume_surplus(connection, site, in_force, now),
        has_pv=bool(site.pv),
    )


def measure_surplus(flow: LiveFlow, site: Site, section: Control | None) -> float | None:
    """Return the measured own production that the house leaves, kW, in whole steps.

    Negative where the house needs more than there is.

    None where a controlled device has no meter of its own: what it draws then looks like the
    house's load, and each change of its power would change its share.
    """
    controlled_series: set[str] = set()
    other_series: set[str] = set()
    controlled = list_units(site, section)
    for key, series in _list_meters(site):
        if key in controlled and (series is None or series not in flow.submetered_kw):
            return None
        if series is None:
            continue
        if key in controlled:
            controlled_series.add(series)
        else:
            other_series.add(series)
    if controlled_series & other_series:
        return None
    house_kw = flow.load_kw
    for series, power_kw in flow.submetered_kw.items():
        if series not in controlled_series:
            house_kw += power_kw
    return _floor_step(flow.pv_kw + flow.discharge_kw - house_kw)


def _list_meters(site: Site) -> Iterator[tuple[str, str | None]]:
    """Yield each switched or charging device's key with the series that measures it alone."""
    for kind in DEVICE_KINDS:
        if not kind.commands or kind.commands.together or not kind.consumption.meter:
            continue
        for device in kind.of(site):
            role = kind.consumption.meter(device)
            is_metered = role is not None and bool(getattr(site.input_sensors, role))
            series = SENSOR_ROLES[role].series if role is not None and is_metered else None
            yield kind.commands.key(device.name), series


def _assume_surplus(
    connection: Connection, site: Site, in_force: LimitInForce, now: datetime
) -> float:
    """Return the planned load without any production, kW, as a negative surplus.

    0 where only the devices are limited, whatever the house draws, or nothing is planned.
    """
    if math.isinf(in_force.import_kw):
        return 0.0
    plan = plans.read_due(connection, site.name, now, until=now)
    if plan is None:
        return 0.0
    place = (now - plan.slots[0].start) // timedelta(minutes=plan.slot_minutes)
    slot = plan.slots[place]
    load_kwh = slot.load_kwh if slot.load_p90_kwh is None else slot.load_p90_kwh
    return -load_kwh / (plan.slot_minutes / 60)


def _floor_step(power_kw: float) -> float:
    return math.floor(power_kw / STEP_KW + 1e-9) * STEP_KW


def limit_unit(
    limit: SiteLimit | None,
    unit: Controllable,
    requested: Setpoints,
    decided_by: DecidedBy,
    *,
    by_measurement: bool = True,
) -> UnitLimit:
    """Return what a limit leaves to a unit, everything without one."""
    if limit is None:
        return UNLIMITED
    return limit.find_unit_limit(unit, requested, decided_by, by_measurement=by_measurement)
