"""Faults of a day's data, on which its quality verdict rests.

They are codes with parameters and English sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import ClassVar, Self

from luna.energy.coded_fault import CodedFault, Figure

_SIGNIFICANT = 6
_LACKS = "{open:.1f} kWh unexplained of {flow:.1f} kWh that flowed"
_BEYOND = "in {known} of {slots} slots"
# The format of a figure, after its colon, applies to every language.
ENGLISH: Mapping[str, str] = {
    "coverage": "{series} is known in {known} of {slots} slots",
    "silent": "{series} lacks {sensor}, silent since {since}",
    "unheard": "{series} lacks {sensor}, which never said anything",
    "estimated": "{series} is filled to the meter's total in {known} of {slots} slots",
    "repaired": "{series} was repaired in {known} of {slots} slots",
    "balance": f"the meters leave {_LACKS}",
    "balance_unusual": f"the meters leave {_LACKS}, usually {{usual:.1f}} kWh",
    "sensor_wrong_sign": "{sensor} is always negative: is its sign inverted?",
    "sensor_thousandfold": (
        "{sensor} says a thousand times what the site can do: does it measure W and say kW?"
    ),
    "sensor_night": "{sensor} generates at night: it is no roof's sensor, or its clock is wrong",
    "sensor_means_no_value": "{sensor} said that it has no value in {readings} readings",
    "counted_alone": "{series} is counted without {sensor}, which said nothing",
    "scaled_down": "{sensor} looks a thousand times too low: times a thousand it explains the day",
    "scaled_up": "{sensor} looks a thousand times too high: a thousandth of it explains the day",
    "frozen": (
        "{sensor} stands still for {hours:.0f} h in which the other meters say {missed:.1f} kWh"
    ),
    "clock_late": "{sensor} looks {hours:.0f} h late",
    "clock_early": "{sensor} looks {hours:.0f} h early",
    "turned": "{source} and {sink} look exchanged; the other way round the meters explain the day",
    "devices_beyond_house": f"{{series}} is {{open:.1f}} kWh more than the house's meter {_BEYOND}",
    "devices_beyond_grid": (
        f"{{series}} is {{open:.1f}} kWh more than the grid's meter leaves for the house {_BEYOND}"
    ),
    "rebuild": "{series} is {before:.4g} kWh, and {after:.4g} kWh where it is built again",
    "price_gap": "{series} is unknown in {known} of {slots} slots",
    "price_zero": (
        "{series} is zero in {known} of {slots} slots in which market and tariff were not"
    ),
    "soc_jump": (
        "the state of charge moves faster than the battery can, or did, in {known} slots, by "
        "{jump:.0f}% at most"
    ),
    "soc_excursion": (
        "the state of charge leaves what the energy says by {jump:.0f}% in {known} slots, and "
        "comes back"
    ),
    "soc_stuck": "the state of charge stands still while {flow:.1f} kWh went in or out",
    "soc_reversed": (
        "the state of charge moves by {against:.1f} kWh against the {moved:.1f} kWh that are "
        "charged and discharged"
    ),
    "soc_drift": "the state of charge moved by {told:+.1f} kWh, the energy says {metered:+.1f} kWh",
    "open": "the day has not ended",
    "unreadable": "what speaks against it was stored by another release",
}


@dataclass(frozen=True, slots=True, eq=False)
class DayFault(CodedFault):
    """Fault of a recorded day."""

    english: ClassVar[Mapping[str, str]] = ENGLISH

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

    @property
    def figures(self) -> dict[str, str]:
        """The parameters as texts, formatted as in the English sentence.

        Only the decimal mark depends on the language.
        """
        placeholders = Formatter().parse(ENGLISH.get(self.code, ""))
        forms = {name: form for _, name, form, _ in placeholders if name}
        texts = {}
        for name, value in self.parameters.items():
            texts[name] = format(value, forms.get(name) or "")
        return texts

    def __str__(self) -> str:
        return (
            f"{self.code}: {self.format_message(self.parameters)}"
            if self.code in ENGLISH
            else self.code
        )
