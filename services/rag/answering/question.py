"""A question by itself: what it goes on from, by rules in German and English, and the time that it
is about. Pure.

A question that names no time is about today. A day without its year ("on 1 March") names none
either: it may be last year's or next year's.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

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
# What one question may put in the place of another: a product, a year, a day.
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
# More words than these say what they mean.
MOST_WORDS_POINTING = 4
MOST_WORDS_GOING_ON = 5


def goes_on(question: str) -> bool:
    """Return whether a question needs the one before to be understood."""
    words = len(content_words(question).stems)
    begun = _GOES_ON.match(question)
    return (
        bool(
            (begun and words <= MOST_WORDS_GOING_ON)
            or (_POINTS_BACK.search(question) and words <= MOST_WORDS_POINTING)
        )
        or words == 0
    )


def stand_alone(question: str, before: str) -> str:
    """Return a question that goes on from ``before`` as one that stands by itself.

    One that does already stays as it is.
    """
    if not goes_on(question):
        return question
    rest = _GOES_ON.sub("", question).strip(" ,?.!")
    # What the rest names stands in the place of its kind in the question before.
    for place in _PLACES if _GOES_ON.match(question) else ():
        own = place.search(rest)
        theirs = [*place.finditer(before)]
        if own and theirs:
            return f"{before[: theirs[-1].start()]}{own.group()}{before[theirs[-1].end() :]}"
    # The words of the question before that say what both are about.
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
# What is after a day does not hold on it.
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
        """Return whether something that holds from one day until another, None where nobody says,
        holds on some of these days.
        """
        return (first is None or first <= self.last) and (last is None or last >= self.first)

    def is_all_within(self, first: date | None, last: date | None) -> bool:
        """Return whether it holds on all of them."""
        return (first is None or first <= self.first) and (last is None or last >= self.last)


@dataclass(frozen=True, slots=True)
class PassagesByTime:
    """Passages of documents that hold at a time, those that say so first, and of documents that do
    not.
    """

    holding: list[Passage]
    beyond: list[Passage]


def find_question_time(question: str, today: date) -> QuestionTime | None:
    """Return the time that a question names; None where it names none."""
    spans = []
    for named in find_named_days(question):
        days = (named.first, named.last)
        if _AFTER.search(question[: named.begin]):
            days = (named.last + timedelta(days=1), named.last + timedelta(days=1))
        spans.append((days, named.begin, named.end))
    for pattern, resolve in _RULES:
        for match in pattern.finditer(question):
            if all(match.end() <= begin or match.start() >= end for _, begin, end in spans):
                spans.append((resolve(match, today), match.start(), match.end()))
    if not spans:
        return None
    rest = question
    for _, begin, end in sorted(spans, key=lambda span: -span[1]):
        rest = f"{rest[:begin]} {rest[end:]}"
    return QuestionTime(
        min(days[0] for days, *_ in spans),
        max(days[1] for days, *_ in spans),
        " ".join(rest.split()),
    )


def part_by_time(
    passages: Sequence[Passage], question_time: QuestionTime | None, today: date
) -> PassagesByTime:
    """Return which passages are of documents that hold at the time asked about, today where none is
    named.

    Of a document that does not, the sentences that name the year asked about stay: it may say what
    comes after it.
    """
    target = question_time or QuestionTime(today, today, "")
    fits = [target.is_within(each.valid_from, each.valid_until) for each in passages]
    holding = [each for each, fit in zip(passages, fits, strict=True) if fit]
    if question_time is not None:
        holding.sort(key=lambda each: not has_validity(each))
        years = re.compile(
            "|".join(
                rf"(?<!\d){year}(?!\d)"
                for year in range(question_time.first.year, question_time.last.year + 1)
            )
        )
        for each, fit in zip(passages, fits, strict=True):
            sentences = (
                []
                if fit
                else [sentence for sentence in split_sentences(each.text) if years.search(sentence)]
            )
            if sentences:
                # What these sentences say is said of the year itself.
                holding.append(
                    each.model_copy(
                        update={
                            "text": "\n".join(sentences),
                            "valid_from": None,
                            "valid_until": None,
                        }
                    )
                )
    return PassagesByTime(
        holding, [each for each, fit in zip(passages, fits, strict=True) if not fit]
    )


def has_validity(passage: Passage) -> bool:
    """Return whether anybody says from when or until when its document holds."""
    return passage.valid_from is not None or passage.valid_until is not None


def _year(years: int) -> _Resolve:
    return lambda _match, today: months_of(today.year + years, 1, 12)


def _month(months: int, count: int = 1) -> _Resolve:
    def resolve(_match: re.Match[str], today: date) -> tuple[date, date]:
        year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
        return months_of(year, month + 1, count)

    return resolve


def _quarter(quarters: int) -> _Resolve:
    return lambda match, today: _month(3 * quarters - (today.month - 1) % 3, 3)(match, today)


def _day(days: int, count: int = 1) -> _Resolve:
    return lambda _match, today: (
        today + timedelta(days=days),
        today + timedelta(days=days + count - 1),
    )


def _week(weeks: int) -> _Resolve:
    return lambda match, today: _day(7 * weeks - today.weekday(), 7)(match, today)


def _counted(sign: int) -> _Resolve:
    def resolve(match: re.Match[str], today: date) -> tuple[date, date]:
        count = match["count"].lower()
        return months_of(today.year + sign * (_COUNTS.get(count) or int(count)), 1, 12)

    return resolve


# In order: what an earlier rule found, a later one does not find again within it.
_RULES: tuple[tuple[re.Pattern[str], _Resolve], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), resolve)
    for pattern, resolve in (
        (r"(?:the )?year after next|(?:ü|ue)bern(?:ä|ae)chste[mnrs]? jahr(?:e?s)?", _year(2)),
        (r"(?:the )?year before last|vorletzte[mnrs]? jahr(?:e?s)?", _year(-2)),
        (rf"{_NEXT} {_YEAR}", _year(1)),
        (rf"{_LAST} {_YEAR}|vorjahr(?:e?s)?", _year(-1)),
        (rf"{_THIS} {_YEAR}|heuer", _year(0)),
        (rf"in {_COUNT} (?:years?|jahren?)(?: time)?", _counted(1)),
        (rf"{_COUNT} years? ago", _counted(-1)),
        (rf"vor {_COUNT} jahr(?:en)?", _counted(-1)),
        (rf"{_NEXT} (?:quarter|quartals?)", _quarter(1)),
        (rf"{_LAST} (?:quarter|quartals?)", _quarter(-1)),
        (rf"{_NEXT} {_MONTH}", _month(1)),
        (rf"{_LAST} {_MONTH}|vormonat(?:s)?", _month(-1)),
        (rf"{_NEXT} {_WEEK}", _week(1)),
        (rf"{_LAST} {_WEEK}|vorwoche", _week(-1)),
        (r"day after tomorrow|(?:ü|ue)bermorgen", _day(2)),
        (r"tomorrow|(?<!am )(?<!guten )(?-i:morgen)", _day(1)),
        (r"day before yesterday|vorgestern", _day(-2)),
        (r"yesterday|gestern", _day(-1)),
    )
)
