"""Fixed sentences of answers from documents, such as those on a document's validity."""

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


def write_site_question(names: Sequence[str], language: Language) -> str:
    """Return the question which of several homes is meant."""
    return _ANSWERING.say("which_site", language, names=", ".join(names))


def write_sheet_question(titles: Sequence[str], language: Language) -> str:
    """Return the question which of several tariff sheets is meant."""
    quoted = ", ".join(_quote(title, language) for title in titles)
    return _ANSWERING.say("sheet_which", language, titles=quoted)


def say_sheet_fault(code: str, title: str, language: Language) -> str:
    """Return why a tariff sheet cannot be counted with."""
    return _ANSWERING.say(code, language, title=_quote(title, language))


def say_recommended(titles: Sequence[str], language: Language) -> str:
    """Return the sentence that recommends documents."""
    return _ANSWERING.say(
        "recommended", language, titles=", ".join(_quote(title, language) for title in titles)
    )


def say_validity(first: date | None, last: date | None, language: Language) -> str:
    """Return a period of validity: "until 31 Dec 2025"; empty without both ends."""
    days = {}
    if first is not None:
        days["first"] = say_day(first, language)
    if last is not None:
        days["last"] = say_day(last, language)
    if len(days) == 2:
        return _SPANS.say("span", language, **days)
    if first is not None:
        return _SPANS.say("from", language, **days)
    return _SPANS.say("until", language, **days) if last is not None else ""


def say_asked_time(first: date, last: date, language: Language, *, today: date) -> str:
    """Return the time that a question is about: "in 2027", "on 1 Mar 2027", "today"."""
    if first == last:
        if first == today:
            return _SPANS.say("today", language)
        return _SPANS.say("day", language, first=say_day(first, language))
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        code = "year" if first.year == last.year else "years"
        return _SPANS.say(code, language, year=first.year, last_year=last.year)
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
    figures = _tell_validity(title, validity, language, today)
    figures["asked"] = say_asked_time(*asked, language, today=today)
    return _VALIDITY.say("beyond", language, **figures)


def _tell_validity(
    title: str, validity: tuple[date | None, date | None], language: Language, today: date
) -> dict[str, str]:
    return {
        "title": _quote(title, language),
        "holds": _say_holds(validity[1], language, today),
        "span": say_validity(*validity, language),
    }


def _say_holds(last: date | None, language: Language, today: date) -> str:
    """Return the verb "holds", in the past where the last day is over."""
    is_over = last is not None and last < today
    return _ANSWERING.say("held" if is_over else "holds", language)


def _quote(title: str, language: Language) -> str:
    return _ANSWERING.say("quoted", language, title=title)
