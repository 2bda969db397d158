"""Sentences of reasons: choice of the wording, and enough decimals for compared figures."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache, partial
from itertools import combinations
from string import Formatter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_instant, require_utc
from luna.words.language import Language, language_forms
from luna.words.numbers import Numbers, price_scale
from luna.words.phrases import refuse_code
from luna.words.reason_wordings import (
    COMPARED,
    FIGURES,
    LIMITS,
    SHORT_LENGTH,
    Pairs,
    find_wordings,
    list_reason_codes,
)

Figure = float | datetime | str | None
# Two different prices may read the same in whole cents; then all prices of the sentence get a
# decimal.
_PRICE_RESOLUTION = 0.05
# Most extra decimals of figures that a sentence compares: closer ones count as equal.
_MOST_DECIMALS = 2
_PAIR = 2
_SAME = 0.999 * 10.0**-_MOST_DECIMALS
# A weekday alone is ambiguous for a day further away.
_WEEK = timedelta(days=6)


def sentence(
    code: str,
    figures: Mapping[str, Figure],
    *,
    language: Language,
    zone: ZoneInfo,
    currency: str,
    short: bool = False,
) -> str:
    """Return a reason as one sentence, or as a few words for a small screen.

    Args:
        code: of a reason.
        figures: by the names of ``FIGURES``: kWh, prices per kWh in ``currency``, ``reserve`` as a
            share, ``time`` and ``start`` as instants or ISO 8601 texts with offset. None counts as
            missing; surplus figures are ignored.
        language: a code.
        zone: the site's, for times.
        currency: the site's, ISO 4217.
        short: at most ``SHORT_LENGTH`` characters, without a full stop.

    Raises:
        InvalidInputError: an unknown code or figure, or none of the code's wordings has all its
            figures.
    """
    given: dict[str, Figure] = {}
    for name, figure in figures.items():
        if figure is not None:
            given[name] = _read_figure(name, figure)
    _require_known(code, list_reason_codes(), "reason.code")
    return Sentences(Numbers(language, zone, currency)).say_both(code, given)[short]


class Sentences:
    """The sentences of one reader, cached by code and figures: many slots share them.

    Figures are not validated: numbers, pairs of numbers for a range of prices, and for ``time`` and
    ``start`` instants or texts of ``datetime.isoformat``.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._scales = {"price": price_scale(numbers.currency), "share": 100}
        self._wordings: dict[tuple[object, ...], tuple[str, str]] = {}
        self._worded: dict[tuple[object, ...], str] = {}
        self._days: dict[object, date] = {}

    def say(self, code: str, figures: Mapping[str, Figure]) -> str:
        """Return the fullest wording whose figures are all there.

        Raises:
            InvalidInputError: there is none.
        """
        return self.say_both(code, figures)[0]

    def say_both(self, code: str, figures: Mapping[str, Figure]) -> tuple[str, str]:
        """Return the wording of ``say``, and the fullest short one that fits into ``SHORT_LENGTH``.

        Raises:
            InvalidInputError: there is none.
        """
        full, shorter, names = _choose_phrases(code, self.numbers.language, tuple(figures))
        begun = self._read_day(figures["start"]) if "time" in names and "start" in figures else None
        key = code, names, begun, *map(figures.__getitem__, names)
        wording = self._wordings.get(key)
        if wording is None:
            words = self._word(full, figures, begun)
            short = ""
            for phrase in shorter:
                # With the same comparisons the figures have the same decimals.
                has_same_figures = phrase.figures <= full.figures
                if phrase.compared == full.compared and has_same_figures:
                    short = phrase.pattern % words
                else:
                    short = phrase.pattern % self._word(phrase, figures, begun)
                if len(short) <= SHORT_LENGTH:
                    break
            wording = (full.pattern % words, short)
            self._wordings[key] = wording
        return wording

    def _word(
        self, phrase: "_Phrase", figures: Mapping[str, Figure], begun: date | None
    ) -> dict[str, str]:
        """Return the figures of a wording as texts.

        Prices and shares have the decimals they need; times are relative to the day ``begun``.
        """
        beside: dict[str, int | date | None] = {"price": 0, "time": begun, "at_time": begun}
        for compared in phrase.compared:
            beside[compared.kind] = self._count_decimals(compared, figures)
        worded = self._worded
        words = {}
        for place, name, kind in phrase.figures:
            figure = (figures[name], beside[kind]) if kind in beside else (figures[name],)
            text = worded.get((kind, figure))
            if text is None:
                text = worded[kind, figure] = _WORDED[kind](self.numbers, *figure)
            words[place] = text
        return words

    def _count_decimals(self, compared: "_Compared", figures: Mapping[str, Any]) -> int:
        """Return how many decimals distinguish all compared figures."""
        scale = self._scales[compared.kind]
        least = 0
        lows: list[float] = []
        highs: list[float] = []
        shown: list[float] = []
        for name in compared.names:
            value = figures[name]
            low, high = value if isinstance(value, tuple) else (value, value)
            lows.append(low * scale)
            highs.append(high * scale)
            if low == high:
                shown.append(low * scale)
        if compared.kind == "share":
            for value in shown:
                least = max(least, int(abs(value - round(value)) >= _PRICE_RESOLUTION))
        for one, other in combinations(shown, 2) if compared.kind == "price" else ():
            if _PRICE_RESOLUTION <= abs(one - other) <= 1 and round(one) == round(other):
                least = 1
        for below, above in compared.rises:
            lower = highs[below]
            higher = lows[above]
            # More than one unit apart, they differ without decimals.
            while (
                least < _MOST_DECIMALS
                and _SAME < higher - lower <= 1
                and round(lower, least) >= round(higher, least)
            ):
                least += 1
        return least

    def _read_day(self, instant: Figure) -> date:
        """Return the local day of an instant."""
        day = self._days.get(instant)
        if day is None:
            at: Any = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
            day = self._days[instant] = at.astimezone(self.numbers.zone).date()
        return day


@cache
def limit(code: str, *, language: Language) -> str:
    """Return the text of an active limit.

    Raises:
        InvalidInputError: no such limit.
    """
    _require_known(code, LIMITS, "reason.binding")
    return LIMITS.say(code, language)


class _Compared(NamedTuple):
    """Figures of a ``kind`` that may need decimals.

    ``rises`` holds the indices of each compared pair, the lower figure first.
    """

    kind: str
    names: tuple[str, ...]
    rises: tuple[tuple[int, int], ...]


class _Phrase(NamedTuple):
    """A parsed wording.

    ``figures`` holds placeholder, name and kind of each figure in the ``pattern``.
    """

    pattern: str
    figures: frozenset[tuple[str, str, str]]
    needs: frozenset[str]
    compared: tuple[_Compared, ...]


class _Chosen(NamedTuple):
    """The wordings of a reason that the given figures fill; short ones have the fullest first.

    ``names`` are the figures of any of them.
    """

    full: _Phrase
    short: tuple[_Phrase, ...]
    names: tuple[str, ...]


@cache
def _read_phrases(code: str, language: Language) -> tuple[tuple[_Phrase, ...], tuple[_Phrase, ...]]:
    """Return the wordings of a code, in full and short."""
    pairs = COMPARED.get(code, ())
    full = [_read_phrase(wording.text, pairs) for wording in find_wordings(code, language)]
    short = [
        _read_phrase(wording.text, pairs) for wording in find_wordings(code, language, short=True)
    ]
    return tuple(full), tuple(short)


@lru_cache(maxsize=2_000)
def _choose_phrases(code: str, language: Language, names: tuple[str, ...]) -> _Chosen:
    """Return the fullest wording whose figures are all given, and the short ones."""
    _require_known(code, list_reason_codes(), "reason.code")
    given = set(names)
    all_full, all_short = _read_phrases(code, language)
    full = [phrase for phrase in all_full if phrase.needs <= given]
    short = [phrase for phrase in all_short if phrase.needs <= given]
    if not full:
        missing = min((sorted(phrase.needs - given) for phrase in all_full), key=len)
        needs = f"{code} needs {', '.join(missing)}"
        raise InvalidInputError(
            needs,
            field="reason.figures",
            value=", ".join(sorted(names)),
            remedy="Give the missing figures.",
        )
    fullest = full[0]
    needed = fullest.needs.union(*(phrase.needs for phrase in short))
    return _Chosen(fullest, tuple(short), tuple(sorted(needed)))


def _read_phrase(text: str, rises: Pairs) -> _Phrase:
    pattern = ""
    figures: dict[str, tuple[str, str]] = {}
    for literal, place, _, _ in Formatter().parse(text):
        pattern += literal.replace("%", "%%")
        if place:
            pattern += f"%({place})s"
            figures[place] = ("time", "at_time") if place == "at_time" else (place, FIGURES[place])
    compared = []
    for kind in ("price", "share"):
        names = tuple(name for name, figure_kind in figures.values() if figure_kind == kind)
        # A single price needs no comparison.
        if len(names) < (_PAIR if kind == "price" else 1):
            continue
        pairs = []
        for low, high in rises:
            if low in names and high in names:
                pairs.append((names.index(low), names.index(high)))
        compared.append(_Compared(kind, names, tuple(pairs)))
    placed = frozenset((place, name, kind) for place, (name, kind) in figures.items())
    needs = frozenset(name for name, _ in figures.values())
    return _Phrase(pattern, placed, needs, tuple(compared))


def _say_price(numbers: Numbers, value: float | tuple[float, float], decimals: int) -> str:
    if isinstance(value, tuple):
        return numbers.price_range(*value, decimals=decimals)
    return numbers.price(value, decimals=decimals)


def _say_time(
    numbers: Numbers, figure: datetime | str, begun: date | None, *, within: bool = False
) -> str:
    """Return a clock time, with its day unless that is ``begun`` or ``begun`` is None.

    ``within`` a sentence: "at 12:30".
    """
    instant = datetime.fromisoformat(figure) if isinstance(figure, str) else figure
    clock = numbers.clock(instant)
    local = instant.astimezone(numbers.zone)
    forms = language_forms(numbers.language)
    day = local.date()
    if begun is None or begun == day:
        return forms.say("at-time", clock=clock) if within else clock
    named = numbers.day(local) if day - begun > _WEEK else numbers.weekday(local)
    if within:
        return forms.say("on-day-at-time", day=named, clock=clock)
    return f"{named} {clock}"


_WORDED: dict[str, Callable[..., str]] = {
    "price": _say_price,
    "share": Numbers.share,
    "energy": Numbers.amount,
    "power": Numbers.power,
    "money": Numbers.money,
    "count": Numbers.number,
    "hours": Numbers.hours,
    "time": _say_time,
    "at_time": partial(_say_time, within=True),
}


def _require_known(name: str, known: Collection[str], field: str) -> None:
    if name not in known:
        raise refuse_code(name, known, field)


def _read_figure(name: str, figure: float | datetime | str) -> float | datetime:
    """Validate a figure by its kind: a number, or an instant."""
    _require_known(name, FIGURES, "reason.figures")
    field = f"reason.figures.{name}"
    is_instant = FIGURES[name] in ("time", "start")
    match figure:
        case str() if is_instant:
            return parse_instant(figure, field=field)
        case datetime() if is_instant:
            return require_utc(figure, field=field)
        case int() | float() if not is_instant:
            return float(figure)
    if is_instant:
        remedy = "Give an instant with its offset."
        raise InvalidInputError("is no time", field=field, value=figure, remedy=remedy)
    raise InvalidInputError("is no number", field=field, value=figure, remedy="Give a number.")
