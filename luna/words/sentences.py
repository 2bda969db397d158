"""From a code and its figures to words."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from string import Formatter
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_instant, require_utc
from luna.words.battery_reasons import BOUND, LIMITS
from luna.words.numbers import Language, Numbers
from luna.words.placed import PLACED
from luna.words.trade_reasons import TRADE
from luna.words.words import FIGURES, SHORT_LENGTH, Pairs, Words

WORDS: dict[str, Words] = BOUND | TRADE | PLACED
# By code and language: the full wordings, in order of preference.
REASONS: dict[str, dict[Language, tuple[str, ...]]] = {code: {"en": words.en, "de": words.de} for code, words in WORDS.items()}

Figure = float | datetime | str | None
T = TypeVar("T")
# Rounded to whole cents, two different prices may read the same; then all of the sentence are given with a decimal.
_PRICE_RESOLUTION = 0.05
# Figures that a sentence sets against each other get this many decimals more at most: closer ones are the same.
_MOST_DECIMALS = 2
_PAIR = 2
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
    return Sentences(Numbers(language, zone, currency)).say_both(code, given)[short]


class Sentences:
    """The sentences of one reader; what several slots have in common is worded once.

    Figures are taken as they are given: numbers, pairs of numbers for prices between which something lies, and instants for ``time`` and ``start``.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._scales = {"price": numbers.price_unit[0] * numbers.price_base, "share": 100}
        self._said: dict[tuple[object, ...], tuple[str, str]] = {}
        self._worded: dict[tuple[object, ...], str] = {}
        self._days: dict[object, date] = {}

    def say(self, code: str, figures: Mapping[str, Figure]) -> str:
        """Return the fullest wording whose figures are all given.

        Raises:
            InvalidInputError: there is none.
        """
        return self.say_both(code, figures)[0]

    def say_both(self, code: str, figures: Mapping[str, Figure]) -> tuple[str, str]:
        """Return the same and the fullest short wording that fits as well.

        Raises:
            InvalidInputError: there is none.
        """
        chosen = _choose_phrases(code, self.numbers.language, tuple(figures))
        begun = self._day(figures.get("start")) if "time" in chosen.names else None
        key = code, chosen.names, begun, *[figures[name] for name in chosen.names]
        said = self._said.get(key)
        if said is None:
            fill = self._filling(figures, begun)
            said = self._said[key] = fill(chosen.full), _shorten(chosen.short, fill)
        return said

    def _filling(self, figures: Mapping[str, Figure], begun: date | None) -> "Callable[[_Phrase], str]":
        """Return what fills wordings with figures; wordings that set the same figures against each other need as many decimals."""
        counted: dict[tuple[object, ...], int] = {}

        def fill(phrase: _Phrase) -> str:
            beside: dict[str, int] = {}
            for kind, names in phrase.exact:
                decimals = counted.get((names, phrase.rises))
                if decimals is None:
                    decimals = counted[names, phrase.rises] = self._count_decimals(kind, names, phrase.rises, figures)
                beside[kind] = decimals
            return phrase.pattern % tuple([self._say_figure(kind, figures[name], beside.get(kind, begun)) for name, kind in phrase.figures])

        return fill

    def _say_figure(self, kind: str, figure: Figure, beside: int | date | None) -> str:
        """Return a figure in words; ``beside`` is how many decimals it has, or for a time the day on which it is read."""
        key = kind, figure, beside
        worded = self._worded.get(key)
        if worded is None:
            worded = self._worded[key] = _WORDED[kind](self.numbers, figure, beside)
        return worded

    def _count_decimals(self, kind: str, names: tuple[str, ...], rises: Pairs, figures: Mapping[str, Any]) -> int:
        """Return how many decimals it takes until all that is set against each other can be told apart."""
        scale = self._scales[kind]
        ranges = {name: figure if isinstance(figure, tuple) else (figure, figure) for name, figure in [(name, figures[name]) for name in names]}
        shown = [low * scale for low, high in ranges.values() if low == high]
        least = _tell_apart(shown) if kind == "price" else _keep_tenths(shown)
        for low, high in rises:
            if low in ranges:
                lower, higher = ranges[low][1] * scale, ranges[high][0] * scale
                while least < _MOST_DECIMALS and higher - lower > _SAME and round(lower, least) >= round(higher, least):
                    least += 1
        return least

    def _day(self, instant: Figure) -> date | None:
        """Return the local day of an instant."""
        day = self._days.get(instant)
        if day is None and isinstance(instant, datetime):
            day = self._days[instant] = instant.astimezone(self.numbers.zone).date()
        return day


def _shorten(phrases: "tuple[_Phrase, ...]", fill: "Callable[[_Phrase], str]") -> str:
    """Return the first of short wordings that fits, else the last."""
    *longer, last = phrases
    fitting = (text for phrase in longer if len(text := fill(phrase)) <= SHORT_LENGTH)
    return next(fitting, None) or fill(last)


def limit(code: str, *, language: Language) -> str:
    """Return the words for a limit at work.

    Raises:
        InvalidInputError: no such limit.
    """
    return _known(LIMITS, code, "reason.binding")[language]


class _Phrase(NamedTuple):
    """A wording ready to be filled: its ``figures`` in the order of the pattern, each with its kind; ``exact`` are those of kinds that may need decimals."""

    pattern: str
    figures: tuple[tuple[str, str], ...]
    needs: frozenset[str]
    exact: tuple[tuple[str, tuple[str, ...]], ...]
    rises: Pairs


class _Chosen(NamedTuple):
    """The wordings of a reason that some figures fill: in full and, fullest first, short; ``names`` are the figures of any of them."""

    full: _Phrase
    short: tuple[_Phrase, ...]
    names: tuple[str, ...]


@cache
def _read_phrases(code: str, language: Language) -> tuple[tuple[_Phrase, ...], tuple[_Phrase, ...]]:
    """Return the wordings of a code, in full and short."""
    words = WORDS[code]
    full, short = (tuple(_read_phrase(text, words.rises) for text in words.wordings(language, short=short)) for short in (False, True))
    return full, short


@lru_cache(maxsize=2_000)
def _choose_phrases(code: str, language: Language, given: tuple[str, ...]) -> _Chosen:
    """Return the fullest wording whose figures are all given, and the short ones."""
    _known(WORDS, code, "reason.code")
    full, short = (tuple(phrase for phrase in phrases if phrase.needs <= set(given)) for phrases in _read_phrases(code, language))
    if not full:
        raise _lacking(code, given, language)
    return _Chosen(full[0], short, tuple(sorted(frozenset.union(*(phrase.needs for phrase in (full[0], *short))))))


def _read_phrase(text: str, rises: Pairs) -> _Phrase:
    pattern, figures = "", []
    for literal, name, _, _ in Formatter().parse(text):
        pattern += literal.replace("%", "%%")
        if name:
            pattern += "%s"
            figures.append(("time", "at_time") if name == "at_time" else (name, FIGURES[name]))
    needs = frozenset(name for name, _ in figures)
    by_kind = ((kind, tuple(dict.fromkeys(name for name, each in figures if each == kind))) for kind in ("price", "share"))
    exact = tuple((kind, names) for kind, names in by_kind if names)
    return _Phrase(pattern, tuple(figures), needs, exact, tuple(pair for pair in rises if set(pair) <= needs))


def _lacking(code: str, given: Collection[str], language: Language) -> InvalidInputError:
    missing = min((sorted(phrase.needs - set(given)) for phrase in _read_phrases(code, language)[0]), key=len)
    return InvalidInputError(f"{code} needs {', '.join(missing)}", field="reason.figures", value=", ".join(sorted(given)), remedy="Give the missing figures.")


def _say_price(numbers: Numbers, value: float | tuple[float, float], decimals: int) -> str:
    return numbers.price_range(*value, decimals=decimals) if isinstance(value, tuple) else numbers.price(value, decimals=decimals)


def _say_time(numbers: Numbers, instant: datetime, begun: date | None, *, within: bool = False) -> str:
    """Return a clock time, with its day where that is not the one on which it is read; ``within`` a sentence: "at 12:30"."""
    clock, day = numbers.clock(instant), instant.astimezone(numbers.zone).date()
    at, on = ("um", "am") if numbers.language == "de" else ("at", "on")
    if begun is None or begun == day:
        return f"{at} {clock}" if within else clock
    named = numbers.day(instant) if day - begun > _WEEK else numbers.weekday(instant)
    return f"{on} {named} {at} {clock}" if within else f"{named} {clock}"


_WORDED: dict[str, Callable[..., str]] = {
    "price": _say_price,
    "share": lambda numbers, value, decimals: numbers.share(value, decimals=decimals),
    "energy": lambda numbers, value, _: numbers.amount(value),
    "power": lambda numbers, value, _: numbers.power(value),
    "money": lambda numbers, value, _: numbers.money(value),
    "count": lambda numbers, value, _: numbers.number(value),
    "hours": lambda numbers, value, _: numbers.hours(value),
    "time": _say_time,
    "at_time": lambda numbers, instant, begun: _say_time(numbers, instant, begun, within=True),
}


def _tell_apart(shown: list[float]) -> int:
    if len(shown) < _PAIR or len({round(value) for value in shown}) == len(shown):
        return 0
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
