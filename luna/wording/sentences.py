"""From a code and its figures to words."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from string import Formatter
from typing import TypeVar
from zoneinfo import ZoneInfo

from luna.errors import InvalidInputError
from luna.timeline import parse_instant, require_utc
from luna.wording.numbers import Language, Numbers
from luna.wording.templates import FIGURES, LIMITS, MODES, REASONS, ModeWords

Figure = float | datetime | str | None
T = TypeVar("T")
# Rounded to whole cents, two different prices may read the same; then all of the sentence are given with a decimal.
_PRICE_RESOLUTION = 0.05


def sentence(code: str, figures: Mapping[str, Figure], *, language: Language, zone: ZoneInfo, currency: str) -> str:
    """Return the reason ``code`` as one sentence.

    Args:
        code: a key of ``REASONS``.
        figures: by the names of ``FIGURES``: kwh, prices per kWh in ``currency``, ``reserve`` as a share, ``time`` and ``start`` as
            instants or ISO 8601 texts with offset. None counts as not given; figures the wording does not need are left out.
        language: ``en`` or ``de``.
        zone: the site's, for times.
        currency: the site's, ISO 4217.

    Raises:
        InvalidInputError: an unknown code or figure, or none of the code's wordings has all its figures.
    """
    numbers = Numbers(language, zone, currency)
    templates = _known(REASONS, code, "reason.code")[language]
    given = {name: figure for name, figure in figures.items() if figure is not None}
    for name in given:
        _known(FIGURES, name, "reason.figures")
    template = _choose(code, templates, given)
    return template.format_map(_say(given, numbers, _needs(template)))


def mode(name: str, *, language: Language) -> ModeWords:
    """Return a mode's words.

    Raises:
        InvalidInputError: no such mode.
    """
    return _known(MODES, name, "mode")[language]


def limit(code: str, *, language: Language) -> str:
    """Return the words for a limit at work.

    Raises:
        InvalidInputError: no such limit.
    """
    return _known(LIMITS, code, "reason.binding")[language]


def _known(table: Mapping[str, T], name: str, field: str) -> T:
    try:
        return table[name]
    except KeyError as exc:
        raise InvalidInputError("has no words", field=field, value=name, remedy=f"Known are {', '.join(table)}.") from exc


def _choose(code: str, templates: tuple[str, ...], given: Mapping[str, Figure]) -> str:
    for template in templates:
        if _needs(template) <= given.keys():
            return template
    lacking = [sorted(_needs(template) - given.keys()) for template in templates]
    missing = min(lacking, key=list.__len__)
    raise InvalidInputError(f"{code} needs {', '.join(missing)}", field="reason.figures", value=", ".join(sorted(given)), remedy="Give the missing figures.")


@cache
def _needs(template: str) -> frozenset[str]:
    names = {name for _, name, _, _ in Formatter().parse(template) if name}
    return frozenset("time" if name == "at_time" else name for name in names)


def _say(given: Mapping[str, Figure], numbers: Numbers, needed: frozenset[str]) -> dict[str, str]:
    prices = {name: _float(name, given[name]) for name in needed if FIGURES[name] == "price"}
    decimals = 1 if _read_the_same(list(prices.values()), numbers.price_unit[0]) else 0
    said = {name: numbers.price(value, decimals=decimals) for name, value in prices.items()}
    spoken: dict[str, Callable[[float], str]] = {
        "energy": numbers.energy,
        "share": numbers.share,
        "power": numbers.power,
        "money": numbers.money,
        "count": numbers.number,
        "hours": numbers.hours,
    }
    said |= {name: spoken[FIGURES[name]](_float(name, given[name])) for name in needed if FIGURES[name] in spoken}
    if "time" in needed:
        said |= _say_time(_instant("time", given["time"]), given.get("start"), numbers)
    return said


def _read_the_same(prices: list[float], scale: int) -> bool:
    shown = [price * scale for price in prices]
    pairs = [(one, other) for index, one in enumerate(shown) for other in shown[index + 1 :]]
    return any(round(one) == round(other) and abs(one - other) >= _PRICE_RESOLUTION for one, other in pairs)


def _say_time(instant: datetime, start: Figure, numbers: Numbers) -> dict[str, str]:
    clock = numbers.clock(instant)
    at, on = ("um", "am") if numbers.language == "de" else ("at", "on")
    if start is None or _same_day(instant, _instant("start", start), numbers.zone):
        return {"time": clock, "at_time": f"{at} {clock}"}
    weekday = numbers.weekday(instant)
    return {"time": f"{weekday} {clock}", "at_time": f"{on} {weekday} {at} {clock}"}


def _same_day(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    return one.astimezone(zone).date() == other.astimezone(zone).date()


def _float(name: str, figure: Figure) -> float:
    if isinstance(figure, int | float):
        return float(figure)
    raise InvalidInputError("is no number", field=f"reason.figures.{name}", value=figure, remedy="Give a number.")


def _instant(name: str, figure: Figure) -> datetime:
    if isinstance(figure, str):
        return parse_instant(figure, field=f"reason.figures.{name}")
    if isinstance(figure, datetime):
        return require_utc(figure, field=f"reason.figures.{name}")
    raise InvalidInputError("is no time", field=f"reason.figures.{name}", value=figure, remedy="Give an instant with its offset.")
