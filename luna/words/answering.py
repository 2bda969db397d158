"""Fixed sentences of answers from documents: no answer found, recommended documents, validity of a
document.
"""

from collections.abc import Sequence
from datetime import date

from luna.words.language import Language
from luna.words.numbers import say_day
from luna.words.phrases import Phrases

_ANSWERING = Phrases("answering")
# Validity of a document, and the time that a question is about.
_SPANS = Phrases("answering", "span_")
_VALIDITY = Phrases("answering", "validity_")


def say_answering(code: str, language: Language) -> str:
    """Return a sentence that needs no figures."""
    return _ANSWERING.say(code, language)


def say_recommended(titles: Sequence[str], language: Language) -> str:
    """Return the sentence that recommends documents."""
    return _ANSWERING.say(
        "recommended", language, titles=", ".join(_quote(title, language) for title in titles)
    )


def say_validity(first: date | None, last: date | None, language: Language) -> str:
    """Return a period of validity: "until 31 Dec 2025"; empty where neither end is known."""
    code = "span" if first and last else "from" if first else "until" if last else None
    if code is None:
        return ""
    days = {
        name: say_day(day, language)
        for name, day in (("first", first), ("last", last))
        if day is not None
    }
    return _SPANS.say(code, language, **days)


def say_asked_time(first: date, last: date, language: Language, *, today: date) -> str:
    """Return the time that a question is about: "in 2027", "on 1 Mar 2027", "today"."""
    if first == last:
        return (
            _SPANS.say("today", language)
            if first == today
            else _SPANS.say("day", language, first=say_day(first, language))
        )
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return _SPANS.say(
            "year" if first.year == last.year else "years",
            language,
            year=first.year,
            last_year=last.year,
        )
    return say_validity(first, last, language)


def say_holds(
    title: str, validity: tuple[date | None, date | None], language: Language, *, today: date
) -> str:
    """Return the sentence with the validity of a document, present or past."""
    return _VALIDITY.say("holds", language, **_tell_validity(title, validity, language, today))


def say_beyond(
    title: str,
    validity: tuple[date | None, date | None],
    asked: tuple[date, date],
    language: Language,
    *,
    today: date,
) -> str:
    """Return the sentence that a document is not valid at the time of the question."""
    asked_holds = _ANSWERING.say("held" if asked[1] < today else "holds", language)
    figures = _tell_validity(title, validity, language, today) | {
        "asked": say_asked_time(*asked, language, today=today),
        "asked_holds": asked_holds,
    }
    return _VALIDITY.say("beyond", language, **figures)


def _tell_validity(
    title: str, validity: tuple[date | None, date | None], language: Language, today: date
) -> dict[str, str]:
    holds = _ANSWERING.say(
        "held" if validity[1] is not None and validity[1] < today else "holds", language
    )
    return {
        "title": _quote(title, language),
        "holds": holds,
        "span": say_validity(*validity, language),
    }


def _quote(title: str, language: Language) -> str:
    return _ANSWERING.say("quoted", language, title=title)
