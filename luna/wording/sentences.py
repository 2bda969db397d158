"""From a code and its figures to words."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from string import Formatter
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from luna.errors import InvalidInputError
from luna.timeline import parse_instant, require_utc
from luna.wording.numbers import Language, Numbers
from luna.wording.templates import LIMITS, REASONS
from luna.wording.words import FIGURES, SHORT_LENGTH, Pairs

Figure = float | datetime | str | None
T = TypeVar("T")
# Rounded to whole cents, two different prices may read the same; then all of the sentence are given with a decimal.
_PRICE_RESOLUTION = 0.05
# Figures that a sentence sets against each other get this many decimals more at most: closer ones are the same.
_MOST_DECIMALS = 2
_SAME = 0.999 * 10.0**-_MOST_DECIMALS
# A weekday alone names no day that is further off.
_WEEK = timedelta(days=6)


def sentence(code: str, figures: Mapping[str, Figure], *, language: Language, zone: ZoneInfo, currency: str, short: bool = False) -> str:
    """Return the reason ``code`` as one sentence, or as a few words for a small screen.

    Args:
        code: a key of ``REASONS``.
        figures: by the names of ``FIGURES``: kwh, prices per kWh in ``currency``, ``reserve`` as a share, ``time`` and ``start`` as
            instants or ISO 8601 texts with offset. None counts as not given; figures the wording does not need are left out.
        language: ``en`` or ``de``.
        zone: the site's, for times.
        currency: the site's, ISO 4217.
        short: at most ``SHORT_LENGTH`` characters, without a full stop.

    Raises:
        InvalidInputError: an unknown code or figure, or none of the code's wordings has all its figures.
    """
    given = {name: _check(name, figure) for name, figure in figures.items() if figure is not None}
    _known(REASONS, code, "reason.code")
    spoken = Sentences(Numbers(language, zone, currency))
    return spoken.shorten(code, given) if short else spoken.say(code, given)


class Sentences:
    """The sentences of one reader; what several of them hold is worded once.

    Figures are taken as they are given: numbers, and instants for ``time`` and ``start``.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._spoken: dict[tuple[str, float, int], str] = {}
        self._clocks: dict[datetime, tuple[date, str, str, str]] = {}

    def say(self, code: str, figures: Mapping[str, Figure]) -> str:
        """Return the fullest wording whose figures are all given.

        Raises:
            InvalidInputError: there is none.
        """
        phrases = _read_phrases(code, self.numbers.language)[0]
        given = figures.keys()
        for phrase in phrases:
            if phrase.needs <= given:
                return self._fill(phrase, figures)
        missing = min((sorted(phrase.needs - given) for phrase in phrases), key=len)
        raise InvalidInputError(f"{code} needs {', '.join(missing)}", field="reason.figures", value=", ".join(sorted(given)), remedy="Give the missing figures.")

    def shorten(self, code: str, figures: Mapping[str, Figure]) -> str:
        """Return the fullest short wording whose figures are all given and that fits."""
        text = ""
        for phrase in _read_phrases(code, self.numbers.language)[1]:
            if phrase.needs <= figures.keys() and len(text := self._fill(phrase, figures)) <= SHORT_LENGTH:
                break
        return text

    def _fill(self, phrase: "_Phrase", figures: Mapping[str, Figure]) -> str:
        decimals = {kind: self._count_decimals(phrase, kind, figures) for kind in phrase.kinds}
        return phrase.pattern % tuple(
            self._say_time(name, figures) if kind == "time" else self._say_number(kind, figures[name], decimals.get(kind, 0))  # type: ignore[arg-type]
            for name, kind in phrase.figures
        )

    def _say_number(self, kind: str, value: float, decimals: int) -> str:
        key = kind, value, decimals
        said = self._spoken.get(key)
        if said is None:
            said = self._spoken[key] = _WORDED[kind](self.numbers, value, decimals)
        return said

    def _count_decimals(self, phrase: "_Phrase", kind: str, figures: Mapping[str, Figure]) -> int:
        """Return how many decimals it takes until all that is set against each other can be told apart."""
        scale = self.numbers.price_unit[0] * self.numbers.price_base if kind == "price" else 100.0
        shown = {name: figures[name] * scale for name, each in phrase.figures if each == kind}  # type: ignore[operator]
        least = _tell_apart(list(shown.values())) if kind == "price" else _keep_tenths(list(shown.values()))
        for low, high in phrase.rises:
            if low in shown and shown[high] - shown[low] > _SAME:
                while least < _MOST_DECIMALS and round(shown[low], least) >= round(shown[high], least):
                    least += 1
        return least

    def _say_time(self, name: str, figures: Mapping[str, Figure]) -> str:
        instant, start = figures["time"], figures.get("start")
        day, clock, weekday, full = self._read_clock(instant)  # type: ignore[arg-type]
        at, on = ("um", "am") if self.numbers.language == "de" else ("at", "on")
        begun = day if start is None else self._read_clock(start)[0]  # type: ignore[arg-type]
        if begun == day:
            return f"{at} {clock}" if name == "at_time" else clock
        named = full if day - begun > _WEEK else weekday
        return f"{on} {named} {at} {clock}" if name == "at_time" else f"{named} {clock}"

    def _read_clock(self, instant: datetime) -> tuple[date, str, str, str]:
        read = self._clocks.get(instant)
        if read is None:
            numbers = self.numbers
            local = instant.astimezone(numbers.zone).date()
            read = self._clocks[instant] = local, numbers.clock(instant), numbers.weekday(instant), numbers.day(instant)
        return read


def limit(code: str, *, language: Language) -> str:
    """Return the words for a limit at work.

    Raises:
        InvalidInputError: no such limit.
    """
    return _known(LIMITS, code, "reason.binding")[language]


class _Phrase(NamedTuple):
    """A wording ready to be filled: ``figures`` in the order of the pattern, each with its kind; ``kinds`` are those that may need decimals."""

    pattern: str
    figures: tuple[tuple[str, str], ...]
    needs: frozenset[str]
    kinds: tuple[str, ...]
    rises: Pairs


@cache
def _read_phrases(code: str, language: Language) -> tuple[tuple[_Phrase, ...], tuple[_Phrase, ...]]:
    """Return the wordings of a code, in full and short."""
    words = REASONS[code]
    full, short = (tuple(_read_phrase(text, words.rises) for text in words.wordings(language, short=short)) for short in (False, True))
    return full, short


def _read_phrase(text: str, rises: Pairs) -> _Phrase:
    pattern, figures = "", []
    for literal, name, _, _ in Formatter().parse(text):
        pattern += literal.replace("%", "%%")
        if name:
            pattern += "%s"
            figures.append((name, FIGURES.get(name, "time")))
    needs = frozenset("time" if kind == "time" else name for name, kind in figures)
    kinds = tuple(kind for kind in ("price", "share") if kind in {each for _, each in figures})
    return _Phrase(pattern, tuple(figures), needs, kinds, tuple(pair for pair in rises if set(pair) <= needs))


_WORDED = {
    "price": lambda numbers, value, decimals: numbers.price(value, decimals=decimals),
    "share": lambda numbers, value, decimals: numbers.share(value, decimals=decimals),
    "energy": lambda numbers, value, _: numbers.amount(value),
    "power": lambda numbers, value, _: numbers.power(value),
    "money": lambda numbers, value, _: numbers.money(value),
    "count": lambda numbers, value, _: numbers.number(value),
    "hours": lambda numbers, value, _: numbers.hours(value),
}


def _tell_apart(shown: list[float]) -> int:
    pairs = [(one, other) for index, one in enumerate(shown) for other in shown[index + 1 :]]
    return int(any(round(one) == round(other) and abs(one - other) >= _PRICE_RESOLUTION for one, other in pairs))


def _keep_tenths(shown: list[float]) -> int:
    return int(any(abs(value - round(value)) >= _PRICE_RESOLUTION for value in shown))


def _known(table: Mapping[str, T], name: str, field: str) -> T:
    try:
        return table[name]
    except KeyError as exc:
        raise InvalidInputError("has no words", field=field, value=name, remedy=f"Known are {', '.join(table)}.") from exc


def _check(name: str, figure: float | datetime | str) -> float | datetime:
    """Return a figure as its kind says: a number, or an instant."""
    kind = _known(FIGURES, name, "reason.figures")
    return _instant(name, figure) if kind in ("time", "start") else _float(name, figure)


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
