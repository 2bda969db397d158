"""Name the readings of devices, with their units and their signs."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field

SignedPoint = Annotated[
    str,
    Field(
        pattern=r"^-?[A-Za-z][A-Za-z0-9_]*$",
        max_length=41,
        description="a leading minus: counted the other way",
    ),
]
PointUnit = Literal["W", "kW", "Wh", "kWh", "%", "s", "A"]
# Empty: a state, or a number of phases.
ReadingUnit = Literal[PointUnit, ""]
# Readings are never negative: each direction has its own.
# ac_output_w and ac_input_w: the inverter's AC side, with PV and battery behind it; min_soc: the
# device's own reserve; car_…: of a charge point, offered_a: the current per phase that it allows
# now, charger_overridden: 1 while somebody else has it offer less than it accepted; load_on and
# heater_…: of a switched load.
ReadingName = Literal[
    "soc",
    "min_soc",
    "charge_w",
    "discharge_w",
    "pv_w",
    "ac_output_w",
    "ac_input_w",
    "import_w",
    "export_w",
    "phase_1_w",
    "phase_2_w",
    "phase_3_w",
    "load_w",
    "import_kwh",
    "export_kwh",
    "pv_kwh",
    "car_w",
    "car_kwh",
    "session_kwh",
    "car_plugged",
    "car_charging",
    "car_soc",
    "offered_a",
    "phases_used",
    "charger_overridden",
    "load_on",
    "heater_w",
    "heater_kwh",
]
LimitName = Literal["charge_w", "discharge_w", "capacity_kwh", "most_a"]
_UNITS_BY_END: Mapping[str, PointUnit] = {"soc": "%", "_kwh": "kWh", "_w": "W", "_a": "A"}
# What a state of a charge point means for a reading: 0 unplugged, 1 plugged, 2 charging; in 3, a
# fault, neither is known.
STATE_READINGS: Mapping[str, Mapping[float, float]] = {
    "car_plugged": {0.0: 0.0, 1.0: 1.0, 2.0: 1.0},
    "car_charging": {0.0: 0.0, 1.0: 0.0, 2.0: 1.0},
}


def _unit_of(name: str) -> ReadingUnit:
    for end, unit in _UNITS_BY_END.items():
        if name.endswith(end):
            return unit
    return ""


READING_UNITS: Mapping[str, ReadingUnit] = {
    name: _unit_of(name) for name in (*get_args(ReadingName), *get_args(LimitName))
}
# Surplus of the house from these; with the AC side, the inverter's output if its battery were idle.
SURPLUS_READINGS: tuple[ReadingName, ...] = ("charge_w", "discharge_w", "import_w", "export_w")
FLOW_READINGS: tuple[ReadingName, ...] = (*SURPLUS_READINGS, "ac_output_w", "ac_input_w")
# Of each phase of the grid connection, negative while it feeds in: a fuse needs both directions.
SIGNED_READINGS: tuple[ReadingName, ...] = ("phase_1_w", "phase_2_w", "phase_3_w")


def split_sign(entry: str) -> tuple[int, str]:
    """Return sign and point name of a reading's entry."""
    return (-1, entry[1:]) if entry.startswith("-") else (1, entry)
