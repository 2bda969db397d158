"""Properties of a site's devices, which no slot changes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from luna.energy.devices import SWITCHED_KINDS
from luna.energy.devices.battery import Battery
from luna.energy.devices.battery import Mode as BatteryMode
from luna.energy.devices.vehicle import MOST_OF_ONE_PHASE_KW, Charger, ElectricVehicle
from luna.energy.site import Site
from luna.energy.site.main_fuses import VOLTAGE_V

# What a charger does while nothing is known of the connection.
StaleChoice = Literal["off", "least"]
# Every battery that charges and discharges by command.
ALL_MODES: frozenset[BatteryMode] = frozenset(get_args(BatteryMode))
# Without a charger's data: IEC 61851-1 takes 6 A as the least current.
LEAST_A = 6.0
# IEC 61851-1: at most 32 A by a plug of type 2 on one phase.
MOST_CHARGER_A = 32.0
# A car's contactor, and a heater's relay, are switched no oftener.
CAR_LEAST_ON_S = 120.0
LOAD_LEAST_ON_S = 300.0
# Powers are given rounded: 4.1 kW is 6 A on three phases.
ROUNDING_A = 0.1


@dataclass(frozen=True, slots=True)
class SteeredBattery:
    """A battery's limits, and the modes that its inverter carries out by itself.

    ``delay_s`` is how long it takes to follow a command, where it was measured. ``round_trip`` is
    the share of a charged kWh that it gives again, ``cycle_price`` the wear of that kWh.
    """

    capacity_kwh: float
    charge_limit_kw: float
    discharge_limit_kw: float
    min_soc: float = 0.0
    max_soc: float = 1.0
    native_modes: frozenset[BatteryMode] = ALL_MODES
    charge_from_grid: bool = True
    discharge_to_grid: bool = True
    phases: tuple[int, ...] = (1, 2, 3)
    delay_s: float = 5.0
    round_trip: float = 0.9
    cycle_price: float = 0.0


@dataclass(frozen=True, slots=True)
class SteeredVehicle:
    """A charger: numbers of phases, whole amperes, and how seldom it is switched.

    ``on_phases`` are the connection's phases that it uses; with one phase, the first of them.
    """

    phases: tuple[int, ...] = (3,)
    min_current_a: float = LEAST_A
    max_current_a: float = 16.0
    charge_limit_kw: float = math.inf
    voltage_v: float = VOLTAGE_V
    least_on_s: float = CAR_LEAST_ON_S
    least_off_s: float = 120.0
    most_starts: int = 6
    most_phase_changes: int = 4
    on_phases: tuple[int, ...] = (1, 2, 3)
    circuit: str | None = None
    stale: StaleChoice = "off"
    delay_s: float = 5.0

    def power_kw(self, phases: int, current_a: float) -> float:
        """Return the power of a current on a number of phases."""
        return phases * current_a * self.voltage_v / 1000

    def most_current_a(self, phases: int) -> float:
        """Return the highest current on a number of phases that the car's own limit allows."""
        if self.charge_limit_kw == math.inf:
            return self.max_current_a
        limit_a = self.charge_limit_kw * 1000 / (phases * self.voltage_v)
        return max(min(self.max_current_a, math.floor(limit_a + ROUNDING_A)), self.min_current_a)

    def most_kw_on(self, phases: int) -> float:
        """Return the highest power on a number of phases."""
        return self.power_kw(phases, self.most_current_a(phases))

    @property
    def least_kw(self) -> float:
        """The least power it charges with."""
        return self.power_kw(min(self.phases), self.min_current_a)

    @property
    def most_kw(self) -> float:
        """The highest power it charges with."""
        return self.most_kw_on(max(self.phases))


@dataclass(frozen=True, slots=True)
class SteeredLoad:
    """A device that is switched on or off, and the power it takes while on."""

    power_kw: float
    least_on_s: float = LOAD_LEAST_ON_S
    least_off_s: float = 300.0
    most_starts: int = 12


@dataclass(frozen=True, slots=True)
class SteeredDevices:
    """A site's controlled devices; ``pv_kw`` is the peak of arrays that can be held back.

    ``pv_delay_s`` is how long the inverter takes to follow a limit.
    """

    batteries: Mapping[str, SteeredBattery] = field(default_factory=dict)
    vehicles: Mapping[str, SteeredVehicle] = field(default_factory=dict)
    loads: Mapping[str, SteeredLoad] = field(default_factory=dict)
    pv_kw: float = 0.0
    pv_delay_s: float = 5.0
    voltage_v: float = VOLTAGE_V


def describe_devices(site: Site) -> SteeredDevices:
    """Return the devices that a site's section ``control`` names."""
    control = site.control
    if control is None:
        return SteeredDevices()
    batteries = {}
    for battery_control in control.batteries:
        battery = next(
            (battery for battery in site.batteries if battery.name == battery_control.battery), None
        )
        if battery is not None:
            batteries[battery.name] = _describe_battery(battery, battery_control.known_modes)
    controlled_cars = {vehicle_control.vehicle for vehicle_control in control.vehicles}
    vehicles = {}
    for vehicle in site.vehicles:
        if vehicle.name in controlled_cars:
            vehicles[vehicle.name] = _describe_vehicle(vehicle)
    controlled_loads = {load_control.load for load_control in control.loads}
    loads = {}
    for kind in SWITCHED_KINDS:
        for load in kind.of(site):
            if load.name in controlled_loads:
                least_run_s = max(load.least_run.total_seconds(), LOAD_LEAST_ON_S)
                loads[load.name] = SteeredLoad(kind.power_kw(load), least_on_s=least_run_s)
    pv_kw = 0.0
    if control.pv is not None:
        pv_kw = sum(array.peak_kw for array in site.pv if array.curtailable)
    return SteeredDevices(batteries=batteries, vehicles=vehicles, loads=loads, pv_kw=pv_kw)


def _describe_battery(battery: Battery, native_modes: frozenset[BatteryMode]) -> SteeredBattery:
    # A dip is a shallow cycle.
    wear_price = battery.wear_by_depth[0].price if battery.wear_by_depth else battery.wear_price
    return SteeredBattery(
        capacity_kwh=battery.capacity_kwh,
        charge_limit_kw=battery.charge_limit_kw,
        discharge_limit_kw=battery.discharge_limit_kw,
        min_soc=battery.min_soc,
        max_soc=battery.max_soc,
        native_modes=native_modes,
        charge_from_grid=battery.charge_from_grid,
        discharge_to_grid=battery.discharge_to_grid,
        round_trip=battery.round_trip,
        cycle_price=2 * wear_price,
    )


def _describe_vehicle(vehicle: ElectricVehicle) -> SteeredVehicle:
    """Return a charger; one of unknown current has that of the car's power."""
    least_on_s = max(60.0 * vehicle.min_run_minutes, CAR_LEAST_ON_S)
    charger = vehicle.charger
    if charger is None:
        phases = 1 if vehicle.charge_limit_kw <= MOST_OF_ONE_PHASE_KW else 3
        charger = Charger(phases=(phases,), max_current_a=MOST_CHARGER_A)
    # The car's own least power counts too, in whole amperes on the fewest phases.
    volt_amperes = charger.voltage_v / 1000
    counts = tuple(sorted(set(charger.phases)))
    least_a = math.ceil(vehicle.min_charge_kw / (counts[0] * volt_amperes) - ROUNDING_A)
    min_current_a = max(charger.min_current_a, float(least_a))
    return SteeredVehicle(
        phases=counts,
        min_current_a=min_current_a,
        max_current_a=max(charger.max_current_a, min_current_a),
        charge_limit_kw=vehicle.charge_limit_kw,
        voltage_v=charger.voltage_v,
        least_on_s=least_on_s,
        on_phases=_list_phases(charger.phase),
        circuit=charger.circuit,
    )


def _list_phases(first: int) -> tuple[int, ...]:
    """Return the phases of the connection, with the one that charges alone at the front."""
    return (first, *(phase for phase in (1, 2, 3) if phase != first))
