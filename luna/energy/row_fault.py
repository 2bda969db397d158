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
    "no_value": "the row holds no value",
    "missing": "{series} is missing",
    "decimal_comma": "{series} is no number: decimals follow a point, not a comma",
    "no_number": "{series} is no number",
    "not_finite": "{series} is not finite",
    "above_site": "{series} is above {limit} kWh in {minutes} minutes, more than the site can do",
    "below": "{series} is below {limit}: {hint}",
    "above": "{series} is above {limit}: {hint}",
    "contradicts_line": "contradicts line {line}, which has the same time",
    "off_grid": "off the grid of {minutes}-minute slots",
    "no_time": "not a time such as 2024-03-01T14:00:00+01:00 or 01.03.2024 14:00",
    "no_offset": "the time has no offset, and no --timezone says where the clock stands",
    "skipped": "the clock skips this local time",
    "estimated": "estimated: filled to a meter's total, no measurement",
    "below_zero": (
        "sensors with a minus take off more than there is: check which sensor counts what"
    ),
    "stuck": "stands still although the site's other meters say that it moved: the sensor is stuck",
    "misread": "leaves the counter's level, which is back soon: misread, or of another time",
    "no_counter": "rises and falls as no counter does: check the sensor's unit",
    "no_soc": "no state of charge: a fraction between 0 and 1, or per cent with the unit %",
    "far": "far from the readings beside it",
    "night": (
        "generates while the sun is far below the horizon: no roof's sensor, or its clock is wrong"
    ),
    "means_no_value": "the device's number for no value",
    "twin_impossible": (
        "the same meter said something impossible of the other direction at that time"
    ),
    "wrong_sign": (
        "always negative: is its sign inverted? If so, name the sensor with a minus in front"
    ),
    "thousandfold": "a thousand times what the site can do: does it measure W and say kW?",
    "constant": "does not move for {limit} hours and more: the sensor is stuck",
    "above_power": "above {limit} kW, more than the site can do",
    "beyond_power": "beyond {limit} kW in the other direction, more than the site can do",
    "unset": "before the year 2000: the device's clock is not set",
    "future": "lies in the future: the device's clock is wrong",
    "contradicts": "contradicts another value of the same instant",
    "no_finite_number": "is no finite number",
    "no_unit": f"its unit is not known: give {_UNITS}",
    "wrong_unit": f"its unit {{unit!r}} is none of energy or power: give {_UNITS}",
    "wrong_unit_of": (
        f"{{sensor}} (input_sensors.{{role}}): its unit {{unit!r}} is none of energy or power: "
        f"give {_UNITS}"
    ),
    "other_unit": (
        "its unit {unit!r} cannot be converted to {newest!r}, in which the sensor speaks as well"
    ),
    "built_again": "built again, {series} was {before_kwh} kWh and would be {after_kwh} kWh",
    "built_again_swapped": (
        "built again, {series} was {before_kwh} kWh and would be {after_kwh} kWh, with what "
        "the opposite direction was"
    ),
}
# Advice on a value out of bounds.
HINTS: Mapping[str, str] = {
    "unit": "check the unit",
    "direction": "energies are counted in their own direction",
    "per_kwh": "prices are in currency per kWh, not per MWh",
    "fraction": "a fraction between 0 and 1, no percentage",
    "w_per_m2": "watts per square metre",
    "celsius": "degrees Celsius",
    "m_per_s": "metres per second",
    "g_per_kwh": "grams per kWh",
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
        message = self.say({name: _write(name, value) for name, value in self.parameters.items()})
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
