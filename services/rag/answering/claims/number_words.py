"""Numbers written as words in German, English and Dutch."""

import re
from functools import lru_cache

_ONES = (
    "null zero nul",
    "eins one",
    "zwei two twee",
    "drei three drie",
    "vier four",
    "fünf five vijf",
    "sechs six zes",
    "sieben seven zeven",
    "acht eight",
    "neun nine negen",
    "zehn ten tien",
    "elf eleven",
    "zwölf twelve twaalf dutzend dozen dozijn",
    "dreizehn thirteen dertien",
    "vierzehn fourteen veertien",
    "fünfzehn fifteen vijftien",
    "sechzehn sixteen zestien",
    "siebzehn seventeen zeventien",
    "achtzehn eighteen achttien",
    "neunzehn nineteen negentien",
)
_TENS = (
    "zwanzig twenty twintig",
    "dreißig dreissig thirty dertig",
    "vierzig forty veertig",
    "fünfzig fifty vijftig",
    "sechzig sixty zestig",
    "siebzig seventy zeventig",
    "achtzig eighty tachtig",
    "neunzig ninety negentig",
)
_HALVES = {
    "anderthalb": 1.5,
    "anderthalbe": 1.5,
    "anderhalf": 1.5,
    "anderhalve": 1.5,
    "eineinhalb": 1.5,
}
_FRACTIONS = {
    "half": 0.5,
    "halb": 0.5,
    "halbe": 0.5,
    "halben": 0.5,
    "halbes": 0.5,
    "halber": 0.5,
    "halve": 0.5,
    "hälfte": 0.5,
    "helft": 0.5,
    "drittel": 1 / 3,
    "third": 1 / 3,
    "thirds": 1 / 3,
    "derde": 1 / 3,
    "viertel": 0.25,
    "quarter": 0.25,
    "quarters": 0.25,
    "kwart": 0.25,
    "fünftel": 0.2,
    "sechstel": 1 / 6,
    "achtel": 0.125,
    "zehntel": 0.1,
}
_ARTICLE_WORDS = "ein eine einen einem einer eines a an een één one"
ARTICLES = frozenset(_ARTICLE_WORDS.split())
_HUNDRED = re.compile(r"(.*?)(?:hundert|honderd)(?:und|en)?(.*)")
_THOUSAND = re.compile(r"(.*?)(?:tausend|duizend)(?:und|en)?(.*)")
_WITH_HALF = re.compile(r"(.+?)(?:einhalb|(?:en|ën)half)e?n?")


def _list_small_numbers() -> dict[str, int]:
    numbers = {}
    for value, words in enumerate(_ONES):
        for word in words.split():
            numbers[word] = value
    for place, words in enumerate(_TENS, start=2):
        for word in words.split():
            numbers[word] = place * 10
    # "einundzwanzig", "eenentwintig", "tweeëntwintig" and "twenty-one".
    for place, words in enumerate(_TENS, start=2):
        german, *_, english, dutch = words.split()
        for one in range(1, 10):
            digits = _ONES[one].split()
            value = place * 10 + one
            first_digit = "ein" if one == 1 else digits[0]
            for spelling in words.split()[:-2]:
                numbers[f"{first_digit}und{spelling}"] = value
            numbers[f"{first_digit}und{german}"] = value
            numbers[f"{english}-{digits[min(1, len(digits) - 1)]}"] = value
            dutch_digit = "een" if one == 1 else digits[-1]
            numbers[f"{dutch_digit}en{dutch}"] = value
            numbers[f"{dutch_digit}ën{dutch}"] = value
    return numbers


_SMALL = _list_small_numbers()


@lru_cache(maxsize=20_000)
def read_number_word(word: str) -> float | None:
    """Return the number that a word in lower case names; None for any other word."""
    if word in _SMALL:
        return float(_SMALL[word])
    if word in _HALVES:
        return _HALVES[word]
    for pattern, factor in ((_THOUSAND, 1000), (_HUNDRED, 100)):
        match = pattern.fullmatch(word)
        if match:
            return _add_multiple(match[1], match[2], factor)
    match = _WITH_HALF.fullmatch(word)
    if match and match[1] in _SMALL:
        return _SMALL[match[1]] + 0.5
    return {"hundred": 100.0, "thousand": 1000.0}.get(word)


def read_fraction_word(word: str) -> float | None:
    """Return the part of a whole that a word names, such as "half" or "third"."""
    return _FRACTIONS.get(word)


def _add_multiple(before: str, after: str, factor: int) -> float | None:
    times = 1.0 if before in ("", "ein", "een") else read_number_word(before)
    rest = 0.0 if not after else read_number_word(after)
    if times is None or rest is None:
        return None
    return times * factor + rest
