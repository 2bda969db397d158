"""What an alternative to a plan comes to, in a sentence."""

from collections.abc import Sequence
from datetime import datetime

from luna.wording.numbers import Language, Numbers

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


def say_alternative(mode: str, *, device: str, start: datetime, cost: float, others: Sequence[datetime], numbers: Numbers) -> str:
    """Return what doing ``mode`` from ``start`` costs more, and how many ``others`` of the slots change."""
    language = numbers.language
    what = _AT[language].format(what=ALTERNATIVES[mode][language], time=_moment(start, numbers), device=device)
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
        "{days} days with the site as it is: a bill of {bill}.",
    ),
    "de": (
        "{name} spart {value} im Jahr{basis}",
        "{name} kostet im Jahr {value} mehr{basis}",
        " (95 %: {low} bis {high})",
        "{days} Tage mit dem Standort, wie er ist: eine Rechnung von {bill}.",
    ),
}
# Said where the days are not a year: a season says little of the others.
_BASIS: dict[Language, str] = {"en": ", going by {days} days", "de": ", nach {days} Tagen zu urteilen"}
_YEAR_DAYS = 360
_PAYBACK: dict[Language, tuple[str, str, str, str]] = {
    "en": ("; it is paid back in {value} years", " ({low} to {high})", " ({low} at the earliest)", "; it never pays back"),
    "de": ("; die Anschaffung ist nach {value} Jahren wieder da", " ({low} bis {high})", " (frühestens {low})", "; die Anschaffung kommt nie wieder herein"),
}


def say_baseline(bill: float, *, days: int, numbers: Numbers) -> str:
    """Return what the days cost as they were."""
    return _SAVINGS[numbers.language][3].format(days=numbers.number(days), bill=numbers.money(bill))


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
    after, interval, earliest, never = _PAYBACK[numbers.language]
    if value is None:
        return never
    said = after.format(value=numbers.number(value, 1))
    if low is None:
        return said
    return said + (earliest if high is None else interval).format(low=numbers.number(low, 1), high=numbers.number(high, 1))


def _say_cost(cost: float, numbers: Numbers) -> str:
    more, same, less = _COST[numbers.language]
    cents = round(cost, 2)
    return (more if cents > 0 else less if cents < 0 else same).format(money=numbers.money(abs(cost)))


def _moment(instant: datetime, numbers: Numbers) -> str:
    return f"{numbers.weekday(instant)} {numbers.clock(instant)}"
