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
    "en": ("would cost {money} more", "would cost the same", "would cost {money} less on the expected course"),
    "de": ("würde {money} mehr kosten", "würde gleich viel kosten", "würde bei erwartetem Verlauf {money} weniger kosten"),
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
    more, same, less = _COST[language]
    cents = round(cost, 2)
    money = (more if cents > 0 else less if cents < 0 else same).format(money=numbers.money(abs(cost)))
    none, one, many = _CHANGES[language]
    pattern = none if not others else one if len(others) == 1 else many
    changed = pattern.format(count=numbers.number(len(others)), time=_moment(others[0], numbers) if others else "")
    return f"{what} {money}; {changed}."


def _moment(instant: datetime, numbers: Numbers) -> str:
    return f"{numbers.weekday(instant)} {numbers.clock(instant)}"
