"""Sentence splitting for German and English text, language detection also for Dutch."""

import re

from luna.words import Language

# Abbreviations: their full stop ends no sentence.
_ABBREVIATED = """
    z b d h u a o i e g vs etc ca bzw ggf inkl exkl zzgl evtl max min nr no abs art vgl s v dr st
    str tel sog usw approx incl fig sec para al mr mrs
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_END = re.compile(r"[.!?…][\"'”“»)\]]*(?:\s*\[\d+\])*\s+(?=[\"'„“«(]?[A-ZÄÖÜ0-9])")
# Shorter lines, such as headings and addresses, are not continued by the next line.
WIDE = 50
_BULLET = re.compile(r"^\s*(?:[-*•–·▪]|\d{1,2}[.)])\s+")
_GERMAN_WORDS = """
    der die das und ist nicht ein eine einen einem einer wie was wann wer wo warum welche welcher
    welches ich mein meine meinen meiner zu zum zur mit von im den dem des für auf bei sich wird
    werden kann muss darf soll gibt habe hat hatte haben war wäre würde über nach aus oder auch viel
    viele hoch gestern heute morgen letzte letzten woche dokumente empfohlene erkläre zeige sind es
    wenn dass mehr als noch
"""
_GERMAN = frozenset(_GERMAN_WORDS.split())
_ENGLISH_WORDS = """
    the a an and is not are was were be of to in for on with what when who where why which how my i
    do does did can must may shall should would could has have had it its this that from by as at or
    if much many yesterday today tomorrow last week documents recommended explain show there than
    about
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
# Of Dutch alone: what German and English share with it decides nothing.
_DUTCH_WORDS = """
    het een van voor waarom wanneer hoeveel welke waaruit hoe ik mijn onze niet zijn wordt worden
    kost stroom duur goedkoop uur nu gisteren vandaag vanavond bestaat prijs de deze heeft hebben
    heb wat doet vorige volgende komende naar kun moet zou zal bespaard batterij laadt
"""
_DUTCH = frozenset(_DUTCH_WORDS.split())
# Words of German questions that a search still looks for.
_GERMAN_CUES = frozenset(["gerade", "wieso", "uhr", "strom", "macht", "tut", "verkauft"])
_FURTHER_WORDS = """
    am an als dann denn doch durch er sie wir ihr uns ihm ihn ihnen sein seine seiner ihre ihren man
    nur ob so um vom vor bis beim ins ans dies diese dieser dieses diesen diesem jede jeder jedes
    alle allen hier dort da dazu davon dabei damit sein bin bist seid bitte mir mich dir dich du
    euch unser unsere wieviel wofür womit worin lange lang gilt gelten steht stehen sagt sagen
    machen macht tun tut müssen dürfen sollen wollen können möchte möchten you your yours we our us
    they them their he she his her me mine these those here please tell say says said get gets give
    into onto up down out over under between per any some no yes also only then so but because while
    during will been being long high low big old kind sort does doing done luna document dokument
    dokumenten unterlagen
"""
STOPWORDS = _GERMAN | _ENGLISH | frozenset(_FURTHER_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*", re.UNICODE)


def words_of(text: str) -> list[str]:
    """Return the words of a text unchanged."""
    return _WORD.findall(text)


def detect_language(text: str, usual: Language = "en") -> Language:
    """Return the language of a text by function words and umlauts; ``usual`` if undecided."""
    words = [word.lower() for word in words_of(text)]
    umlauts = len(re.findall("[äöüßÄÖÜ]", text))
    german = sum(word in _GERMAN or word in _GERMAN_CUES for word in words) + 2 * umlauts
    english = sum(word in _ENGLISH for word in words)
    dutch = sum(word in _DUTCH for word in words)
    # Words such as "week" are English and Dutch.
    if dutch > german and dutch >= english:
        return "nl"
    if german == english:
        return usual
    return "de" if german > english else "en"


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, each list item and table row as one.

    Invariants: the sentences contain the text's words in order.
    """
    return [sentence for paragraph in split_paragraphs(text) for sentence in paragraph]


def split_paragraphs(text: str) -> list[list[str]]:
    """Return the sentences of each paragraph, item or row; wrapped lines are joined."""
    paragraphs: list[str] = []
    for line in map(str.strip, text.split("\n")):
        if paragraphs and _continues(paragraphs[-1], line):
            paragraphs[-1] += f" {line}"
        else:
            paragraphs.append(line)
    return [_split_line(line) for line in paragraphs if line]


def _continues(before: str, line: str) -> bool:
    """Return whether a line goes on with the paragraph before it."""
    if not before or not line or before[-1] in ".!?:;|":
        return False
    if line.startswith("|") or _BULLET.match(line) or is_row(before) or is_row(line):
        return False
    # A continuation begins in lower case, or follows a line of a page's width.
    return line[0].islower() or len(before) >= WIDE


def is_row(line: str) -> bool:
    """Return whether a line is a row of a table."""
    return line.startswith("|") or " | " in line


def _split_line(line: str) -> list[str]:
    if is_row(line):
        return [line]
    sentences = []
    begun = 0
    for end in _END.finditer(line):
        last_word = re.search(r"[^\W_]*\Z", line[: end.start()])
        word = last_word.group().lower() if last_word else ""
        if line[end.start()] == "." and _is_abbreviated(word):
            continue
        sentences.append(line[begun : end.end()].strip())
        begun = end.end()
    rest = line[begun:].strip()
    if rest:
        sentences.append(rest)
    return sentences


def _is_abbreviated(word: str) -> bool:
    """Return whether a full stop after a word in lower case ends no sentence."""
    # "1. Januar", "§ 14. Absatz": a number of up to two digits is an ordinal.
    is_ordinal = word.isdigit() and len(word) <= 2
    is_initial = word.isalpha() and len(word) == 1
    return word in _ABBREVIATIONS or is_ordinal or is_initial
