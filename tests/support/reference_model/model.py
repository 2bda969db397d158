"""The planner's optimisation model, written to be read: one name per quantity, one constraint per
sentence, every binary in its place.

``services/planner/milp/formulation.py`` builds the same model as sparse arrays and adds binaries
only where they are needed; tests compare the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pulp

from luna.energy.devices.battery import Battery
from luna.energy.timeline import local_dates
from services.planner.devices.kind import PIN_SLACK
from services.planner.devices.vehicle.demand import ChargingSession, VehicleDemand
from services.planner.devices.vehicle.rows import DEPARTURE_SLACK, MINIMUM_SLACK, SHORT_SLACK
from services.planner.devices.vehicle.schedule import ChargingDemand
from services.planner.milp.owner_rows import full_kwh
from services.planner.milp.slack import dearest_price
from services.planner.problem.owner_constraints import Manual
from services.planner.problem.problem import Problem
from tests.support.reference_model.appliances import run_appliances
from tests.support.reference_model.blocks import pay_blocks
from tests.support.reference_model.inverters import Sun
from tests.support.reference_model.peaks import pay_peak

Quantity = Sequence[pulp.LpVariable]


def solve_reference(
    problem: Problem, *, gap: float = 0.0, time_limit_s: float | None = None
) -> float:
    """Return the least cost over the horizon less the terminal value of what is left in the
    batteries; NaN where limits contradict each other.

    ``gap`` is how far from the optimum it may be, relative; after ``time_limit_s`` the best
    solution so far counts, however far.
    """
    model = _Reference(problem)
    status = model.problem.solve(
        pulp.PULP_CBC_CMD(
            msg=False,
            gapRel=gap,
            timeLimit=time_limit_s,
            options=["primalTolerance 1e-9", "integerTolerance 1e-9"],
        )
    )
    return (
        float(pulp.value(model.problem.objective))
        if status == pulp.LpStatusOptimal
        else float("nan")
    )


@dataclass(frozen=True)
class _Car:
    """A vehicle's quantities: what it charges and gives, and whether it charges within each of its
    ranges of powers.
    """

    demand: VehicleDemand
    charge: Quantity
    give: Quantity
    on: list[Quantity]


class _Reference:
    def __init__(self, problem: Problem) -> None:
        self.site = problem.site
        self.outlook = problem.outlook
        self.terminal = problem.terminal
        self.slots = range(problem.outlook.timeline.count)
        self.hours = problem.outlook.timeline.hours
        self.carries_kwh = problem.import_limit_kwh, problem.export_limit_kwh
        self.problem = pulp.LpProblem("site", pulp.LpMinimize)
        self.sun = Sun(self.problem, problem)
        self.pv_kwh, self.held_back = self.sun.most_on_ac, self.sun.held_back
        self.bought, self.sold = self.quantity("import"), self.quantity("export")
        self.charge = [
            self.quantity(f"charge_{index}") for index, _ in enumerate(self.site.batteries)
        ]
        self.discharge = [
            self.quantity(f"discharge_{index}") for index, _ in enumerate(self.site.batteries)
        ]
        self.stored = [
            self.quantity(f"stored_{index}") for index, _ in enumerate(self.site.batteries)
        ]
        self.direct = [self.take_direct(index) for index, _ in enumerate(self.site.batteries)]
        self.load_use: list[list[pulp.LpAffineExpression]] = [[] for _ in self.slots]
        self.beside: list[pulp.LpAffineExpression] = []
        self.cars: list[_Car] = []
        self.appliances: list[Sequence[pulp.LpAffineExpression]] = []
        self.source = problem
        for demand in problem.demands:
            if isinstance(demand, ChargingDemand):
                self.charge_vehicle(demand.car)
        for used in run_appliances(self, problem.demands):
            self.use(used)
        self.keep_sources()
        for peak in problem.tariff.peaks:
            self.beside += pay_peak(self, problem, peak)
        self.beside += pay_blocks(self, problem)
        for index, battery in enumerate(self.site.batteries):
            if battery.wear_by_depth:
                self.wear_by_depth(index, battery, stored_kwh=float(problem.stored_kwh[index]))
        self.set_objective()
        self.connect_to_grid()
        for index, battery in enumerate(self.site.batteries):
            self.store(index, battery, stored_kwh=float(problem.stored_kwh[index]))
            self.limit_power(index, battery, stored_kwh=float(problem.stored_kwh[index]))
            self.limit_cycles(index, battery)
            self.end(index)
        self.keep_away_from_grid()
        if problem.manual is not None:
            self.obey(problem.manual)

    def limit_cycles(self, index: int, battery: Battery) -> None:
        """On each local day no more is discharged than so many full cycles hold, what today already
        gave included.
        """
        if battery.max_cycles_per_day is None:
            return
        today = self.source.storage.discharged_today_kwh
        dates = local_dates(self.outlook.timeline, ZoneInfo(self.site.timezone))
        for day in dict.fromkeys(dates):
            before = 0.0 if today is None or day != dates[0] else float(today[index])
            room = max(
                battery.max_cycles_per_day
                * (battery.max_soc - battery.min_soc)
                * battery.capacity_kwh
                - before,
                0.0,
            )
            self.problem += (
                pulp.lpSum(self.discharge[index][slot] for slot in self.slots if dates[slot] == day)
                <= room
            )

    def quantity(self, name: str) -> Quantity:
        return [self.problem.add_variable(f"{name}_{slot}", lowBound=0) for slot in self.slots]

    def choice(self, name: str) -> Quantity:
        return [
            self.problem.add_variable(f"{name}_{slot}", cat=pulp.LpBinary) for slot in self.slots
        ]

    def take_direct(self, index: int) -> Sequence[pulp.LpVariable | float]:
        """A battery behind an inverter shares it with PV."""
        battery = self.site.batteries[index]
        inverter = next(
            (each for each in self.site.inverters if battery.name in each.batteries), None
        )
        if inverter is None:
            return [0.0 for _ in self.slots]
        return self.sun.share(
            inverter,
            self.charge[index],
            self.discharge[index],
            most_kwh=battery.charge_limit_kw * max(self.hours),
        )

    def use(self, used: Sequence[pulp.LpAffineExpression]) -> None:
        """What an appliance uses in a slot is served like the load."""
        self.appliances.append(used)
        for slot in self.slots:
            self.load_use[slot].append(used[slot])

    def charge_vehicle(self, demand: VehicleDemand) -> None:
        """A vehicle charges within one of its ranges of powers or not at all, and gives to the
        house instead where it may.
        """
        vehicle = demand.vehicle
        name = demand.vehicle.name
        car = _Car(
            demand,
            self.quantity(f"car_{name}"),
            self.quantity(f"gives_{name}"),
            [self.choice(f"on_{name}_{least:g}") for least, _ in vehicle.power_ranges],
        )
        self.cars.append(car)
        for slot in np.flatnonzero(demand.pinned).tolist():
            self.problem += car.charge[slot] <= demand.least_charge_kwh[slot]
        for slot in self.slots:
            on = [each[slot] for each in car.on]
            hours = demand.plugged_hours[slot]
            self.problem += car.charge[slot] >= pulp.lpSum(
                least * hours * each
                for each, (least, _) in zip(on, vehicle.power_ranges, strict=True)
            )
            self.problem += car.charge[slot] <= pulp.lpSum(
                most * hours * each
                for each, (_, most) in zip(on, vehicle.power_ranges, strict=True)
            )
            self.problem += pulp.lpSum(on) <= (1 if self.may_charge(demand, slot) else 0)
            self.problem += car.give[slot] <= vehicle.discharge_limit_kw * hours * demand.slots_of(
                "gives"
            )[slot] * (1 - pulp.lpSum(on))
            self.load_use[slot].append(car.charge[slot] - car.give[slot])
            self.beside.append(vehicle.wear_price * car.give[slot])
        for on in car.on:
            self.start_vehicle(demand, on)
        self.keep_sessions(car)

    def may_charge(self, demand: VehicleDemand, slot: int) -> bool:
        """A vehicle charges while it is there, and where only surplus counts, when there is enough
        of it.
        """
        least = demand.vehicle.power_ranges[0][0] * demand.plugged_hours[slot]
        surplus = max(
            self.pv_kwh[slot] - self.outlook.load_kwh[slot], demand.least_charge_kwh[slot], 0.0
        )
        return bool(
            demand.plugged_hours[slot] > 0
            and (not demand.slots_of("surplus_only")[slot] or (surplus > 0 and surplus >= least))
        )

    def start_vehicle(self, demand: VehicleDemand, on: Quantity) -> None:
        """Every start has its price, and what has started goes on for its shortest run unless it
        may not.
        """
        run = round(demand.vehicle.min_run_minutes / 60 / self.hours[0])
        for slot in self.slots:
            before = on[slot - 1] if slot else int(demand.charging)
            started = self.problem.add_variable(f"{on[slot].name}_starts", lowBound=0)
            self.problem += started >= on[slot] - before
            self.beside.append(demand.vehicle.start_price * started)
            for later in range(slot + 1, min(slot + run, len(self.slots))):
                if not self.may_charge(demand, later):
                    break
                self.problem += on[later] >= on[slot] - before

    def keep_sessions(self, car: "_Car") -> None:
        """A vehicle holds what is wanted when it leaves, at a price on what is missing, and never
        more or less than it should.
        """
        demand = car.demand
        stored = car.demand.stored_kwh
        dearest = dearest_price(self.source)
        for place, session in enumerate(demand.sessions):
            stored = stored if session.arrival_kwh is None else session.arrival_kwh
            short = self.problem.add_variable(f"short_{demand.vehicle.name}_{place}", lowBound=0)
            self.beside.append(SHORT_SLACK * dearest * short)
            for slot in range(session.first, session.end):
                if demand.least_charge_kwh[slot] > 0 and session.left_least_kwh < session.full_kwh:
                    self.keep_charging(car, session, slot, stored, short)
                stored = (
                    stored
                    + demand.vehicle.charge_efficiency * car.charge[slot]
                    - car.give[slot] * (1 / demand.vehicle.discharge_efficiency)
                )
                self.problem += stored <= session.most_kwh
                if session.gives:
                    self.problem += stored >= session.reserve_kwh
            missing, later, extra = (
                self.problem.add_variable(f"{kind}_{demand.vehicle.name}_{place}", lowBound=0)
                for kind in ("missing", "later", "extra")
            )
            mean = float(self.outlook.import_price.mean())
            afterwards = mean / demand.vehicle.charge_efficiency
            worth = 0.6 * mean if session.extra_value is None else session.extra_value
            worth = min(worth, afterwards) if session.open else worth
            self.problem += stored + missing >= session.required_kwh
            self.problem += stored + missing + later - extra >= session.worth_from_kwh
            if worth < 0:
                self.problem += extra >= stored - session.worth_from_kwh
            else:
                self.problem += extra <= session.worth_to_kwh - session.worth_from_kwh
            if not session.open:
                self.problem += later <= 0
            self.beside.append(
                DEPARTURE_SLACK * dearest * missing + afterwards * later - worth * extra
            )

    def keep_charging(
        self,
        car: "_Car",
        session: ChargingSession,
        slot: int,
        begin: pulp.LpAffineExpression | float,
        short: pulp.LpVariable,
    ) -> None:
        """What has to be charged is, unless the vehicle is full when the slot ends, or too full for
        its least power when it begins.
        """
        demand = car.demand
        name = f"{car.demand.vehicle.name}_{slot}"
        plenty = 1_000.0
        least = demand.least_charge_kwh[slot]
        step = demand.step_kwh[slot]
        full, overfull = (
            self.problem.add_variable(f"{kind}_{name}", cat=pulp.LpBinary)
            for kind in ("full", "overfull")
        )
        missing = self.problem.add_variable(f"lacks_{name}", lowBound=0)
        end = (
            begin
            + demand.vehicle.charge_efficiency * car.charge[slot]
            - car.give[slot] * (1 / demand.vehicle.discharge_efficiency)
        )
        self.problem += car.charge[slot] + missing >= least * (1 - full - overfull)
        self.problem += end >= session.full_kwh - demand.gap_kwh[slot] - plenty * (1 - full)
        self.problem += begin >= session.full_kwh - step - plenty * (1 - overfull)
        self.problem += begin + short >= session.full_kwh - plenty * (1 - overfull)
        self.beside.append(
            (PIN_SLACK if demand.pinned[slot] else MINIMUM_SLACK)
            * dearest_price(self.source)
            * missing
        )

    def keep_sources(self) -> None:
        """What charges from surplus leaves nothing to be bought, batteries rest beside vehicles
        they may not feed, vehicles that give serve the house.
        """
        plenty = 1_000.0
        for slot in self.slots:
            net = self.outlook.load_kwh[slot] - self.pv_kwh[slot]
            appliances = pulp.lpSum(each[slot] for each in self.appliances)
            charged = pulp.lpSum(car.charge[slot] for car in self.cars)
            stored = pulp.lpSum(
                charge[slot] - beside[slot]
                for charge, beside in zip(self.charge, self.direct, strict=True)
            )
            for car in self.cars:
                idle = plenty * (1 - pulp.lpSum(each[slot] for each in car.on))
                if car.demand.slots_of("surplus_only")[slot]:
                    more = self.problem.add_variable(
                        f"more_{car.demand.vehicle.name}_{slot}", cat=pulp.LpBinary
                    )
                    self.problem += (
                        car.charge[slot] <= car.demand.least_charge_kwh[slot] + plenty * more
                    )
                    self.problem += charged + appliances + stored + self.held_back[slot] <= max(
                        -net, 0.0
                    ) + plenty * (1 - more)
                if car.demand.vehicle.from_battery == "never":
                    self.problem += (
                        pulp.lpSum(discharge[slot] for discharge in self.discharge) <= idle
                    )
            self.problem += pulp.lpSum(car.give[slot] for car in self.cars) <= (
                net + appliances if net > 0 else 0.0
            )

    def set_objective(self) -> None:
        energy = pulp.lpSum(
            self.bought[slot] * self.outlook.import_price[slot]
            - self.sold[slot] * self.outlook.export_price[slot]
            for slot in self.slots
        )
        wear = pulp.lpSum(
            battery.wear_price * (self.charge[index][slot] + self.discharge[index][slot])
            for index, battery in enumerate(self.site.batteries)
            for slot in self.slots
        )
        left = pulp.lpSum(
            self.terminal.value[index] * stored[-1] for index, stored in enumerate(self.stored)
        )
        self.problem.setObjective(energy + wear - left + pulp.lpSum(self.beside))

    def connect_to_grid(self) -> None:
        """What comes in goes out.

        A slot imports or exports, within the limits; PV is held back only where it may, and never
        beyond what there is.
        """
        imports = self.choice("imports")
        for slot in self.slots:
            given = pulp.lpSum(discharge[slot] for discharge in self.discharge) + pulp.lpSum(
                direct[slot] for direct in self.direct
            )
            supplied = self.pv_kwh[slot] - self.held_back[slot] + self.bought[slot] + given
            used = (
                self.outlook.load_kwh[slot]
                + self.sold[slot]
                + pulp.lpSum(charge[slot] for charge in self.charge)
                + pulp.lpSum(self.load_use[slot])
            )
            self.problem += supplied == used
            self.problem += self.bought[slot] <= self.carries_kwh[0][slot] * imports[slot]
            self.problem += self.sold[slot] <= self.carries_kwh[1][slot] * (1 - imports[slot])

    def store(self, index: int, battery: Battery, *, stored_kwh: float) -> None:
        """Stored energy follows from charging and discharging with their losses, and stays within
        its limits.
        """
        charge = self.charge[index]
        discharge = self.discharge[index]
        stored = self.stored[index]
        for slot in self.slots:
            before = stored[slot - 1] if slot else stored_kwh
            self.problem += (
                stored[slot]
                == before
                + charge[slot] * battery.charge_efficiency
                - discharge[slot] / battery.discharge_efficiency
            )
            self.problem += stored[slot] >= battery.min_soc * battery.capacity_kwh
            self.problem += stored[slot] <= battery.max_soc * battery.capacity_kwh

    def limit_power(self, index: int, battery: Battery, *, stored_kwh: float) -> None:
        """A battery charges or discharges, not both.

        Charges with its least power or not at all; and more slowly when nearly full.
        """
        charge = self.charge[index]
        discharge = self.discharge[index]
        charges = self.choice(f"charges_{index}")
        for slot in self.slots:
            self.problem += (
                charge[slot] <= battery.charge_limit_kw * self.hours[slot] * charges[slot]
            )
            self.problem += charge[slot] >= battery.min_charge_kw * self.hours[slot] * charges[slot]
            self.problem += discharge[slot] <= battery.discharge_limit_kw * self.hours[slot] * (
                1 - charges[slot]
            )
            if battery.taper_from_soc < 1:
                before = self.stored[index][slot - 1] if slot else stored_kwh
                beyond = (before / battery.capacity_kwh - battery.taper_from_soc) / (
                    1 - battery.taper_from_soc
                )
                self.problem += charge[slot] <= battery.charge_limit_kw * self.hours[slot] * (
                    1 - beyond * (1 - battery.taper_to_share)
                )

    def obey(self, manual: Manual) -> None:
        """What the owner forbids does not happen.

        What he pins happens until the battery is full, or empty.
        """
        for index, battery in enumerate(self.site.batteries):
            least = battery.min_soc * battery.capacity_kwh
            most = battery.max_soc * battery.capacity_kwh
            full_from = full_kwh(battery)
            full = self.choice(f"full_{index}")
            empty = self.choice(f"empty_{index}")
            stored = self.stored[index]
            for slot in self.slots:
                charge = self.charge[index][slot]
                discharge = self.discharge[index][slot]
                self.problem += (
                    charge
                    <= self.most_kwh(battery.charge_limit_kw, slot) * manual.may_charge[index, slot]
                )
                self.problem += (
                    discharge
                    <= self.most_kwh(battery.discharge_limit_kw, slot)
                    * manual.may_discharge[index, slot]
                )
                self.problem += stored[slot] >= least + (full_from - least) * full[slot]
                self.problem += stored[slot] <= most - (most - least) * empty[slot]
                for energy, wanted, ends in (
                    (charge, manual.charge_kwh, full),
                    (discharge, manual.discharge_kwh, empty),
                ):
                    if np.isfinite(wanted[index, slot]):
                        self.problem += energy <= wanted[index, slot]
                        self.problem += energy >= wanted[index, slot] * (1 - ends[slot])
        for slot in self.slots:
            if manual.no_import[slot]:
                self.problem += self.bought[slot] == 0
            if manual.no_export[slot]:
                self.problem += self.sold[slot] == 0

    def most_kwh(self, power_kw: float, slot: int) -> float:
        return float(power_kw * self.hours[slot])

    def wear_by_depth(self, index: int, battery: Battery, *, stored_kwh: float) -> None:
        """Stored energy lies in segments of depth, at the start in the deepest ones.

        What is taken from each has its own price.
        """
        shallower = 0.0
        inside = []
        taken = []
        for place, segment in enumerate(battery.wear_by_depth):
            held, put_in, out = (
                self.quantity(f"{kind}_{index}_{place}") for kind in ("held", "put_in", "taken")
            )
            top = (1 - shallower) * battery.capacity_kwh
            bottom = (1 - segment.to_depth) * battery.capacity_kwh
            for slot in self.slots:
                before = (
                    held[slot - 1] if slot else min(max(stored_kwh - bottom, 0.0), top - bottom)
                )
                self.problem += held[slot] == before + put_in[slot] - out[slot]
                self.problem += held[slot] <= top - bottom
                self.beside.append(segment.price * battery.discharge_efficiency * out[slot])
            shallower = segment.to_depth
            inside.append(held)
            taken.append(out)
        for slot in self.slots:
            self.problem += self.stored[index][slot] == pulp.lpSum(held[slot] for held in inside)
            self.problem += self.discharge[index][
                slot
            ] == battery.discharge_efficiency * pulp.lpSum(out[slot] for out in taken)

    def end(self, index: int) -> None:
        """At the horizon each battery holds what the terminal rule asks for."""
        self.problem += self.stored[index][-1] >= self.terminal.least_kwh[index]
        self.problem += self.stored[index][-1] <= self.terminal.most_kwh[index]

    def keep_away_from_grid(self) -> None:
        """Batteries that may not charge from the grid share the PV surplus that is not held back.

        Those that may not discharge to it, the rest of the load.
        """
        from_sun = [
            index
            for index, battery in enumerate(self.site.batteries)
            if not battery.charge_from_grid
        ]
        into_house = [
            self.discharge[index]
            for index, battery in enumerate(self.site.batteries)
            if not battery.discharge_to_grid
        ]
        for slot in self.slots:
            taken = (
                pulp.lpSum(
                    self.charge[index][slot] - self.direct[index][slot] for index in from_sun
                )
                + self.held_back[slot]
            )
            given = pulp.lpSum(discharge[slot] for discharge in into_house)
            net = self.outlook.load_kwh[slot] - self.pv_kwh[slot]
            if net < 0 and self.load_use[slot]:
                self.turn(slot, taken if from_sun else None, given if into_house else None)
                continue
            if from_sun:
                self.problem += taken <= max(-net, 0.0)
            if into_house:
                self.problem += given <= (
                    0.0 if net < 0 else net + self.held_back[slot] + pulp.lpSum(self.load_use[slot])
                )

    def turn(
        self,
        slot: int,
        taken: pulp.LpAffineExpression | None,
        given: pulp.LpAffineExpression | None,
    ) -> None:
        """A flexible load may turn a surplus into a deficit: some is left, or energy is short."""
        left = self.problem.add_variable(f"surplus_left_{slot}", cat=pulp.LpBinary)
        plenty = 100.0
        lacks = self.outlook.load_kwh[slot] - self.pv_kwh[slot] + pulp.lpSum(self.load_use[slot])
        if taken is not None:
            self.problem += taken <= -lacks + plenty * (1 - left)
            self.problem += taken <= plenty * left
        if given is not None:
            self.problem += given <= lacks + self.held_back[slot] + plenty * left
            self.problem += given <= plenty * (1 - left)
