"""Faults of rows and readings, by which they are quarantined.

They are codes with parameters; ``luna.words.quarantine`` has their sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from luna.energy.coded_fault import CodedFault

# Code → parameters of its sentence, in the catalogue ``quarantine``.
CODES: Mapping[str, tuple[str, ...]] = {
    "no_rows": (),
    "no_value": (),
    "missing": ("series",),
    "decimal_comma": ("series",),
    "no_number": ("series",),
    "not_finite": ("series",),
    "above_site": ("series", "limit", "minutes"),
    "below": ("series", "limit", "hint"),
    "above": ("series", "limit", "hint"),
    "contradicts_line": ("line",),
    "off_grid": ("minutes",),
    "no_time": (),
    "no_offset": (),
    "skipped": (),
    "estimated": (),
    "below_zero": (),
    "stuck": (),
    "misread": (),
    "no_counter": (),
    "no_soc": (),
    "far": (),
    "night": (),
    "means_no_value": (),
    "twin_impossible": (),
    "wrong_sign": (),
    "thousandfold": (),
    "constant": ("limit",),
    "above_power": ("limit",),
    "beyond_power": ("limit",),
    "unset": (),
    "future": (),
    "contradicts": (),
    "no_finite_number": (),
    "no_unit": (),
    "wrong_unit": ("unit",),
    "wrong_unit_of": ("unit", "sensor", "role"),
    "other_unit": ("newest", "unit"),
    "built_again": ("series", "after_kwh", "before_kwh"),
    "built_again_swapped": ("series", "after_kwh", "before_kwh"),
}
# Advice on a value out of bounds: values of the parameter ``hint``.
HINTS = frozenset(
    (
        "unit",
        "direction",
        "per_kwh",
        "fraction",
        "w_per_m2",
        "celsius",
        "m_per_s",
        "g_per_kwh",
    )
)
# Codes of values that are too high for their quantity, or for the site.
TOO_HIGH = frozenset({"above", "above_site"})


@dataclass(frozen=True, slots=True, eq=False)
class RowFault(CodedFault):
    """Fault for which a row or a reading is refused.

    ``column`` among the parameters is the column of a time that is not the row's own.
    """

    @property
    def series(self) -> str | None:
        """The series of the refused value; None: the whole row is refused."""
        series = self.parameters.get("series")
        return None if series is None else str(series)


def refuse_unit(unit: str | None) -> RowFault:
    """Return the fault of a unit that is neither energy nor power."""
    return RowFault.of("wrong_unit", unit=unit) if unit else RowFault("no_unit")
