"""What an answer says of itself: that the documents do not hold it, what it recommends instead."""

from collections.abc import Sequence
from datetime import date

from luna.words.numbers import Language, say_day

ANSWERING: dict[str, dict[Language, str]] = {
    "not_in_documents": {
        "en": "Your documents do not say that.",
        "de": "Das steht nicht in den Unterlagen.",
    },
    "nearest": {
        "en": "The passages that come closest stand below.",
        "de": "Die Stellen, die am nächsten kommen, stehen darunter.",
    },
    "no_documents": {
        "en": "There are no documents that could say it.",
        "de": "Es gibt keine Unterlagen, in denen es stehen könnte.",
    },
    "recommended": {
        "en": "Documents on this: {titles}.",
        "de": "Unterlagen dazu: {titles}.",
    },
    "nothing_to_recommend": {
        "en": "There is no document on this.",
        "de": "Dazu gibt es keine Unterlagen.",
    },
}
# When a document holds, and when it is asked about; each begins where a sentence goes on.
SPANS: dict[str, dict[Language, str]] = {
    "from": {"en": "from {first}", "de": "ab {first}"},
    "until": {"en": "until {last}", "de": "bis {last}"},
    "span": {"en": "from {first} to {last}", "de": "vom {first} bis {last}"},
    "day": {"en": "on {first}", "de": "am {first}"},
    "year": {"en": "in {year}", "de": "{year}"},
    "years": {"en": "from {year} to {last_year}", "de": "von {year} bis {last_year}"},
    "today": {"en": "today", "de": "heute"},
}
VALIDITY: dict[str, dict[Language, str]] = {
    "holds": {"en": "{title} {holds} {span}.", "de": "{title} {holds} {span}."},
    "beyond": {
        "en": "{title} {holds} {span}; what {asked_holds} {asked} it does not say.",
        "de": "{title} {holds} {span}; was {asked} {asked_holds}, steht nicht darin.",
    },
}
_HOLDS: dict[Language, tuple[str, str]] = {"en": ("held", "holds"), "de": ("galt", "gilt")}
_QUOTES: dict[Language, str] = {"en": "“{}”", "de": "„{}“"}


def say_answering(code: str, language: Language) -> str:
    """Return a sentence that needs no figures."""
    return ANSWERING[code][language]


def say_recommended(titles: Sequence[str], language: Language) -> str:
    """Return the sentence that names documents."""
    return ANSWERING["recommended"][language].format(titles=", ".join(_QUOTES[language].format(title) for title in titles))


def say_validity(first: date | None, last: date | None, language: Language) -> str:
    """Return from when until when something holds: "until 31 Dec 2025"; nothing where neither is known."""
    code = "span" if first and last else "from" if first else "until" if last else None
    if code is None:
        return ""
    days = {name: say_day(day, language) for name, day in (("first", first), ("last", last)) if day is not None}
    return SPANS[code][language].format(**days)


def say_asked_time(first: date, last: date, language: Language, *, today: date) -> str:
    """Return the time that a question is about: "in 2027", "on 1 Mar 2027", "today"."""
    if first == last:
        return SPANS["today"][language] if first == today else SPANS["day"][language].format(first=say_day(first, language))
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return SPANS["year" if first.year == last.year else "years"][language].format(year=first.year, last_year=last.year)
    return say_validity(first, last, language)


def say_holds(title: str, validity: tuple[date | None, date | None], language: Language, *, today: date) -> str:
    """Return the sentence that says when a document holds, or held."""
    return VALIDITY["holds"][language].format(**_tell_validity(title, validity, language, today))


def say_beyond(title: str, validity: tuple[date | None, date | None], asked: tuple[date, date], language: Language, *, today: date) -> str:
    """Return the sentence that a document does not hold at the time asked about."""
    asked_holds = _HOLDS[language][0 if asked[1] < today else 1]
    told = _tell_validity(title, validity, language, today) | {"asked": say_asked_time(*asked, language, today=today), "asked_holds": asked_holds}
    return VALIDITY["beyond"][language].format(**told)


def _tell_validity(title: str, validity: tuple[date | None, date | None], language: Language, today: date) -> dict[str, str]:
    past, present = _HOLDS[language]
    holds = past if validity[1] is not None and validity[1] < today else present
    return {"title": _QUOTES[language].format(title), "holds": holds, "span": say_validity(*validity, language)}
