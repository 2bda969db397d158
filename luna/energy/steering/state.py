"""Input, result and memory of the decision function. kW, seconds and amperes.

All mappings are by the device's name in the site's file.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from luna.energy.devices.battery import Mode as BatteryMode

# A meter that is silent for longer is stale: nothing is known.
STALE_S = 15.0

SteeringReason = Literal[
    "as_planned",  # the slot's set-point, unchanged
    "own_control",  # the device decides
    "follows_surplus",
    "waits_for_surplus",  # too little so far, or for too short a time
    "keeps_floor",  # surplus plus a floor: the floor
    "rests",  # least time off, or no more starts today
    "runs_on",  # least time on
    "not_connected",
    "supports_no_car",  # the battery serves the house and leaves out the car
    "connection_limit",
    "operator_limit",
    "fuse_limit",
    "export_cap",
    "meter_stale",
    "unknown_soc",
]


@dataclass(frozen=True, slots=True)
class BatteryPower:
    """A battery now; ``charge_kw`` is negative while it discharges, ``soc`` NaN if unknown."""

    charge_kw: float
    soc: float


@dataclass(frozen=True, slots=True)
class VehiclePower:
    """A charger now; ``phases`` that the car draws from: 1, 3, or 0 if unknown.

    ``writes_left`` is how often its current may still be written today.
    """

    kw: float
    connected: bool = True
    phases: int = 0
    writes_left: float = math.inf


@dataclass(frozen=True, slots=True)
class LiveMeasurement:
    """Readings of a site's meters.

    ``at_s`` is now, ``read_at_s`` when the oldest value was read, both on one clock that never
    goes back. ``day`` is the local day, with which counts of switches begin anew. ``phase_a`` has
    the current of each phase at the connection, positive for import; empty: not measured.
    ``house_kw`` is what is not controlled; it is not negative. ``sun_left_h`` is how long the sun
    still shines today, NaN where that is not known.
    """

    at_s: float
    read_at_s: float
    day: date
    import_kw: float
    export_kw: float
    pv_kw: float
    house_kw: float
    batteries: Mapping[str, BatteryPower] = field(default_factory=dict)
    vehicles: Mapping[str, VehiclePower] = field(default_factory=dict)
    loads_kw: Mapping[str, float] = field(default_factory=dict)
    phase_a: tuple[float, ...] = ()
    sun_left_h: float = math.nan


VehicleFollow = Literal["surplus", "surplus_floor", "power", "stop", "own"]
LoadFollow = Literal["on", "off", "surplus", "own"]


@dataclass(frozen=True, slots=True)
class BatteryTarget:
    """The plan's target of a battery in the slot.

    ``power_kw`` bounds the exchange with the grid in the modes ``charge`` and ``export``, which
    ends at ``target_soc``; storing surplus ends at ``ceiling_soc``, serving the load at
    ``floor_soc``. Surplus that may not be fed in is stored up to ``spill_soc`` in every mode.
    ``worth_price`` is what a kWh of surplus stored now is worth.
    """

    mode: BatteryMode = "self_consumption"
    power_kw: float = math.inf
    target_soc: float | None = None
    floor_soc: float = 0.0
    ceiling_soc: float = 1.0
    spill_soc: float = 1.0
    worth_price: float = 0.0


@dataclass(frozen=True, slots=True)
class VehicleTarget:
    """The plan's target of a car in the slot.

    ``power_kw`` is the power of ``power`` ("ready by, whatever it costs") and the floor of
    ``surplus_floor``. ``worth_price`` is what a kWh charged now is worth. ``battery_support`` says
    that batteries serve it as planned; while it follows surplus, one whose kWh costs less than
    ``dip_price``, the price of one from the grid, serves it through dips.
    """

    follow: VehicleFollow = "own"
    power_kw: float = 0.0
    worth_price: float = 0.0
    battery_support: bool = False
    dip_price: float = -math.inf


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """The plan's target of a switched device; ``surplus``: on where PV covers it."""

    follow: LoadFollow = "own"
    worth_price: float = 0.0


@dataclass(frozen=True, slots=True)
class SlotTargets:
    """Targets of the plan in force; a device that is left out has its own control.

    ``pv_limit_kw`` is the highest PV power, ``pv_export`` whether PV may be fed in,
    ``pv_possible_kw`` what PV is expected to reach where it is held back (NaN: unknown).
    """

    batteries: Mapping[str, BatteryTarget] = field(default_factory=dict)
    vehicles: Mapping[str, VehicleTarget] = field(default_factory=dict)
    loads: Mapping[str, LoadTarget] = field(default_factory=dict)
    pv_limit_kw: float = math.inf
    pv_export: bool = True
    pv_possible_kw: float = math.nan


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Limits in force, the strictest of all sources; infinite where nothing limits.

    ``devices_import_kw`` is the operator's limit for controllable devices together (own production
    may be used on top), ``operator_import_kw`` and ``operator_export_kw`` his for the connection.
    ``fuse_a`` holds for each phase of the connection, ``circuits_a`` for each phase of a circuit
    that chargers share.
    """

    import_kw: float = math.inf
    export_kw: float = math.inf
    devices_import_kw: float = math.inf
    operator_import_kw: float = math.inf
    operator_export_kw: float = math.inf
    fuse_a: float = math.inf
    circuits_a: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatteryCommand:
    """A battery's mode; ``power_kw`` counts in ``charge`` and ``export``, at its terminals."""

    mode: BatteryMode
    power_kw: float
    reason: SteeringReason


@dataclass(frozen=True, slots=True)
class VehicleCommand:
    """A charger's command: ``current_a`` on each of ``phases``, which is ``power_kw``."""

    mode: Literal["charge", "stop", "own"]
    power_kw: float
    phases: int
    current_a: float
    reason: SteeringReason


@dataclass(frozen=True, slots=True)
class LoadCommand:
    """A switched device's command."""

    mode: Literal["on", "off", "own"]
    reason: SteeringReason


@dataclass(frozen=True, slots=True)
class PvCommand:
    """The highest PV power, kW; infinite: PV is free."""

    limit_kw: float
    reason: SteeringReason


@dataclass(frozen=True, slots=True)
class LiveCommands:
    """Commands of all devices."""

    batteries: Mapping[str, BatteryCommand] = field(default_factory=dict)
    vehicles: Mapping[str, VehicleCommand] = field(default_factory=dict)
    loads: Mapping[str, LoadCommand] = field(default_factory=dict)
    pv: PvCommand | None = None


@dataclass(frozen=True, slots=True)
class UnitMemory:
    """Memory of one device.

    ``changed_s`` is when its command changed last, ``switched_s`` when it went on or off,
    ``phases_s`` when it changed phases; ``is_settled`` says that it has followed its command, and
    ``delay_s`` how long that took lately (NaN: not measured). ``starts`` and ``phase_changes``
    count the local day, ``last_phases`` are those that its relay stands on.
    ``gain_kwh`` is what each other number of phases (0: off) would have gained since it became the
    better choice; ``charged_kwh`` and ``bought_kwh`` are what a device took today while it
    followed surplus, and how much of that came from the grid.
    """

    mode: str = "own"
    command_kw: float = 0.0
    phases: int = 0
    last_phases: int = 0
    changed_s: float = -math.inf
    switched_s: float = -math.inf
    phases_s: float = -math.inf
    is_settled: bool = True
    delay_s: float = math.nan
    starts: int = 0
    phase_changes: int = 0
    gain_kwh: Mapping[int, float] = field(default_factory=dict)
    charged_kwh: float = 0.0
    bought_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class LoopMemory:
    """Memory from cycle to cycle; a new one knows nothing and is safe.

    ``drawn_kw`` is the last draw of what is not controlled, less PV, ``rise_kw_s`` how fast it
    rose, ``drawn_high_kw`` its highest of the last minutes, ``controlled_kw`` what devices drew;
    ``house_low_kw`` the lowest use of the house lately. ``excess_kws`` is what was fed in above the
    cap and is not yet made up for, kW times seconds.
    """

    at_s: float = math.nan
    day: date | None = None
    units: Mapping[str, UnitMemory] = field(default_factory=dict)
    drawn_kw: float = math.nan
    controlled_kw: float = 0.0
    rise_kw_s: float = 0.0
    drawn_high_kw: float = math.nan
    house_low_kw: float = math.nan
    excess_kws: float = 0.0
    pv_limit_kw: float = math.inf
