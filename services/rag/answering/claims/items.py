"""Reads a text as a row of words and quantities: what claims consist of."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from services.rag.answering.claims.number_words import (
    ARTICLES,
    read_fraction_word,
    read_number_word,
)
from services.rag.answering.claims.phrases import join_phrases
from services.rag.answering.claims.times import Time, find_times
from services.rag.answering.claims.units import Unit, find_interval, find_unit
from services.rag.answering.facts import read_number

Bound = Literal["", "≥", "≤", ">", "<"]
Role = Literal["", "from", "to", "before", "after"]

_TOKEN = re.compile(
    r"\x00\d+\x00"
    r"|[^\W\d_]+-?\d[\w-]*"
    r"|(?P<number>[-+\u2212]?(?:\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?!\d)|\d+)(?:[.,]\d+)?)"
    r"|§?[^\W\d_]+(?:[-'’][^\W\d_]+)*[²]?"
    r"|[€£%≥≤<>/,;:.!?|–°]",
)
_ROLES: dict[str, Role] = {
    "from": "from",
    "ab": "from",
    "seit": "from",
    "since": "from",
    "vanaf": "from",
    "sinds": "from",
    "von": "from",
    "van": "from",
    "between": "from",
    "zwischen": "from",
    "tussen": "from",
    "to": "to",
    "until": "to",
    "till": "to",
    "bis": "to",
    "auf": "to",
    "tot": "to",
    "naar": "to",
    "before": "before",
    "vor": "before",
    "voor": "before",
    "after": "after",
    "nach": "after",
    "na": "after",
}
_SKIPPED = frozenset(["zum", "den", "dem", "der", "the", "zu", "op", "om", "um", "am"])
_PER = frozenset(
    [
        "/",
        "pro",
        "per",
        "je",
        "jede",
        "jeden",
        "jedes",
        "jeder",
        "each",
        "every",
        "elke",
        "elk",
        "im",
        "in",
        "ein",
        "eine",
        "a",
        "an",
    ]
)
_EVERY = frozenset(
    ["alle", "aller", "every", "each", "elke", "elk", "om", "jeden", "jede", "jedes", "jeder"]
)
_FIGURE = re.compile(r"[-+\u2212]?\d")
_SINGLE_WORDS = frozenset({"A", "I", "U"})
_ONCE = {"einmal": 1, "zweimal": 2, "dreimal": 3, "viermal": 4, "once": 1, "twice": 2}


@dataclass(frozen=True, slots=True)
class ClaimedQuantity:
    """A figure with its unit, the period or unit it counts for, its bound and its role.

    Attributes:
        readings: possible values in the base unit of the dimension.
        dimension: of the unit; None for a bare number.
        per: "month" of "euros a month", as dimension and factor.
        every: whether it is the interval of something that is done again and again.
    """

    readings: frozenset[float]
    dimension: str | None = None
    per: Unit | None = None
    bound: Bound = ""
    role: Role = ""
    every: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word in lower case; ``is_name``: a code or a name with a number."""

    text: str
    is_name: bool = False
    is_capital: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A punctuation mark."""

    text: str


Item = Word | ClaimedQuantity | Time | Mark


def read_items(text: str) -> list[Item]:
    """Return the words, quantities, times and marks of a text in order."""
    rest, times = find_times(join_phrases(text))
    tokens = [match.group() for match in _TOKEN.finditer(rest)]
    return _Reader(tokens, times).read()


@dataclass
class _Reader:
    """Reads tokens from the first to the last."""

    tokens: list[str]
    times: list[Time]

    def read(self) -> list[Item]:
        items: list[Item] = []
        place = 0
        while place < len(self.tokens):
            item, place = self._read_one(place)
            items.append(item)
        return _share_units(_take_roles(_take_bounds(_take_intervals(items))))

    def _read_one(self, place: int) -> tuple[Item, int]:
        token = self.tokens[place]
        if token.startswith("\x00"):
            return self.times[int(token.strip("\x00"))], place + 1
        quantity = self._read_interval(place) or self._read_quantity(place)
        if quantity is not None:
            return quantity
        if not any(letter.isalnum() for letter in token):
            return Mark(token), place + 1
        has_digit = any(letter.isdigit() for letter in token)
        has_inner_capital = token[1:] != token[1:].lower() and find_unit(token.lower()) is None
        is_letter = len(token) == 1 and token.isupper() and token not in _SINGLE_WORDS
        is_name = has_digit or has_inner_capital or is_letter
        return Word(token.lower(), is_name, token[0].isupper()), place + 1

    def _read_interval(self, place: int) -> tuple[ClaimedQuantity, int] | None:
        """Read "every two months", "twice a year", "einmal im Jahr", "jährlich"."""
        token = self._lower(place)
        if token in _EVERY:
            after = place + 2 if self._lower(place + 1) in ("de", "die", "das") else place + 1
            number = self._read_number(after)
            count, unit_place = number or (frozenset({1.0}), after)
            unit = find_unit(self._lower(unit_place))
            if unit is not None and unit.dimension in ("time", "months"):
                return _interval(unit, max(count), 1), unit_place + 1
        times = _ONCE.get(token)
        after = place + 1
        number = None if times else self._read_number(place, articles=True)
        if number is not None and self._lower(number[1]) in ("mal", "times", "time", "keer"):
            times = int(max(number[0]))
            after = number[1] + 1
        if times and self._lower(after) in _PER:
            span = self._read_number(after + 1)
            count, unit_place = span or (frozenset({1.0}), after + 1)
            unit = find_unit(self._lower(unit_place))
            if unit is not None and unit.dimension in ("time", "months"):
                return _interval(unit, max(count), times), unit_place + 1
        return None

    def _read_quantity(self, place: int) -> tuple[ClaimedQuantity, int] | None:
        token = self._lower(place)
        if token in ("€", "£", "eur"):
            number = self._read_number(place + 1)
            if number is not None:
                return self._finish(number[0], find_unit(token), number[1])
            return None
        number = self._read_number(place)
        if number is None and token in ARTICLES:
            return self._read_article(place)
        if number is None:
            return self._read_half(place)
        readings, after = number
        unit_place = after + 1 if self._lower(after) == "-" else after
        fraction = read_fraction_word(self._lower(after))
        if fraction is not None:
            return ClaimedQuantity(frozenset(v * fraction for v in readings), "ratio"), after + 1
        unit = find_unit(self._lower(unit_place))
        return self._finish(readings, unit, unit_place + 1 if unit else after)

    def _read_article(self, place: int) -> tuple[ClaimedQuantity, int] | None:
        """Read "a year", "een half uur", "one and a half hours", "ein Drittel"."""
        following = self._lower(place + 1)
        fraction = read_fraction_word(following)
        if fraction is not None:
            after = place + 2
            if self._lower(after) in ARTICLES:
                after += 1
            unit = find_unit(self._lower(after))
            is_period = following == "quarter" and self._lower(after) not in ("of", "hour")
            if is_period:
                return None
            if unit is not None:
                return self._finish(frozenset({fraction}), unit, after + 1)
            return ClaimedQuantity(frozenset({fraction}), "ratio"), place + 2
        unit = find_unit(following)
        if unit is not None and unit.dimension not in ("times", "ratio"):
            return self._finish(frozenset({1.0}), unit, place + 2)
        return None

    def _read_half(self, place: int) -> tuple[ClaimedQuantity, int] | None:
        """Read "half a metre", "half an hour", "der Hälfte", "halbe Stunde"."""
        fraction = read_fraction_word(self._lower(place))
        if fraction is None or self._lower(place) in ("quarter", "third", "derde", "quarters"):
            return None
        after = place + 1
        if self._lower(after) in ARTICLES:
            after += 1
        unit = find_unit(self._lower(after))
        if unit is not None:
            return self._finish(frozenset({fraction}), unit, after + 1)
        return ClaimedQuantity(frozenset({fraction}), "ratio"), place + 1

    def _read_number(
        self, place: int, *, articles: bool = False
    ) -> tuple[frozenset[float], int] | None:
        word = self._lower(place)
        if word in ("minus", "plus"):
            number = self._read_number(place + 1)
            sign = -1 if word == "minus" else 1
            return number and (frozenset(sign * value for value in number[0]), number[1])
        if _FIGURE.match(word):
            return read_number(word), place + 1
        if articles and word in ARTICLES:
            return frozenset({1.0}), place + 1
        value = read_number_word(word)
        if value is None or (word == "ten" and self._lower(place + 1) in ("laatste", "name")):
            return self._read_half_more(place)
        following = [self._lower(place + step) for step in range(1, 4)]
        if following == ["and", "a", "half"]:
            return frozenset({value + 0.5}), place + 4
        return frozenset({value}), place + 1

    def _read_half_more(self, place: int) -> tuple[frozenset[float], int] | None:
        words = [self._lower(place + step) for step in range(4)]
        if words == ["one", "and", "a", "half"]:
            return frozenset({1.5}), place + 4
        if words[0] in ("half", "halbes", "halben", "halbe") and find_unit(words[1]):
            return frozenset({0.5}), place + 1
        return None

    def _finish(
        self, readings: frozenset[float], unit: Unit | None, after: int
    ) -> tuple[ClaimedQuantity, int]:
        """Return a quantity with its unit and what it is counted per."""
        if unit is None:
            return ClaimedQuantity(readings), after
        values = frozenset(round(value * unit.factor, 6) for value in readings)
        per = None
        word = self._lower(after)
        if word in _PER:
            further = after + 1
            if self._lower(further) in ("the", "de", "der"):
                further += 1
            per = find_unit(self._lower(further))
            after = further + 1 if per else after
        elif find_interval(word) is not None and unit.dimension not in ("time", "months"):
            per = find_interval(word)
            after += 1
        return ClaimedQuantity(values, unit.dimension, per), after

    def _lower(self, place: int) -> str:
        return self.tokens[place].lower() if place < len(self.tokens) else ""


def _interval(unit: Unit, count: float, times: int) -> ClaimedQuantity:
    value = round(unit.factor * count / times, 6)
    return ClaimedQuantity(frozenset({value}), unit.dimension, every=True)


def _take_intervals(items: list[Item]) -> list[Item]:
    """Make "monthly" the period of the amounts in its clause, else an interval of its own."""
    taken: list[Item] = []
    for item in items:
        interval = find_interval(item.text) if isinstance(item, Word) else None
        if interval is None:
            taken.append(item)
            continue
        amounts = [other for other in items if _is_amount(other)]
        if amounts:
            continue
        taken.append(_interval(interval, 1, 1))
    words = [find_interval(item.text) for item in items if isinstance(item, Word)]
    periods = [interval for interval in words if interval is not None]
    if len(periods) != 1:
        return taken
    with_period: list[Item] = []
    for item in taken:
        if isinstance(item, ClaimedQuantity) and _is_amount(item) and item.per is None:
            with_period.append(replace(item, per=periods[0]))
        else:
            with_period.append(item)
    return with_period


def _is_amount(item: Item) -> bool:
    return isinstance(item, ClaimedQuantity) and item.dimension in ("eur", "gbp", "chf", "energy")


def _take_bounds(items: list[Item]) -> list[Item]:
    """Join "at least" and the like with the number that follows, or the one before."""
    taken: list[Item] = []
    bound: Bound = ""
    for place, item in enumerate(items):
        if isinstance(item, Mark) and item.text in ("≥", "≤", ">", "<"):
            following = items[place + 1 : place + 3]
            if any(isinstance(other, ClaimedQuantity) for other in following):
                bound = item.text  # type: ignore[assignment]
            elif item.text in (">", "<"):
                taken.append(Word("more" if item.text == ">" else "less"))
                taken.append(Word("than"))
            else:
                _bind_last(taken, item.text)  # type: ignore[arg-type]
        elif isinstance(item, ClaimedQuantity) and bound:
            taken.append(replace(item, bound=bound))
            bound = ""
        else:
            taken.append(item)
    return taken


def _bind_last(items: list[Item], bound: Bound) -> None:
    for place in range(len(items) - 1, -1, -1):
        item = items[place]
        if isinstance(item, ClaimedQuantity):
            items[place] = replace(item, bound=bound)
            return


def _take_roles(items: list[Item]) -> list[Item]:
    """Join "from", "until", "before" and "after" with the number or time that follows."""
    taken: list[Item] = []
    between = False
    for item in items:
        if isinstance(item, ClaimedQuantity | Time):
            before = [other for other in taken[-2:] if isinstance(other, Word)]
            while before and before[-1].text in _SKIPPED:
                before.pop()
            word = before[-1].text if before else ""
            role = _ROLES.get(word, "")
            if between and word in ("und", "and", "en"):
                role = "to"
            if word in ("between", "zwischen", "tussen"):
                between = True
            is_span = isinstance(item, Time) or item.dimension in ("time", "months")
            if role in ("before", "after") and not is_span:
                role = ""
            taken.append(replace(item, role=role))
        else:
            taken.append(item)
    return _drop_lone_origins(taken)


def _drop_lone_origins(items: list[Item]) -> list[Item]:
    """Take "von", "van" and "from" for an origin only where a goal follows, or before a time."""
    taken: list[Item] = []
    for place, item in enumerate(items):
        if not isinstance(item, ClaimedQuantity) or item.role != "from":
            taken.append(item)
            continue
        goals = [
            other
            for other in items[place + 1 :]
            if isinstance(other, ClaimedQuantity) and other.role == "to"
        ]
        taken.append(item if goals else replace(item, role=""))
    return taken


def _share_units(items: list[Item]) -> list[Item]:
    """Give "85" of "from 85 to 97 euros" the unit of its fellow."""
    taken = list(items)
    for place, item in enumerate(items):
        if not isinstance(item, ClaimedQuantity) or item.dimension is not None:
            continue
        following = items[place + 1 : place + 3]
        links = [other.text for other in following if isinstance(other, Word)]
        fellows = [other for other in following if isinstance(other, ClaimedQuantity)]
        if fellows and links and links[0] in ("to", "bis", "auf", "tot", "naar", "und", "and"):
            fellow = fellows[0]
            if fellow.dimension in ("eur", "gbp", "temperature", "energy", "power"):
                taken[place] = replace(item, dimension=fellow.dimension, per=fellow.per)
    return taken
