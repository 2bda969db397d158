"""Add the owner's pins to the mixed-integer model, and turn them into the batteries' set-points."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import PIN_SLACK
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.milp.directions import PlannedFlows
from services.planner.milp.load_columns import PlacedColumns
from services.planner.milp.slack import dearest_price
from services.planner.problem.owner_constraints import SAME_KWH
from services.planner.problem.problem import Problem


def add_manual(
    builder: ModelBuilder, problem: Problem, batteries: Indices, placed: PlacedColumns
) -> Indices:
    """Add the rows of pins.

    Those of loads are in their demands, bans on batteries in the columns' bounds.

    Return the binaries of slots in which a battery's pin ends, battery by battery, charging first.
    """
    if problem.manual is None:
        return _NO_ENDS
    ends = [
        columns
        for index, own in enumerate(batteries)
        for columns in _pin_battery(builder, problem, own, index=index)
    ]
    for pinned in [each.pinned for each in placed.loads if each.pinned]:
        # A positive target is a lower bound, a target of 0 a ban; missing energy and forced runs
        # are penalised.
        price = PIN_SLACK * dearest_price(problem) * pinned.kwh
        runs = np.flatnonzero(pinned.target > 0)
        rests = np.flatnonzero(pinned.target == 0)
        required = pinned.target[runs]
        missing = builder.add_columns(runs.size, cost=price, upper=required)
        if runs.size:
            builder.add_rows(required, required, [(pinned.columns[runs], 1.0), (missing, 1.0)])
        if rests.size:
            beyond = builder.add_columns(rests.size, cost=price, upper=np.inf)
            builder.add_rows(
                np.full(rests.size, -np.inf),
                np.zeros(rests.size),
                [(pinned.columns[rests], 1.0), (beyond, -1.0)],
            )
    return np.concatenate([_NO_ENDS, *ends])


_NO_ENDS = np.empty(0, dtype=np.int32)


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
        _stay(builder, stored[manual.full[index]], full_kwh(battery), np.inf)
        _stay(builder, stored[manual.empty[index]], -np.inf, battery.min_soc * battery.capacity_kwh)
    for energy, target_kwh, least in (
        (charge, manual.charge_kwh[index], battery.min_charge_kw),
        (discharge, manual.discharge_kwh[index], 0.0),
    ):
        where = np.flatnonzero(np.isfinite(target_kwh))
        if where.size == 0:
            continue
        if manual.decided:
            builder.add_rows(
                target_kwh[where], target_kwh[where] + SAME_KWH, [(energy[where], 1.0)]
            )
            continue
        most = np.maximum(target_kwh[where], least * hours[where])
        missing = builder.add_columns(
            where.size, cost=PIN_SLACK * dearest_price(problem), upper=most
        )
        ends = builder.add_columns(where.size, cost=0.0, upper=1.0, integer=True)
        builder.add_rows(np.zeros(where.size), most, [(energy[where], 1.0)])
        builder.add_rows(
            target_kwh[where],
            np.full(where.size, np.inf),
            [(energy[where], 1.0), (missing, 1.0), (ends, target_kwh[where])],
        )
        # A pin ends only with a battery that is full, or empty.
        start_kwh = float(problem.stored_kwh[index])
        empty = battery.min_soc * battery.capacity_kwh
        full = battery.max_soc * battery.capacity_kwh
        if energy is charge:
            lowest = min(empty, start_kwh)
            builder.add_rows(
                np.full(ends.size, lowest),
                np.full(ends.size, np.inf),
                [(stored[where], 1.0), (ends, lowest - full_kwh(battery))],
            )
        else:
            highest = max(full, start_kwh)
            builder.add_rows(
                np.full(ends.size, -np.inf),
                np.full(ends.size, highest),
                [(stored[where], 1.0), (ends, highest - empty)],
            )
        yield ends


def _stay(builder: ModelBuilder, stored: Indices, least: float, most: float) -> None:
    """Keep a battery full, or empty, in slots where that ends its pin."""
    if stored.size:
        builder.add_rows(
            np.full(stored.size, least - SAME_KWH),
            np.full(stored.size, most + SAME_KWH),
            [(stored, 1.0)],
        )


def full_kwh(battery: Battery) -> float:
    """Return the stored energy at which a pinned charge ends: full, or the start of the taper."""
    tapers = battery.taper_from_soc < 1.0 and battery.taper_to_share < 1.0
    return float(
        min(battery.max_soc, battery.taper_from_soc if tapers else 1.0) * battery.capacity_kwh
    )


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
    return replace(
        setpoints,
        mode=np.where(
            charges, Mode.CHARGE, np.where(discharges, Mode.EXPORT, setpoints.mode)
        ).astype(np.int8),
        power_kw=np.where(pinned, power, setpoints.power_kw),
        target_soc=np.where(pinned, end_soc, setpoints.target_soc),
        floor_soc=np.where(pinned, end_soc, setpoints.floor_soc),
        ceiling_soc=np.where(pinned, end_soc, setpoints.ceiling_soc),
        spill_soc=np.where(pinned, end_soc, setpoints.spill_soc),
    )
