"""Faults of rows and readings, by which they are quarantined.

They are codes with parameters and English sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from luna.energy.coded_fault import CodedFault, Figure

_UNITS = "Wh, kWh, MWh for a counter; W, kW, MW for a power"
# Code → format string; the parameter ``hint`` is a key of ``HINTS``.
ENGLISH: Mapping[str, str] = {
    "no_rows": "the file has no rows",
    "no_value": "the row has no value",
    "missing": "{series} is missing",
    "decimal_comma": "{series} is not a number: write decimals after a point, not a comma",
    "no_number": "{series} is not a number",
    "not_finite": "{series} is not finite",
    "above_site": "{series} is above {limit} kWh in {minutes} minutes, more than the site can do",
    "below": "{series} is below {limit}: {hint}",
    "above": "{series} is above {limit}: {hint}",
    "contradicts_line": "line {line} has the same time but another value",
    "off_grid": "the time does not fit steps of {minutes} minutes",
    "no_time": "not a time such as 2024-03-01T14:00:00+01:00 or 01.03.2024 14:00",
    "no_offset": "the time has no offset: give the time zone with --timezone",
    "skipped": "the local time does not exist, because the clock goes forward then",
    "estimated": "the value is estimated from a meter's total, not measured",
    "below_zero": ("the sensors with a minus subtract too much: check what each sensor counts"),
    "stuck": "the site's other meters show a change, but this sensor does not move: it is stuck",
    "misread": ("the counter jumps and soon comes back: the value is misread or from another time"),
    "no_counter": "the value rises and falls, which no counter does: check the sensor's unit",
    "no_soc": "not a state of charge: it must be 0 to 1, or per cent with the unit %",
    "far": "the value is far from the readings around it",
    "night": "production at night: this is not a roof's sensor, or its clock is wrong",
    "means_no_value": "the device sends this number when it has no value",
    "twin_impossible": (
        "the same meter sent an impossible value for the other direction at this time"
    ),
    "wrong_sign": (
        "the value is always negative: if its sign is inverted, name the sensor with a minus in "
        "front"
    ),
    "thousandfold": (
        "the value is a thousand times what the site can do: the sensor seems to send W as kW"
    ),
    "constant": "the value has not changed for {limit} hours or more: the sensor is stuck",
    "above_power": "the power is above {limit} kW, more than the site can do",
    "beyond_power": (
        "the power is above {limit} kW in the other direction, more than the site can do"
    ),
    "unset": "the time is before the year 2000: the device's clock is not set",
    "future": "the time is in the future: the device's clock is wrong",
    "contradicts": "there is another value for the same time",
    "no_finite_number": "not a finite number",
    "no_unit": f"the sensor has no known unit: give {_UNITS}",
    "wrong_unit": f"the unit {{unit!r}} does not fit: give {_UNITS}",
    "wrong_unit_of": (
        f"the unit {{unit!r}} of {{sensor}} (input_sensors.{{role}}) does not fit: give {_UNITS}"
    ),
    "other_unit": ("the sensor also sends {newest!r}, and {unit!r} cannot be converted to it"),
    "built_again": "recalculated, {series} would be {after_kwh} kWh instead of {before_kwh} kWh",
    "built_again_swapped": (
        "recalculated, {series} would be {after_kwh} kWh instead of {before_kwh} kWh, the value "
        "of the other direction"
    ),
}
# Advice on a value out of bounds.
HINTS: Mapping[str, str] = {
    "unit": "check the unit",
    "direction": "each direction counts above zero",
    "per_kwh": "prices are in currency per kWh, not per MWh",
    "fraction": "it must be 0 to 1, not per cent",
    "w_per_m2": "the unit is watts per square metre",
    "celsius": "the unit is degrees Celsius",
    "m_per_s": "the unit is metres per second",
    "g_per_kwh": "the unit is grams per kWh",
}
# Codes of values that are too high for their quantity, or for the site.
TOO_HIGH = frozenset({"above", "above_site"})


@dataclass(frozen=True, slots=True, eq=False)
class RowFault(CodedFault):
    """Fault for which a row or a reading is refused.

    ``column`` among the parameters is the column of a time that is not the row's own.
    """

    english: ClassVar[Mapping[str, str]] = ENGLISH

    @property
    def series(self) -> str | None:
        """The series of the refused value; None: the whole row is refused."""
        series = self.parameters.get("series")
        return None if series is None else str(series)

    def __str__(self) -> str:
        message = self.format_message(
            {name: _write(name, value) for name, value in self.parameters.items()}
        )
        return f"{self.parameters['column']}: {message}" if "column" in self.parameters else message


def refuse_unit(unit: str | None) -> RowFault:
    """Return the fault of a unit that is neither energy nor power."""
    return RowFault.of("wrong_unit", unit=unit) if unit else RowFault("no_unit")


def write_kwh(kwh: float) -> str:
    """Return an energy with two decimals, below 1 kWh with four significant digits."""
    return f"{kwh:.2f}" if kwh >= 1 else f"{kwh:.4g}"


def _write(name: str, value: Figure) -> str:
    if name == "hint":
        return HINTS.get(str(value), str(value))
    if name.endswith("_kwh"):
        return write_kwh(float(value))
    return f"{value:g}" if isinstance(value, float) else str(value)
