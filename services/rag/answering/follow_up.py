"""A question that goes on from the one before, made to stand by itself: by rules, in German and English."""

import re

from services.rag.answering.matching import content_words
from services.rag.answering.sentences import STOPWORDS, words_of

_GOES_ON = re.compile(
    r"^\s*(?:and|und|also|but|aber|then|dann|so)\b[\s,]*|^\s*(?:(?:what|how) about|was ist mit|wie (?:ist|war|sieht) es (?:mit|bei|für)|wie sieht's mit)\s+",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|that|this|these|those|he|she|there|then|er|sie|es|ihn|ihm|ihr|das|dies|dieser|dieses|diese|diesem|diesen|davon|dafür|dazu|damit"
    r"|daran|darin|dabei|dort|dessen|deren|denen)\b",
    re.IGNORECASE,
)
# What one question may put in the place of another: a product, a year, a day.
_PLACES = (
    re.compile(r"\b[A-ZÄÖÜ][\wäöüß]+(?:[ -]\d+\w*)(?:\s[A-Z]\b)?|\b[A-Z]{2,}[\w-]*\b"),
    re.compile(r"\b(?:19|20)\d{2}\b"),
    re.compile(
        r"\b(?:vorgestern|gestern|heute|übermorgen|morgen|yesterday|today|tomorrow"
        r"|(?:letzte|diese|nächste)[rsnm]? (?:woche|monat|jahr|nacht)|(?:last|this|next) (?:week|month|year|night))\b",
        re.IGNORECASE,
    ),
)
# More words than these say what they mean.
MOST_WORDS_POINTING, MOST_WORDS_GOING_ON = 4, 5


def goes_on(question: str) -> bool:
    """Return whether a question needs the one before to be understood."""
    words = len(content_words(question).stems)
    begun = _GOES_ON.match(question)
    return bool((begun and words <= MOST_WORDS_GOING_ON) or (_POINTS_BACK.search(question) and words <= MOST_WORDS_POINTING)) or words == 0


def stand_alone(question: str, before: str) -> str:
    """Return a question that goes on from ``before`` as one that stands by itself; one that does already stays as it is."""
    if not goes_on(question):
        return question
    rest = _GOES_ON.sub("", question).strip(" ,?.!")
    if _GOES_ON.match(question) and (replaced := _replace(before, rest)) is not None:
        return replaced
    # The words of the question before that say what both are about.
    question_words = {word.lower() for word in words_of(question)}
    words = [word for word in words_of(before) if word.lower() not in STOPWORDS | question_words]
    named = [word for place, word in enumerate(words) if word[0].isupper() or word[0].isdigit()]
    topic = " ".join(named or words)
    return f"{question.strip()} ({topic})" if topic else question


def _replace(before: str, rest: str) -> str | None:
    """Return the question before with what ``rest`` names in the place of its own; None where they name nothing of a kind."""
    for place in _PLACES:
        own, theirs = place.search(rest), [*place.finditer(before)]
        if own and theirs:
            last = theirs[-1]
            return f"{before[: last.start()]}{own.group()}{before[last.end() :]}"
    return None
