"""Faults of a day's data, on which its quality verdict rests.

They are codes with parameters; ``luna.words.quality`` has their sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from luna.energy.coded_fault import CodedFault, Figure

_SIGNIFICANT = 6
# Code → parameters of its sentence, in the catalogue ``quality``.
CODES: Mapping[str, tuple[str, ...]] = {
    "coverage": ("series", "known", "slots"),
    "silent": ("series", "sensor", "since"),
    "unheard": ("series", "sensor"),
    "estimated": ("series", "known", "slots"),
    "repaired": ("series", "known", "slots"),
    "balance": ("open", "flow"),
    "balance_unusual": ("open", "flow", "usual"),
    "sensor_wrong_sign": ("sensor",),
    "sensor_thousandfold": ("sensor",),
    "sensor_night": ("sensor",),
    "sensor_means_no_value": ("sensor", "readings"),
    "counted_alone": ("series", "sensor"),
    "scaled_down": ("sensor",),
    "scaled_up": ("sensor",),
    "frozen": ("sensor", "hours", "missed"),
    "clock_late": ("sensor", "hours"),
    "clock_early": ("sensor", "hours"),
    "turned": ("source", "sink"),
    "devices_beyond_house": ("series", "open", "known", "slots"),
    "devices_beyond_grid": ("series", "open", "known", "slots"),
    "rebuild": ("series", "before", "after"),
    "price_gap": ("series", "known", "slots"),
    "price_zero": ("series", "known", "slots"),
    "soc_jump": ("known", "jump"),
    "soc_excursion": ("jump", "known"),
    "soc_stuck": ("flow",),
    "soc_reversed": ("against", "moved"),
    "soc_drift": ("told", "metered"),
    "open": (),
    "unreadable": (),
}


@dataclass(frozen=True, slots=True, eq=False)
class DayFault(CodedFault):
    """Fault of a recorded day."""

    @classmethod
    def of(cls, code: str, /, **parameters: Figure) -> Self:
        """Return the fault of a code, with floats rounded to six significant digits."""
        rounded: dict[str, Figure] = {}
        for name, value in parameters.items():
            if isinstance(value, float):
                rounded[name] = float(f"{value:.{_SIGNIFICANT}g}")
            else:
                rounded[name] = value
        return cls(code, rounded)
