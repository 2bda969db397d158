"""The mixed-integer model of a problem: columns, rows and costs of its slots.

Per slot: import, export, curtailed PV, and per battery charge, discharge and stored energy; a
balance row, and a storage row per battery. The linear model is solved first. Only where its
solution does what physics forbids (importing while exporting, charging while discharging, charging
below the least power) are binaries added, until no slot does: exact, because every relaxation
bounds the full model. The same model written to be read, in PuLP:
tests/support/reference_model/model.py.
"""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.linear.model import Indices, LinearModel, ModelBuilder, StartBasis, Term
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.milp.contract_rows import add_contract
from services.planner.milp.device_prices import add_device_charges
from services.planner.milp.directions import BinarySlots, FlowDirections, PlannedFlows
from services.planner.milp.inverters import add_inverters
from services.planner.milp.load_columns import (
    LoadColumns,
    add_demands,
    add_sources,
    add_supply_rows,
    most_scheduled_kwh,
)
from services.planner.milp.owner_rows import add_manual
from services.planner.milp.slack import add_grid_slack, add_reserves, add_soc_slack, excess_kwh
from services.planner.milp.solver import Solution
from services.planner.milp.tariffs import MonthPeak, add_charges, add_peaks
from services.planner.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class Formulation:
    """A built model, and the columns and rows of its quantities.

    ``choices`` are binaries: import, charge, charge at least the least power. ``balanced`` are the
    rows of the balance, one per slot, ``cuts`` rows that follow from the others where all binaries
    are whole.
    """

    model: LinearModel
    grid: Indices
    batteries: Indices
    storage_rows: Indices
    choices: tuple[Indices, Indices, Indices]
    load_columns: LoadColumns
    peaks: tuple[MonthPeak, ...]
    direct: Indices
    pin_ends: Indices
    excess: tuple[Indices, ...] = ()
    balanced: Indices = field(kw_only=True)
    cuts: Indices = field(kw_only=True)

    def flows(self, solution: Solution, ways: FlowDirections) -> PlannedFlows:
        """Return the energy flows of a solution."""
        imported, exported, curtailed = solution.column[self.grid]
        battery = solution.column[self.batteries]
        if self.excess:
            excess_import, excess_export = self.excess
            imported = imported + solution.column[excess_import]
            exported = exported + solution.column[excess_export]
        return PlannedFlows(
            import_kwh=imported,
            export_kwh=exported,
            curtailed_kwh=curtailed,
            charge_kwh=battery[:, 0],
            discharge_kwh=battery[:, 1],
            stored_kwh=battery[:, 2],
            energy_value=-solution.dual[self.storage_rows],
            ways=ways,
            objective=solution.objective,
            gap=solution.gap,
            proven=solution.proven,
            direct_kwh=solution.column[self.direct],
        )


def formulate(
    problem: Problem,
    ways: FlowDirections,
    *,
    choices: BinarySlots | None = None,
    elastic: bool = False,
) -> Formulation:
    """Return the model of a problem.

    Args:
        problem: to plan.
        ways: flow directions that each slot leaves open.
        choices: slots in which a binary chooses the direction.
        elastic: whether limits may be broken at a price.
    """
    builder = ModelBuilder()
    outlook = problem.outlook
    site = problem.site
    slots = outlook.timeline.count
    ac_pv_kwh = problem.ac_pv_kwh
    most_import, most_export = _most_exchanged_kwh(problem)
    bought = builder.add_columns(
        slots, cost=outlook.import_price, upper=most_import * ways.may_import
    )
    sold = builder.add_columns(
        slots, cost=-outlook.export_price, upper=most_export * ways.may_export
    )
    curtailed = builder.add_columns(slots, cost=0.0, upper=ac_pv_kwh * site.curtailable)
    columns = [
        _battery_columns(builder, problem, ways, index=index, elastic=elastic)
        for index in range(len(site.batteries))
    ]
    batteries = np.array(columns, dtype=np.int32).reshape(-1, 3, slots)
    balance: list[Term] = [(bought, 1.0), (sold, -1.0), (curtailed, -1.0)]
    for charge, discharge, _ in batteries:
        balance += [(charge, -1.0), (discharge, 1.0)]
    direct = add_inverters(builder, problem, batteries, curtailed)
    balance += [(column, 1.0) for column in direct]
    load_columns = add_demands(builder, problem)
    balance += load_columns.terms
    slack = add_grid_slack(builder, problem) if elastic else []
    balance += slack
    net = outlook.load_kwh - ac_pv_kwh
    # bought[t] - sold[t] - curtailed[t] - charge[t] + discharge[t] - use[t] = load[t] - pv[t]
    balanced = builder.add_rows(net, net, balance, name="balance")
    pin_ends = add_manual(builder, problem, batteries, load_columns)
    add_reserves(builder, problem, batteries)
    storage = [
        _storage_rows(builder, problem, own, index=index) for index, own in enumerate(batteries)
    ]
    zone = ZoneInfo(site.timezone)
    tariff = problem.tariff
    peaks = add_peaks(builder, bought, outlook.timeline, peaks=tariff.peaks, zone=zone)
    add_charges(builder, bought, outlook.timeline, charges=tariff.charges, zone=zone)
    add_device_charges(builder, problem, load_columns)
    add_contract(builder, problem, batteries, pv=(curtailed, direct), load_columns=load_columns)
    cuts = balanced[:0]
    if not elastic:
        given = [column for column, _ in load_columns.give_terms]
        sources = [bought, *batteries[:, 1], *given]
        cuts = add_supply_rows(builder, problem, load_columns, sources)
    add_sources(builder, problem, load_columns, batteries=batteries, grid=(sold, curtailed, direct))
    if problem.storage.give_limit_kwh is not None:
        # sum of discharge[t] <= give_limit[t]
        builder.add_rows(
            np.full(slots, -np.inf),
            problem.storage.give_limit_kwh,
            [(discharge, 1.0) for _, discharge, _ in batteries],
            name="limit of discharge",
        )
    if elastic:
        for index, own in enumerate(batteries):
            add_soc_slack(builder, problem, own, index=index)
    chosen = _NO_CHOICES
    if choices:
        parts = (bought, sold, batteries, most_import, most_export)
        chosen = _add_choices(builder, problem, choices, parts)
    rows = np.array(storage, dtype=np.int32).reshape(-1, slots)
    # The solve starts from idle devices: the connection balances the house, and stored energy
    # stays.
    exchanged = np.where(net < 0, sold, bought)
    levels = [load.levels for load in load_columns.loads if load.levels is not None]
    start = StartBasis(
        columns=np.concatenate(
            [exchanged, batteries[:, 2].ravel(), *(level.columns for level in levels)]
        ),
        rows=np.concatenate([balanced, rows.ravel(), *(level.rows for level in levels)]),
    )
    return Formulation(
        model=builder.build(start),
        grid=np.array([bought, sold, curtailed]),
        batteries=batteries,
        storage_rows=rows,
        choices=chosen,
        load_columns=load_columns,
        peaks=peaks,
        direct=direct,
        pin_ends=pin_ends,
        excess=tuple(column for column, _ in slack),
        balanced=balanced,
        cuts=cuts,
    )


def _most_exchanged_kwh(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return the most that each slot can import and export, ``(slots,)`` each."""
    outlook = problem.outlook
    hours = outlook.timeline.hours
    batteries = problem.site.batteries
    charge_kw = sum(battery.charge_limit_kw for battery in batteries)
    discharge_kw = sum(battery.discharge_limit_kw for battery in batteries)
    used = outlook.load_kwh + charge_kw * hours + most_scheduled_kwh(problem)
    given = outlook.pv_kwh + discharge_kw * hours
    most_import = np.minimum(problem.import_limit_kwh, used)
    most_export = np.minimum(problem.export_limit_kwh, given)
    return most_import, most_export


def _battery_columns(
    builder: ModelBuilder, problem: Problem, ways: FlowDirections, *, index: int, elastic: bool
) -> list[Indices]:
    """Add charge, discharge and stored energy of one battery."""
    battery = problem.site.batteries[index]
    outlook = problem.outlook
    terminal = problem.terminal
    slots = outlook.timeline.count
    hours = outlook.timeline.hours
    # Where load or PV alone break a limit of the connection, no battery may add to that while the
    # others relieve it.
    free = [excess <= 0 for excess in excess_kwh(problem)] if elastic else [True, True]
    most_charge = battery.charge_limit_kw * hours * free[0] * ways.may_charge[index]
    charge = builder.add_columns(
        slots,
        cost=battery.wear_price,
        lower=battery.min_charge_kw * hours * ways.must_charge[index],
        upper=most_charge,
    )
    # Where PV covers the load even with every flexible load running, a battery that may not feed in
    # has nothing to serve.
    may_lack = outlook.load_kwh + most_scheduled_kwh(problem) >= problem.ac_pv_kwh
    most_discharge = (
        battery.discharge_limit_kw
        * hours
        * (battery.discharge_to_grid | may_lack)
        * free[1]
        * ways.may_discharge[index]
    )
    discharge = builder.add_columns(slots, cost=battery.wear_price, upper=most_discharge)
    terminal_cost = np.append(np.zeros(slots - 1), -terminal.value[index])
    least = np.full(slots, battery.min_soc * battery.capacity_kwh)
    most = np.full(slots, battery.max_soc * battery.capacity_kwh)
    if elastic:
        least = np.minimum(least, problem.stored_kwh[index])
        most = np.maximum(most, problem.stored_kwh[index])
    else:
        least[-1] = max(least[-1], terminal.least_kwh[index])
        most[-1] = min(most[-1], terminal.most_kwh[index])
    stored = builder.add_columns(slots, cost=terminal_cost, lower=least, upper=most)
    return [charge, discharge, stored]


def _storage_rows(
    builder: ModelBuilder, problem: Problem, columns: Indices, *, index: int
) -> Indices:
    """Add the storage rows and the rows of the battery's own constraints."""
    battery = problem.site.batteries[index]
    charge, discharge, stored = columns
    initial = np.zeros(stored.size)
    initial[0] = problem.stored_kwh[index]
    with builder.section(battery.name):
        # stored[t] - stored[t-1] - efficiency * charge[t] + discharge[t] / efficiency = 0
        rows = builder.add_rows(
            initial,
            initial,
            [
                (stored, 1.0),
                (stored[:-1], -1.0),
                (charge, -battery.charge_efficiency),
                (discharge, 1.0 / battery.discharge_efficiency),
            ],
            name="storage",
        )
        for constraint in BATTERY_CONSTRAINTS:
            if constraint.applies(battery):
                with builder.section(constraint.code):
                    constraint.add_rows(builder, problem, columns, index)
    return rows


_NO_CHOICES = (np.empty(0, dtype=np.int32),) * 3


def _add_choices(
    builder: ModelBuilder,
    problem: Problem,
    choices: BinarySlots,
    parts: tuple[Indices, Indices, Indices, FloatArray, FloatArray],
) -> tuple[Indices, Indices, Indices]:
    """Add a binary per slot of ``choices``, and return the columns.

    At 1 it means import, charge, or charge at least the least power, in that order.
    """
    bought, sold, batteries, most_import, most_export = parts
    hours = problem.outlook.timeline.hours
    grid = _switch(
        builder,
        (bought[choices.grid], most_import[choices.grid]),
        (sold[choices.grid], most_export[choices.grid]),
    )
    charging = [_NO_CHOICES[0]]
    enough = [_NO_CHOICES[0]]
    for index, battery in enumerate(problem.site.batteries):
        where = choices.battery[index]
        least = choices.least[index]
        charge, discharge, _ = batteries[index]
        most_charge = battery.charge_limit_kw * hours
        most_discharge = battery.discharge_limit_kw * hours
        charging.append(
            _switch(
                builder,
                (charge[where], most_charge[where]),
                (discharge[where], most_discharge[where]),
            )
        )
        binary = builder.add_columns(charge[least].size, cost=0.0, upper=1.0, integer=True)
        if binary.size:
            unbound_below = np.full(binary.size, -np.inf)
            unbound_above = np.full(binary.size, np.inf)
            nothing = np.zeros(binary.size)
            least_charge = battery.min_charge_kw * hours[least]
            # charge[t] >= least_charge[t] * enough[t]
            builder.add_rows(
                nothing,
                unbound_above,
                [(charge[least], 1.0), (binary, -least_charge)],
                name="least charge",
            )
            # charge[t] <= most_charge[t] * enough[t]
            builder.add_rows(
                unbound_below,
                nothing,
                [(charge[least], 1.0), (binary, -most_charge[least])],
                name="charge or none",
            )
        enough.append(binary)
    return grid, np.concatenate(charging), np.concatenate(enough)


def _switch(
    builder: ModelBuilder, on: tuple[Indices, FloatArray], off: tuple[Indices, FloatArray]
) -> Indices:
    """Add binaries that admit the columns ``on`` at 1 and ``off`` at 0, to their bounds."""
    on_columns, most_on = on
    off_columns, most_off = off
    count = on_columns.size
    binary = builder.add_columns(count, cost=0.0, upper=1.0, integer=True)
    if count:
        unbound = np.full(count, -np.inf)
        # on[t] <= most_on[t] * binary[t]
        builder.add_rows(
            unbound, np.zeros(count), [(on_columns, 1.0), (binary, -most_on)], name="one direction"
        )
        # off[t] <= most_off[t] * (1 - binary[t])
        builder.add_rows(
            unbound, most_off, [(off_columns, 1.0), (binary, most_off)], name="other direction"
        )
    return binary
