"""Completes a follow-up question and finds the time of a question, by rules.

Pure; in German and English.

A question that names no time is about today. A day without its year ("on 1 March") names none
either: it may be last year's or next year's.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter

from luna.contracts.search import Passage
from services.rag.answering.matching import content_words
from services.rag.answering.sentences import STOPWORDS, split_sentences, words_of
from services.rag.retrieval.named_days import find_named_days, months_of

_GOES_ON = re.compile(
    r"^\s*(?:and|und|also|but|aber|then|dann|so)\b[\s,]*|^\s*(?:(?:what|how) about|was ist "
    r"mit|wie (?:ist|war|sieht) es (?:mit|bei|für)|wie sieht's mit)\s+",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|that|this|these|those|he|she|there|then|er|sie|es|ihn|"
    r"ihm|ihr|das|dies|dieser|dieses|diese|diesem|diesen|davon|dafür|dazu|damit"
    r"|daran|darin|dabei|dort|dessen|deren|denen)\b",
    re.IGNORECASE,
)
# Parts of a question that a follow-up may replace: a product, a year, a day.
_PLACES = (
    re.compile(r"\b[A-ZÄÖÜ][\wäöüß]+(?:[ -]\d+\w*)(?:\s[A-Z]\b)?|\b[A-Z]{2,}[\w-]*\b"),
    re.compile(r"\b(?:19|20)\d{2}\b"),
    re.compile(
        r"\b(?:vorgestern|gestern|heute|übermorgen|morgen|yesterday|today|tomorrow"
        r"|(?:letzte|diese|nächste)[rsnm]? (?:woche|monat|jahr|nacht)|(?:last|this|next) "
        r"(?:week|month|year|night))\b",
        re.IGNORECASE,
    ),
)
# With more words, a question is complete by itself.
MOST_WORDS_POINTING = 4
MOST_WORDS_GOING_ON = 5


def goes_on(question: str) -> bool:
    """Return whether a question needs the one before to be understood."""
    words = len(content_words(question).stems)
    if _GOES_ON.match(question) and words <= MOST_WORDS_GOING_ON:
        return True
    if _POINTS_BACK.search(question) and words <= MOST_WORDS_POINTING:
        return True
    return words == 0


def stand_alone(question: str, before: str) -> str:
    """Return a follow-up of ``before`` as a complete question; a complete one is unchanged."""
    if not goes_on(question):
        return question
    rest = _GOES_ON.sub("", question).strip(" ,?.!")
    if _GOES_ON.match(question):
        # "And in 2025?" is the previous question with that year in the place of its own.
        for pattern in _PLACES:
            own = pattern.search(rest)
            earlier = [*pattern.finditer(before)]
            if own and earlier:
                last = earlier[-1]
                return f"{before[: last.start()]}{own.group()}{before[last.end() :]}"
    # Else the topic of the previous question is added: its names, or its content words.
    question_words = {word.lower() for word in words_of(question)}
    words = [word for word in words_of(before) if word.lower() not in STOPWORDS | question_words]
    named = [word for word in words if word[0].isupper() or word[0].isdigit()]
    topic = " ".join(named or words)
    return f"{question.strip()} ({topic})" if topic else question


_COUNTS = {
    "one": 1,
    "ein": 1,
    "einem": 1,
    "two": 2,
    "zwei": 2,
    "three": 3,
    "drei": 3,
    "four": 4,
    "vier": 4,
    "five": 5,
    "fünf": 5,
    "ten": 10,
    "zehn": 10,
}
_COUNT = rf"(?P<count>\d{{1,2}}|{'|'.join(sorted(_COUNTS, key=len, reverse=True))})"
_NEXT = r"(?:next|coming|(?:n(?:ä|ae)chst|kommend)e[mnrs]?)"
_LAST = r"(?:last|previous|(?:letzt|vergangen|vorig)e[mnrs]?)"
_THIS = r"(?:this|(?:dies|laufend)e[mnrs]?)"
_YEAR = r"(?:year|jahr(?:e?s)?)"
_MONTH = r"(?:month|monat(?:s)?)"
_WEEK = r"(?:week|woche)"
# "After" a day does not include it.
_AFTER = re.compile(
    r"\b(?:after|nach|na)(?: the| dem| de)?(?: end of| ende von| eind van)?\s*$", re.IGNORECASE
)
_Resolve = Callable[[re.Match[str], date], tuple[date, date]]


@dataclass(frozen=True, slots=True)
class QuestionTime:
    """The days that a question is about, both included.

    ``question``: without the words that name them.
    """

    first: date
    last: date
    question: str

    def is_within(self, first: date | None, last: date | None) -> bool:
        """Return whether a validity from one day to another (None: open) covers one of the days."""
        return (first is None or first <= self.last) and (last is None or last >= self.first)

    def is_all_within(self, first: date | None, last: date | None) -> bool:
        """Return whether such a validity covers all of the days."""
        return (first is None or first <= self.first) and (last is None or last >= self.last)


@dataclass(frozen=True, slots=True)
class PassagesByTime:
    """Passages of documents that are valid at a time, explicit validity first, and of others."""

    holding: list[Passage]
    beyond: list[Passage]


def find_question_time(question: str, today: date) -> QuestionTime | None:
    """Return the time that a question names; None where it names none."""
    spans: list[_NamedSpan] = []
    for named in find_named_days(question):
        first = named.first
        last = named.last
        if _AFTER.search(question[: named.begin]):
            last += timedelta(days=1)
            first = last
        spans.append(_NamedSpan(first, last, named.begin, named.end))
    for pattern, resolve in _RULES:
        for match in pattern.finditer(question):
            if not any(span.overlaps(match) for span in spans):
                first, last = resolve(match, today)
                spans.append(_NamedSpan(first, last, match.start(), match.end()))
    if not spans:
        return None
    rest = question
    for span in sorted(spans, key=attrgetter("begin"), reverse=True):
        rest = f"{rest[: span.begin]} {rest[span.end :]}"
    first = min(span.first for span in spans)
    last = max(span.last for span in spans)
    return QuestionTime(first, last, " ".join(rest.split()))


@dataclass(frozen=True, slots=True)
class _NamedSpan:
    """Days that a question names, and the place of their words."""

    first: date
    last: date
    begin: int
    end: int

    def overlaps(self, match: re.Match[str]) -> bool:
        return match.start() < self.end and self.begin < match.end()


def part_by_time(
    passages: Sequence[Passage], question_time: QuestionTime | None, today: date
) -> PassagesByTime:
    """Part passages by their documents' validity at the question's time; without one, today.

    An invalid document may announce the time after it: its sentences that name the question's year
    stay.
    """
    target = question_time or QuestionTime(today, today, "")
    holding: list[Passage] = []
    beyond: list[Passage] = []
    for passage in passages:
        if target.is_within(passage.valid_from, passage.valid_until):
            holding.append(passage)
        else:
            beyond.append(passage)
    if question_time is not None:
        # Documents with a stated validity come first.
        holding.sort(key=has_validity, reverse=True)
        for passage in beyond:
            excerpt = _excerpt_years(passage, question_time)
            if excerpt is not None:
                holding.append(excerpt)
    return PassagesByTime(holding, beyond)


def _excerpt_years(passage: Passage, question_time: QuestionTime) -> Passage | None:
    """Return a passage's sentences that name a year of the question, valid at any time."""
    years = range(question_time.first.year, question_time.last.year + 1)
    pattern = re.compile("|".join(rf"(?<!\d){year}(?!\d)" for year in years))
    sentences = [text for text in split_sentences(passage.text) if pattern.search(text)]
    if not sentences:
        return None
    changes = {"text": "\n".join(sentences), "valid_from": None, "valid_until": None}
    return passage.model_copy(update=changes)


def has_validity(passage: Passage) -> bool:
    """Return whether the begin or end of its document's validity is known."""
    return passage.valid_from is not None or passage.valid_until is not None


def _year(years: int) -> _Resolve:
    def resolve(_match: re.Match[str], today: date) -> tuple[date, date]:
        return months_of(today.year + years, 1, 12)

    return resolve


def _month(months: int) -> _Resolve:
    def resolve(_match: re.Match[str], today: date) -> tuple[date, date]:
        return _months_ahead(today, months)

    return resolve


def _months_ahead(today: date, months: int, count: int = 1) -> tuple[date, date]:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return months_of(year, month + 1, count)


def _quarter(quarters: int) -> _Resolve:
    def resolve(_match: re.Match[str], today: date) -> tuple[date, date]:
        months_of_quarter = (today.month - 1) % 3
        return _months_ahead(today, 3 * quarters - months_of_quarter, 3)

    return resolve


def _day(days: int) -> _Resolve:
    def resolve(_match: re.Match[str], today: date) -> tuple[date, date]:
        day = today + timedelta(days=days)
        return day, day

    return resolve


def _week(weeks: int) -> _Resolve:
    def resolve(_match: re.Match[str], today: date) -> tuple[date, date]:
        monday = today + timedelta(days=7 * weeks - today.weekday())
        return monday, monday + timedelta(days=6)

    return resolve


def _counted(sign: int) -> _Resolve:
    def resolve(match: re.Match[str], today: date) -> tuple[date, date]:
        word = match["count"].lower()
        count = _COUNTS.get(word) or int(word)
        return months_of(today.year + sign * count, 1, 12)

    return resolve


def _rule(pattern: str, resolve: _Resolve) -> tuple[re.Pattern[str], _Resolve]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), resolve


# In order: a later rule finds nothing within a span that an earlier one found.
_RULES: tuple[tuple[re.Pattern[str], _Resolve], ...] = (
    _rule(r"(?:the )?year after next|(?:ü|ue)bern(?:ä|ae)chste[mnrs]? jahr(?:e?s)?", _year(2)),
    _rule(r"(?:the )?year before last|vorletzte[mnrs]? jahr(?:e?s)?", _year(-2)),
    _rule(rf"{_NEXT} {_YEAR}", _year(1)),
    _rule(rf"{_LAST} {_YEAR}|vorjahr(?:e?s)?", _year(-1)),
    _rule(rf"{_THIS} {_YEAR}|heuer", _year(0)),
    _rule(rf"in {_COUNT} (?:years?|jahren?)(?: time)?", _counted(1)),
    _rule(rf"{_COUNT} years? ago", _counted(-1)),
    _rule(rf"vor {_COUNT} jahr(?:en)?", _counted(-1)),
    _rule(rf"{_NEXT} (?:quarter|quartals?)", _quarter(1)),
    _rule(rf"{_LAST} (?:quarter|quartals?)", _quarter(-1)),
    _rule(rf"{_NEXT} {_MONTH}", _month(1)),
    _rule(rf"{_LAST} {_MONTH}|vormonat(?:s)?", _month(-1)),
    _rule(rf"{_NEXT} {_WEEK}", _week(1)),
    _rule(rf"{_LAST} {_WEEK}|vorwoche", _week(-1)),
    _rule(r"day after tomorrow|(?:ü|ue)bermorgen", _day(2)),
    _rule(r"tomorrow|(?<!am )(?<!guten )(?-i:morgen)", _day(1)),
    _rule(r"day before yesterday|vorgestern", _day(-2)),
    _rule(r"yesterday|gestern", _day(-1)),
)
