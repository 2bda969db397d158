"""What a site pays and earns for a kWh, in a few words: by the kind of the rule, with its own fields as figures."""

from string import Formatter

from luna.energy.site import ImportRule
from luna.words.numbers import Language, Numbers

# How buying by a kind of rule is called, and how selling.
TARIFFS: dict[str, dict[Language, tuple[str, str]]] = {
    "fixed": {"en": ("buying at {price}", "selling at {price}"), "de": ("Kauf zu {price}", "Verkauf zu {price}")},
    "time_of_use": {"en": ("prices by time of day", "selling by time of day"), "de": ("Preise nach Tageszeit", "Verkauf nach Tageszeit")},
    "spot": {
        "en": ("hourly {market} prices + {markup}", "selling at the hourly price"),
        "de": ("stündliche Preise {market} + {markup}", "Verkauf zum Stundenpreis"),
    },
    "series": {"en": ("buying at prices of its own", "selling at prices of its own"), "de": ("Kauf zu eigenen Preisen", "Verkauf zu eigenen Preisen")},
    "blocks": {"en": ("prices by block from {price}", ""), "de": ("Preise nach Verbrauchsblöcken ab {price}", "")},
}


def say_buying(rule: ImportRule, numbers: Numbers) -> str:
    """Return how a site buys."""
    return _say(TARIFFS[rule.kind][numbers.language][0], rule, numbers)


def say_selling(rule: ImportRule, numbers: Numbers) -> str:
    """Return how a site sells."""
    return _say(TARIFFS[rule.kind][numbers.language][1], rule, numbers)


def _say(pattern: str, rule: ImportRule, numbers: Numbers) -> str:
    fields = {name: getattr(rule, name) for _, name, _, _ in Formatter().parse(pattern) if name}
    return pattern.format(**{name: _show(name, value, numbers) for name, value in fields.items()})


def _show(name: str, value: str | float, numbers: Numbers) -> str:
    if isinstance(value, str):
        return value
    return numbers.amount(value) if name.endswith("_kwh") else numbers.price(value)
