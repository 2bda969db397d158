"""Finds the validity that a document states of itself.

Conservative: statements further down, or about a warranty or a voucher, are not about the document.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from luna.contracts.documents import DocumentValidity
from services.rag.extraction.model import Extraction
from services.rag.retrieval.named_days import find_named_days

# A document states its validity at its beginning, or on its last lines.
HEAD_CHARACTERS = 3_000
FOOT_LINES = 3
MOST_WORDS_BEFORE = 4
_HOLDS = (
    r"(?:g(?:ü|ue)ltig(?:keit)?|gilt|gelten|geltung(?:szeitraum|sdauer)?|g(?:ü|"
    r"ue)ltigkeits(?:zeitraum|dauer)|in kraft|wirksam"
    r"|valid(?:ity)?(?: period)?|in force|effective(?: date)?|applicable|appl(?:y|ies))"
)
_BETWEEN_WORDS = r"[\s:_-]*(?:(?:period|zeitraum|dauer|jeweils|only|nur|is|ist)[\s:]*)?"
_ARTICLE = (
    r"(?:\s*(?:dem|den|zum|the|einschlie(?:ß|ss)lich|and "
    r"including|including|incl\.|inkl\.))*[\s:\"'*]*$"
)
_FROM = re.compile(
    rf"\b{_HOLDS}{_BETWEEN_WORDS}(?:ab|von|vom|seit|from|since|as of|date|as from)?\s*{_ARTICLE}",
    re.IGNORECASE,
)
_SINCE = re.compile(
    rf"\b{_HOLDS}{_BETWEEN_WORDS}(?:ab|von|vom|seit|from|since|as of|as from|date)\s*{_ARTICLE}",
    re.IGNORECASE,
)
_UNTIL = re.compile(
    (
        rf"\b{_HOLDS}{_BETWEEN_WORDS}(?:l(?:ä|ae)ngstens\s+)?(?:bis|until|till|through|to|up "
        rf"to)\s*{_ARTICLE}|\b(?:expires on|valid_to:)\s*$"
    ),
    re.IGNORECASE,
)
_FOR = re.compile(
    rf"\b{_HOLDS}{_BETWEEN_WORDS}(?:nur |only "
    r")?(?:für|fuer|for|in|im)(?:\s+(?:das|the))?(?:\s+(?:kalenderjahr|jahr|jahre|"
    r"calendar year|year|years))?\s*$"
    r"|\b(?:g(?:ü|ue)ltig(?:keit(?:szeitraum|sdauer)?)?|geltungs(?:zeitraum|jahr)|validity|"
    r"valid)\s*:\s*$"
    r"|\b(?:preisblatt|tarifblatt|preisliste|netzentgelte?|netznutzungsentgelte?|"
    r"strompreise|price (?:sheet|list)|tariff (?:sheet|list)"
    r"|(?:grid|network) "
    r"(?:fees?|charges?|tariffs?))(?:\s+(?:strom|für|fuer|for|das|the|jahr|year))*\s*$",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"\b(?:(?:preis|tarif)stand|stand)\s*:?(?:\s*(?:vom|am|zum))?\s*$|\b(?:status|last "
    r"updated)\s*:\s*$",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"\s*(?:bis(?:\s+(?:zum|einschlie(?:ß|ss)lich))*|to|until|till|through|-|–)\s*(?:the\s+)?",
    re.IGNORECASE,
)
# Quotations and commands are about something else.
_QUOTED = re.compile(r"[„“”\"«`]|--")
# Exactness of a statement, the best first: days, a whole year, or only the day of writing.
DAYS, YEAR, WRITTEN = range(3)
# Other things with a last day.
_OTHER = re.compile(
    r"garantie|gew(?:ä|ae)hrleist|warrant|guarantee|zertifi|certifi|ausweis|passwor|lizenz|"
    r"licen[cs]e|rabatt|discount|bonus|gutschein|voucher|coupon"
    r"|antr(?:a|ä)g|applica|vertragslaufzeit|mindestlaufzeit|contract term",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"preis|tarif|entgelt|dokument|fassung|verordnung|richtlinie|bedingung|angebot|ausgabe|"
    r"version|price|tariff|fee|charge|rate|document|regulation"
    r"|directive|terms|conditions|edition|sheet|offer|rule|copy",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Statement:
    first: date | None
    last: date | None
    rank: int


def validity_of(extraction: Extraction, *, title: str) -> DocumentValidity:
    """Return the validity of a document that was read.

    ``title``: its owner's name for it, or its file's name.
    """
    bare_title = re.sub(r"[_-]+", " ", re.sub(r"\.\w{2,4}$", "", title))
    heads = [bare_title, extraction.title or "", *extraction.metadata]
    lines: list[str] = []
    for block in extraction.blocks:
        lines += block.text.split("\n")
    return find_validity(heads, lines)


def find_validity(heads: Sequence[str], lines: Sequence[str]) -> DocumentValidity:
    """Return the validity stated in titles and metadata (``heads``), or at both ends of the lines.

    Empty where the document states none, or several.
    """
    head = 0
    length = 0
    for line in lines:
        length += len(line)
        if length > HEAD_CHARACTERS:
            break
        head += 1
    stated: list[_Statement] = []
    for line in (*heads, *lines[:head], *lines[head:][-FOOT_LINES:]):
        stated += _read_line(" ".join(line.split()))
    first = _choose((statement.rank, statement.first) for statement in stated)
    last = _choose((statement.rank, statement.last) for statement in stated)
    if first and last and last < first:
        return DocumentValidity()
    return DocumentValidity(valid_from=first, valid_until=last)


def _choose(days: Iterable[tuple[int, date | None]]) -> date | None:
    """Return the most exactly stated day; None if there are two."""
    distinct = {(rank, day) for rank, day in days if day is not None}
    if not distinct:
        return None
    best_rank = min(rank for rank, _ in distinct)
    best = [day for rank, day in distinct if rank == best_rank]
    return best[0] if len(best) == 1 else None


def _read_line(line: str) -> Iterator[_Statement]:
    named = find_named_days(line)
    place = 0
    while place < len(named):
        one = named[place]
        other = named[place + 1] if place + 1 < len(named) else None
        place += 1
        # The part of its sentence before the day.
        before = re.split(r"(?<=[^\d.][^\d.])[.!?;|]\s", line[: one.begin])[-1]
        if (
            other is not None
            and _JOINED.fullmatch(line[one.end : other.begin])
            and _FROM.search(before)
            and _is_own(before, _FROM)
        ):
            place += 1
            yield _Statement(one.first, other.last, DAYS)
        elif (_UNTIL.search(before) and _is_own(before, _UNTIL)) or re.match(
            r"\s+au(?:ß|ss)er kraft", line[one.end :], re.IGNORECASE
        ):
            yield _Statement(None, one.last, DAYS)
        elif _SINCE.search(before) and _is_own(before, _SINCE):
            yield _Statement(one.first, None, DAYS)
        elif one.first < one.last and _FOR.search(before) and _is_own(before, _FOR):
            yield _Statement(one.first, one.last, YEAR)
        elif _STATE.search(before) and _is_own(before, _STATE):
            yield _Statement(one.first, None, WRITTEN)


def _is_own(before: str, cue: re.Pattern[str]) -> bool:
    """Return whether a statement is about the document, not about something that it mentions."""
    match = cue.search(before)
    subject = before[: match.start()] if match else before
    if _OTHER.search(before) or _QUOTED.search(subject):
        return False
    return len(subject.split()) <= MOST_WORDS_BEFORE or _DOCUMENT.search(subject) is not None
