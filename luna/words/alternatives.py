"""What an alternative to a plan comes to, in a sentence."""

from collections.abc import Sequence
from datetime import datetime

from luna.words.numbers import Language, Numbers

# What is done instead, as it stands within a sentence.
ALTERNATIVES: dict[str, dict[Language, str]] = {
    "self_consumption": {"en": "Following the house", "de": "Dem Haus zu folgen"},
    "save": {"en": "Only storing surplus", "de": "Nur Überschuss zu speichern"},
    "supply": {"en": "Only supplying the house", "de": "Nur das Haus zu versorgen"},
    "hold": {"en": "Holding", "de": "Zu halten"},
    "charge": {"en": "Charging", "de": "Zu laden"},
    "export": {"en": "Selling", "de": "Zu verkaufen"},
    "on": {"en": "Running it", "de": "Es laufen zu lassen"},
    "off": {"en": "Leaving it off", "de": "Es auszulassen"},
}
_COST: dict[Language, tuple[str, str, str]] = {
    "en": ("would cost {money} more", "would cost the same", "would cost {money} less"),
    "de": ("würde {money} mehr kosten", "würde gleich viel kosten", "würde {money} weniger kosten"),
}
_CHANGES: dict[Language, tuple[str, str, str]] = {
    "en": ("nothing else changes", "one more slot changes, {time}", "{count} more slots change, the first {time}"),
    "de": ("sonst ändert sich nichts", "ein weiterer Zeitabschnitt ändert sich, {time}", "{count} weitere Zeitabschnitte ändern sich, der erste {time}"),
}
_AT: dict[Language, str] = {"en": "{what} from {time} ({device})", "de": "{what} ab {time} ({device})"}


def say_alternative(alternative: str, *, device: str, start: datetime, cost: float, others: Sequence[datetime], numbers: Numbers) -> str:
    """Return what an ``alternative`` from ``start`` costs more, and how many ``others`` of the slots change."""
    language = numbers.language
    what = _AT[language].format(what=ALTERNATIVES[alternative][language], time=_moment(start, numbers), device=device)
    money = _say_cost(cost, numbers)
    none, one, many = _CHANGES[language]
    pattern = none if not others else one if len(others) == 1 else many
    changed = pattern.format(count=numbers.number(len(others)), time=_moment(others[0], numbers) if others else "")
    return f"{what} {money}; {changed}."


_VARIANT: dict[Language, tuple[str, str]] = {
    "en": ("{name} {money}; one slot changes.", "{name} {money}; {count} slots change."),
    "de": ("{name} {money}; ein Zeitabschnitt ändert sich.", "{name} {money}; {count} Zeitabschnitte ändern sich."),
}


def say_variant(name: str, *, cost: float, slots: int, numbers: Numbers) -> str:
    """Return what a plan with something different costs more, and how many of its slots change."""
    return _VARIANT[numbers.language][slots != 1].format(name=name, money=_say_cost(cost, numbers), count=numbers.number(slots))


Bounds = tuple[float | None, float | None, float | None]
_SAVINGS: dict[Language, tuple[str, str, str, str]] = {
    "en": (
        "{name} saves {value} a year{basis}",
        "{name} costs {value} a year more{basis}",
        " (95 %: {low} to {high})",
        "{days} days with the site as it is: a bill of {bill}",
    ),
    "de": (
        "{name} spart {value} im Jahr{basis}",
        "{name} kostet im Jahr {value} mehr{basis}",
        " (95 %: {low} bis {high})",
        "{days} Tage mit dem Standort, wie er ist: eine Rechnung von {bill}",
    ),
}
# Said where the days are not a year: a season says little of the others.
_BASIS: dict[Language, str] = {"en": ", going by {days} days", "de": ", nach {days} Tagen zu urteilen"}
_YEAR_DAYS = 360
_PAYBACK: dict[Language, tuple[str, str, str, str, str]] = {
    "en": (
        "; it is paid back in {value} years",
        " ({low} to {high})",
        " ({low} at the earliest)",
        "; it never pays back",
        "; it is not paid back within {value} years",
    ),
    "de": (
        "; die Anschaffung ist nach {value} Jahren wieder da",
        " ({low} bis {high})",
        " (frühestens {low})",
        "; die Anschaffung kommt nie wieder herein",
        "; die Anschaffung ist in {value} Jahren nicht wieder da",
    ),
}
# No battery, roof or car lasts longer.
_LIFETIME_YEARS = 50.0
# Over days that say nothing of a year: less, the same, more; and what an investment would need.
_DAYS: dict[Language, tuple[str, str, str, str]] = {
    "en": (
        "{name} saves {money} in {days} days.",
        "{name} comes to the same in {days} days.",
        "{name} costs {money} more in {days} days.",
        " What a year saves, and when an investment is back, takes at least {least} days to tell.",
    ),
    "de": (
        "{name} spart {money} in {days} Tagen.",
        "{name} kommt in {days} Tagen auf dasselbe.",
        "{name} kostet {money} mehr in {days} Tagen.",
        " Was ein Jahr spart und wann eine Anschaffung wieder da ist, sagen erst mindestens {least} Tage.",
    ),
}
# How that comes about: the bill is lower, the same, higher; the charge at the end is worth less, more.
_ACCOUNT: dict[Language, tuple[str, str, str]] = {
    "en": ("The bill is {money} lower", "The bill is the same", "The bill is {money} higher"),
    "de": ("Die Rechnung ist {money} niedriger", "Die Rechnung ist dieselbe", "Die Rechnung ist {money} höher"),
}
_END: dict[Language, tuple[str, str]] = {
    "en": ("the charge left at the end is worth {money} less", "the charge left at the end is worth {money} more"),
    "de": ("die Ladung am Ende ist {money} weniger wert", "die Ladung am Ende ist {money} mehr wert"),
}
_GAIN: dict[Language, tuple[str, str]] = {
    "en": ("; at the end the batteries hold {money} less than at the beginning", "; at the end the batteries hold {money} more than at the beginning"),
    "de": ("; am Ende enthalten die Batterien {money} weniger als am Anfang", "; am Ende enthalten die Batterien {money} mehr als am Anfang"),
}


def say_baseline(bill: float, stored_gain: float, *, days: int, numbers: Numbers) -> str:
    """Return what the days cost as they were, and what the batteries gained or lost in them."""
    said = _SAVINGS[numbers.language][3].format(days=numbers.number(days), bill=numbers.money(bill))
    return f"{said}{_say_worth(_GAIN, stored_gain, numbers)}."


def say_days(name: str, saved: float, *, days: int, least: int | None, numbers: Numbers) -> str:
    """Return what a variant saves over days too few to speak of a year; ``least`` are those that it would take, where that was asked for."""
    less, same, more, few = _DAYS[numbers.language]
    pattern = _choose((less, same, more), -saved)
    said = pattern.format(name=name, money=numbers.money(abs(saved)), days=numbers.number(days))
    return said if least is None else said + few.format(least=numbers.number(least))


def say_account(bill: float, stored_gain: float, *, numbers: Numbers) -> str:
    """Return by how much a variant's bill is higher, and by how much the charge that it leaves is worth more."""
    said = _choose(_ACCOUNT[numbers.language], bill).format(money=numbers.money(abs(bill)))
    end = _say_worth(_END, stored_gain, numbers)
    return f"{said}; {end}." if end else f"{said}."


def _say_worth(words: dict[Language, tuple[str, str]], worth: float, numbers: Numbers) -> str:
    return "" if round(worth, 2) == 0 else words[numbers.language][worth > 0].format(money=numbers.money(abs(worth)))


def say_savings(name: str, savings: Bounds, *, payback: Bounds | None, days: int, numbers: Numbers) -> str:
    """Return what a variant saves a year and when an investment is back, each with its interval where there is one; None: not asked for."""
    basis = "" if days >= _YEAR_DAYS else _BASIS[numbers.language].format(days=numbers.number(days))
    saves, costs, interval, _ = _SAVINGS[numbers.language]
    value, low, high = savings
    less = value is not None and value < 0
    said = (costs if less else saves).format(name=name, value=numbers.money(None if value is None else abs(value)), basis=basis)
    if low is not None and high is not None:
        ends = (-high, -low) if less else (low, high)
        said += interval.format(low=numbers.money(ends[0]), high=numbers.money(ends[1]))
    return said + ("" if payback is None else _say_payback(payback, numbers)) + "."


def _say_payback(payback: Bounds, numbers: Numbers) -> str:
    value, low, high = payback
    after, interval, earliest, never, beyond = _PAYBACK[numbers.language]
    if value is None:
        return never
    if value > _LIFETIME_YEARS:
        return beyond.format(value=numbers.number(_LIFETIME_YEARS))
    said = after.format(value=numbers.number(value, 1))
    if low is None:
        return said
    return said + (earliest if high is None else interval).format(low=numbers.number(low, 1), high=numbers.number(high, 1))


def _say_cost(cost: float, numbers: Numbers) -> str:
    more, same, less = _COST[numbers.language]
    return _choose((less, same, more), cost).format(money=numbers.money(abs(cost)))


def _choose(patterns: tuple[str, str, str], cost: float) -> str:
    """Return the pattern for less, for the same to the cent, or for more."""
    cents = round(cost, 2)
    return patterns[1 + (cents > 0) - (cents < 0)]


def _moment(instant: datetime, numbers: Numbers) -> str:
    return f"{numbers.weekday(instant)} {numbers.clock(instant)}"
