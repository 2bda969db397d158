"""Add the owner's pins to the mixed-integer model, and turn them into the batteries' set-points."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import PIN_SLACK, PinnedUse
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.milp.directions import PlannedFlows
from services.planner.milp.load_columns import LoadColumns
from services.planner.milp.slack import dearest_price
from services.planner.problem.owner_constraints import SAME_KWH
from services.planner.problem.problem import Problem


def add_manual(
    builder: ModelBuilder, problem: Problem, batteries: Indices, load_columns: LoadColumns
) -> Indices:
    """Add the rows of pins.

    Those of loads are in their demands, bans on batteries in the columns' bounds.

    Return the binaries of slots in which a battery's pin ends, battery by battery, charging first.
    """
    if problem.manual is None:
        return _NO_ENDS
    ends = [_NO_ENDS]
    for index, (battery, columns) in enumerate(zip(problem.site.batteries, batteries, strict=True)):
        with builder.section(f"{battery.name}: pins"):
            ends += _pin_battery(builder, problem, columns, index=index)
    for demand, load in zip(problem.demands, load_columns.loads, strict=True):
        if load.pinned:
            with builder.section(f"{demand.name}: pins"):
                _pin_load(builder, problem, load.pinned)
    return np.concatenate(ends)


_NO_ENDS = np.empty(0, dtype=np.int32)


def _pin_load(builder: ModelBuilder, problem: Problem, pinned: PinnedUse) -> None:
    """Pin a load: a positive target is a lower bound, a target of 0 a ban.

    Missing energy and forced runs are penalised.
    """
    price = PIN_SLACK * dearest_price(problem) * pinned.kwh
    runs = np.flatnonzero(pinned.target > 0)
    rests = np.flatnonzero(pinned.target == 0)
    required = pinned.target[runs]
    missing = builder.add_columns(runs.size, cost=price, upper=required)
    if runs.size:
        # use[t] + missing[t] = target[t]
        builder.add_rows(
            required, required, [(pinned.columns[runs], 1.0), (missing, 1.0)], name="runs"
        )
    if rests.size:
        beyond = builder.add_columns(rests.size, cost=price, upper=np.inf)
        # use[t] <= beyond[t]
        builder.add_rows(
            np.full(rests.size, -np.inf),
            np.zeros(rests.size),
            [(pinned.columns[rests], 1.0), (beyond, -1.0)],
            name="rests",
        )


def _pin_battery(
    builder: ModelBuilder, problem: Problem, columns: Indices, *, index: int
) -> Iterator[Indices]:
    """Pin charging until the battery is full, discharging until it is empty.

    Yield the binaries per slot that mark it as such.
    """
    manual = problem.manual
    battery = problem.site.batteries[index]
    hours = problem.outlook.timeline.hours
    assert manual is not None  # noqa: S101  # the caller has looked
    charge, discharge, stored = columns
    if manual.full is not None and manual.empty is not None:
        _session(builder, stored[manual.full[index]], full_kwh(battery), np.inf)
        _session(
            builder, stored[manual.empty[index]], -np.inf, battery.min_soc * battery.capacity_kwh
        )
    for energy, target_kwh, least in (
        (charge, manual.charge_kwh[index], battery.min_charge_kw),
        (discharge, manual.discharge_kwh[index], 0.0),
    ):
        where = np.flatnonzero(np.isfinite(target_kwh))
        if where.size == 0:
            continue
        if manual.decided:
            # target[t] <= energy[t] <= target[t]
            builder.add_rows(
                target_kwh[where],
                target_kwh[where] + SAME_KWH,
                [(energy[where], 1.0)],
                name="decided energy",
            )
            continue
        most = np.maximum(target_kwh[where], least * hours[where])
        missing = builder.add_columns(
            where.size, cost=PIN_SLACK * dearest_price(problem), upper=most
        )
        ends = builder.add_columns(where.size, cost=0.0, upper=1.0, integer=True)
        # energy[t] <= most[t]
        builder.add_rows(np.zeros(where.size), most, [(energy[where], 1.0)], name="most energy")
        # energy[t] + missing[t] >= target[t] * (1 - ends[t])
        builder.add_rows(
            target_kwh[where],
            np.full(where.size, np.inf),
            [(energy[where], 1.0), (missing, 1.0), (ends, target_kwh[where])],
            name="pinned energy",
        )
        # A pin ends only with a battery that is full, or empty.
        start_kwh = float(problem.stored_kwh[index])
        empty = battery.min_soc * battery.capacity_kwh
        full = battery.max_soc * battery.capacity_kwh
        if energy is charge:
            lowest = min(empty, start_kwh)
            # stored[t] >= lowest + (full - lowest) * ends[t]
            builder.add_rows(
                np.full(ends.size, lowest),
                np.full(ends.size, np.inf),
                [(stored[where], 1.0), (ends, lowest - full_kwh(battery))],
                name="charging ends full",
            )
        else:
            highest = max(full, start_kwh)
            # stored[t] <= highest - (highest - empty) * ends[t]
            builder.add_rows(
                np.full(ends.size, -np.inf),
                np.full(ends.size, highest),
                [(stored[where], 1.0), (ends, highest - empty)],
                name="discharging ends empty",
            )
        yield ends


def _session(builder: ModelBuilder, stored: Indices, least: float, most: float) -> None:
    """Keep a battery full, or empty, in slots where that ends its pin."""
    if stored.size:
        # least <= stored[t] <= most
        builder.add_rows(
            np.full(stored.size, least - SAME_KWH),
            np.full(stored.size, most + SAME_KWH),
            [(stored, 1.0)],
            name="stays full or empty",
        )


def full_kwh(battery: Battery) -> float:
    """Return the stored energy that ends a pinned charge: full, or the start of the taper."""
    full_soc = battery.max_soc
    if battery.taper_from_soc < 1.0 and battery.taper_to_share < 1.0:
        full_soc = min(full_soc, battery.taper_from_soc)
    return float(full_soc * battery.capacity_kwh)


def decide_pins(problem: Problem, flows: PlannedFlows) -> Problem:
    """Return the problem with pinned energies replaced by those of a solved model: linear again."""
    if problem.manual is None:
        return problem
    pairs = zip(problem.site.batteries, flows.stored_kwh, strict=True)
    full = np.array(
        [stored >= full_kwh(battery) - SAME_KWH for battery, stored in pairs], dtype=bool
    )
    empty = flows.stored_kwh <= problem.limits.batteries.min_kwh + SAME_KWH
    energies = np.maximum(flows.charge_kwh, 0.0), np.maximum(flows.discharge_kwh, 0.0)
    return replace(
        problem,
        manual=problem.manual.decide(*energies, full=full.reshape(empty.shape), empty=empty),
    )


def tell_pins(problem: Problem, setpoints: SetPoint, end_kwh: FloatArray) -> SetPoint:
    """Return set-points with pins at their power, independent of actual load and PV.

    ``end_kwh`` is the planned energy, ``(batteries, slots)``.
    """
    manual = problem.manual
    capacity = problem.limits.batteries.capacity_kwh
    if manual is None or not manual.pins:
        return setpoints
    charges = np.isfinite(manual.charge_kwh)
    discharges = np.isfinite(manual.discharge_kwh)
    pinned = charges | discharges
    end_soc = end_kwh / capacity
    power = (
        np.where(charges, manual.charge_kwh, manual.discharge_kwh) / problem.outlook.timeline.hours
    )
    mode = np.where(discharges, Mode.EXPORT, setpoints.mode)
    mode = np.where(charges, Mode.CHARGE, mode)
    return replace(
        setpoints,
        mode=mode.astype(np.int8),
        power_kw=np.where(pinned, power, setpoints.power_kw),
        target_soc=np.where(pinned, end_soc, setpoints.target_soc),
        floor_soc=np.where(pinned, end_soc, setpoints.floor_soc),
        ceiling_soc=np.where(pinned, end_soc, setpoints.ceiling_soc),
        spill_soc=np.where(pinned, end_soc, setpoints.spill_soc),
    )
