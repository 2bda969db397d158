"""Reads the kind of answer that a question wants, and its subject.

Rules in German, English and Dutch; the first kind whose words a question has is asked for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from services.rag.answering.claims.items import ClaimedQuantity, Word
from services.rag.answering.claims.segments import ClaimSegment, read_segment, word_keys
from services.rag.answering.claims.times import Time
from services.rag.answering.claims.units import find_unit
from services.rag.answering.sentences import STOPWORDS, detect_language

KindName = Literal[
    "remedy",
    "frequency",
    "period",
    "length",
    "duration",
    "date",
    "weight",
    "loudness",
    "temperature",
    "money",
    "amount",
    "yes_no",
    "reason",
    "open",
]
Holds = Callable[[ClaimSegment], bool]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _has_words(segment: ClaimSegment) -> bool:
    return segment.size > 0


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """A kind of answer.

    Attributes:
        pattern: finds it in a question.
        holds: whether a clause has such a value.
        implied: meanings that a value of this kind says by itself.
    """

    name: KindName
    pattern: re.Pattern[str]
    holds: Holds
    implied: frozenset[str] = frozenset()

    @property
    def is_statement(self) -> bool:
        """Return whether words answer, and no figure or time has to be there."""
        return self.holds is _has_words


def _has_dimension(*dimensions: str) -> Holds:
    def holds(segment: ClaimSegment) -> bool:
        return any(_is_of(quantity, dimensions) for quantity in segment.quantities)

    return holds


def _is_of(quantity: ClaimedQuantity, dimensions: tuple[str, ...]) -> bool:
    return quantity.dimension in dimensions and not quantity.every


def _has_money(segment: ClaimSegment) -> bool:
    is_free = "=free" in segment.keys
    return is_free or _has_dimension("eur", "gbp", "chf")(segment)


def _has_interval(segment: ClaimSegment) -> bool:
    return any(item.every or item.dimension == "times" for item in segment.quantities)


def _has_period(segment: ClaimSegment) -> bool:
    return len(segment.times) > 1


def _has_duration(segment: ClaimSegment) -> bool:
    return _has_dimension("time", "months", "cycles")(segment)


def _has_length(segment: ClaimSegment) -> bool:
    return _has_duration(segment) or _has_dimension("length")(segment)


def _has_time(segment: ClaimSegment) -> bool:
    return bool(segment.times) or _has_dimension("time", "months")(segment)


def _has_quantity(segment: ClaimSegment) -> bool:
    return any(not item.every for item in segment.quantities)


def _kind(name: KindName, pattern: str, holds: Holds, implied: str = "") -> AnswerKind:
    compiled = re.compile(rf"(?:{pattern})", re.IGNORECASE)
    return AnswerKind(name, compiled, holds, frozenset(implied.split()))


_DO = r"\b(?:was (?:soll|muss|kann) ich|what (?:should|must|can|do) i|wat (?:moet|kan) ik)\b.*"
_VERB_FIRST = (
    r"^(?:is|are|does|do|did|can|could|may|must|should|will|has|have|am|"
    r"ist|sind|war|hat|habe|haben|kann|können|darf|dürfen|muss|müssen|soll|wird|werden|gibt|gilt|"
    r"bekomme|bekommt|verträgt|zahlt|endet|läuft|zijn|kan|kun|mag|moet|moeten|heeft|heb|"
    r"hebben|krijg|krijgt|wordt|worden|geldt|loopt)\b"
)
KINDS = (
    _kind("remedy", _DO + r"\b(?:tun|machen|do|check|prüfen|doen|controleren)\b", _has_words),
    _kind("frequency", r"\b(?:how often|wie oft|hoe vaak)\b", _has_interval),
    _kind(
        "period",
        r"\b(?:von wann bis wann|from when (?:to|until)|van wanneer tot|at what hours)\b",
        _has_period,
    ),
    _kind("length", r"\b(?:how long is|wie lang ist|hoe lang is)\b", _has_length),
    _kind(
        "duration",
        r"\b(?:how (?:long|soon|quickly|fast)|wie (?:lange?|schnell)|hoe (?:lang|snel)|"
        r"(?:what|was|welche[rs]?|wat|wie hoch|how high) (?:is|ist|war) (?:the|die|der|das|de|het) "
        r"(?:\w+ )?(?:notice period|minimum term|term|duration|kündigungsfrist|frist|"
        r"(?:mindest)?laufzeit|(?:opzeg)?termijn|looptijd))\b",
        _has_duration,
    ),
    _kind(
        "date",
        r"\b(?:when|wann|wanneer|what time|which (?:day|date)|what (?:day|date)|"
        r"welche[mnr]? (?:tag|datum|tageszeit)|welke (?:dag|datum)|hoe laat|wie spät)\b",
        _has_time,
    ),
    _kind("weight", r"\b(?:how heavy|wie schwer|hoe zwaar)\b", _has_dimension("mass"), "=weigh"),
    _kind("loudness", r"\b(?:how loud|wie laut|hoe luid)\b", _has_dimension("sound"), "=loud"),
    _kind(
        "temperature",
        r"\b(?:how (?:hot|cold|warm)|wie (?:hei(?:ß|ss)|kalt|warm)|hoe (?:heet|koud|warm)|"
        r"wie viel grad|how many degrees|hoeveel graden|(?:what|welche|welke) temperatu\w+)\b",
        _has_dimension("temperature"),
        "=temperature",
    ),
    _kind(
        "money",
        r"\b(?:how (?:expensive|dear)|wie teuer|hoe duur)\b|"
        r"\b(?:what|how|was|wie|wat|welche[rs]?|hoe\w*)\b.*\b(?:costs?|kostet\w*|kosten|kost|"
        r"pay|zahle\w*|bezahle\w*|betaal\w*|betalen|prices?|\w*preis\w*|\w*prijs|tarie?f|fee|"
        r"charge|\w*gebühr\w*|rate|\w*abschlag\w*|instal?lment\w*|termijnbedrag|deposit|kaution|"
        r"borg|waarborgsom|rent|miete|huur|bonus|discount|rabatt|korting|grant|zuschuss|subsidie|"
        r"verlangt|money|geld)\b",
        _has_money,
        "=cost =price =pay =expensive",
    ),
    _kind(
        "amount",
        r"\b(?:how (?:much|many|high|big|large|far|thick|deep|efficient)|hoeveel|wieviel\w*|"
        r"wie (?:viele?[rnms]?|hoch|gro(?:ß|ss)|weit|dick|tief|effizient)|"
        r"hoe (?:hoog|groot|ver|dik|diep)|(?:what|welche[rs]?|welke) "
        r"(?:share|percentage|current|capacity|power|anteil|strom|leistung|kapazität))\b",
        _has_quantity,
        "=share",
    ),
    _kind("yes_no", _VERB_FIRST, _has_words),
    _kind("reason", r"^(?:why|warum|weshalb|wieso|waarom)\b", _has_words),
)
OPEN = AnswerKind("open", re.compile(""), _has_words)
# Words that ask, and say nothing of what is asked about.
_QUESTION_WORDS = _words("""
    what when where why how much many often long high big large far soon quickly fast heavy loud
    expensive thick deep kind time am any was wann wo warum wie viel viele vieler vielen hoch groß
    oft lange schnell weit schwer laut teuer dick welchem wieviel wofür woran womit werde wirst
    welk wat wanneer waar waarom hoe hoeveel hoog groot vaak lang snel ver zwaar luid duur dik welke
    i my me mine we us our ich mich mir mein meine meinen meiner meinem wir uns unser unsere unserem
    unseren mij mijn ons onze dann then dan
    happens happen passiert gebeurt mean bedeutet betekent doen tun
""")
# Beside a code, these say nothing more.
_OF_CODES = _words("=code =fault error")
# What a passage often says in other words counts little.
_WEAK_MEANINGS = _words("""
    =get =make =come =go =hold =take =let =use-up =leave =apply =high =see =begin =end =all =only
    =always =electricity =most =more =amount
""")
_WEAK_WORDS = _words("""
    need brauche brauchen nodig want möchte wants sofort immediately direct actually eigentlich
    überhaupt altogether extra einer eines someone jemand man tell sagen possible möglich mogelijk
    show zeigt anzeigt shows
""")
WEAK_WEIGHT = 0.2
LESS_WEIGHT = 0.6
# The unit of what is counted, and prices of a kilowatt-hour.
_COUNTED = re.compile(r"\b(?:how many|how much|wie ?viele?|hoeveel)\s+(\w+)", re.IGNORECASE)
# The second of two questions in one sentence.
_AND_ASKS = re.compile(
    r",? \b(?:and|und|en)\b (?=(?:how|what|when|by|until|under|wie|was|wann|bis|unter|hoe|wat|"
    r"wanneer|tot)\b)"
)
_NUMBERED_NAME = re.compile(r"\b[A-ZÄÖÜ]\w+ \d+\b(?! ?[%€\w])|\b[A-ZÄÖÜ]\w+ \d+ (?=[a-z])")
_PER_ENERGY = re.compile(r"\b(?:kwh|kilowattstunde|kilowatt-hour|kilowattuur)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SubjectWord:
    """A word of the subject; ``weight`` is below 1 where it says little."""

    word: Word
    weight: float


@dataclass(frozen=True)
class DocumentQuery:
    """The kind of answer that a question asks for.

    Attributes:
        kind: of the value.
        words: that say what about.
        times: months, days and clock times that it names.
        quantities: figures with their units that it names.
        names: codes and names with numbers, which an answer has to have.
        dimension: of the unit that it names without a figure, as in "how many litres".
    """

    text: str
    kind: AnswerKind
    words: tuple[SubjectWord, ...]
    times: tuple[Time, ...]
    quantities: tuple[ClaimedQuantity, ...]
    names: tuple[Word, ...]
    dimension: str | None
    is_negated: bool


def count_parts(text: str) -> int:
    """Return how many things a question asks for, as in "when does it end, and how much is it"."""
    return 1 + len(_AND_ASKS.findall(text))


@lru_cache(maxsize=1_000)
def read_question(text: str, *, part: int = 0) -> DocumentQuery:
    """Return what a question asks for.

    Args:
        part: of several things, the one that is meant; its subject is that of the whole question.
    """
    asks = _AND_ASKS.split(text)[part].strip() if part else text.strip()
    kind = next((kind for kind in KINDS if kind.pattern.search(asks)), OPEN)
    segment = read_segment(text)
    counted = _COUNTED.search(text)
    dimension = _find_dimension(counted[1]) if counted else None
    if dimension is None and kind.name == "money" and _PER_ENERGY.search(text):
        dimension = "energy"
    is_german = detect_language(text) == "de"
    names = tuple(word for word in segment.words if word.is_name)
    words = []
    for word in segment.words:
        is_counted = dimension is not None and _find_dimension(word.text) == dimension
        silent = kind.implied | _OF_CODES if names else kind.implied
        is_silent = word.text in _QUESTION_WORDS or bool(word_keys(word) & silent)
        if not is_counted and not is_silent:
            words.append(SubjectWord(word, _weigh(word, is_german=is_german)))
    return DocumentQuery(
        text,
        kind,
        tuple(words),
        segment.times,
        _list_quantities(text, segment),
        names,
        dimension,
        segment.is_negated,
    )


def _list_quantities(text: str, segment: ClaimSegment) -> tuple[ClaimedQuantity, ...]:
    """Return the figures of a question; the number of a product's name is none."""
    if not _NUMBERED_NAME.search(text):
        return segment.quantities
    return tuple(quantity for quantity in segment.quantities if quantity.dimension is not None)


def _find_dimension(word: str) -> str | None:
    unit = find_unit(word.lower())
    return unit.dimension if unit else None


def _weigh(word: Word, *, is_german: bool) -> float:
    is_weak = word.text in _WEAK_WORDS | STOPWORDS or bool(word_keys(word) & _WEAK_MEANINGS)
    if is_german and not word.is_capital and not word.is_name:
        # German nouns are capitals: the other words say less.
        return WEAK_WEIGHT if is_weak else LESS_WEIGHT
    return WEAK_WEIGHT if is_weak else 1.0
