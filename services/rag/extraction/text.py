"""Decode and clean text, divide it into paragraphs, and detect its language.

Function words tell the language. A library for two would bring a model of tens of megabytes, or the
tables of seventy languages, of which Dutch or Danish are found in a German price list; a fifth of
any running text are the words below.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from services.rag.extraction.model import DocumentBlock

_GERMAN = """
    der die das und ist nicht mit von zu den dem ein eine einer eines im in auf für sie wird werden
    sind auch bei nach aus als oder wenn wie kann können muss müssen dass nur noch bis zum zur über
    durch wir ihr ihre ihren sich vor unter keine kein hat haben mehr
"""
_ENGLISH = """
    the and is not with of to a an in on for you it be are this that as at by or if can may must
    from which when will your we our their has have more than into its no only other was were do
    does should
"""
_WORDS = {"de": frozenset(_GERMAN.split()), "en": frozenset(_ENGLISH.split())}
# So many words tell, and so much clearer must one language be; a Dutch or French text has few words
# of either.
_MOST_WORDS = 20_000
_LEAST_SHARE = 0.1
_LEAST_RATIO = 1.5


def language_of(texts: Iterable[str]) -> Literal["en", "de"] | None:
    """Return the language of most of a text.

    None where it is too short to tell, mixed, or another one.
    """
    words = Counter(islice(_words_of(texts), _MOST_WORDS))
    total = sum(count for word, count in words.items() if word.isalpha())
    german = sum(words[word] for word in _WORDS["de"])
    english = sum(words[word] for word in _WORDS["en"])
    most = max(german, english)
    least = min(german, english)
    if most < 2 or most < _LEAST_SHARE * total or most < _LEAST_RATIO * least:
        return None
    return "de" if german > english else "en"


def _words_of(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for word in text.split():
            yield word.strip(".,;:!?()\"'„“»«|").lower()


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings of Western European programs before UTF-8, the likeliest first. A library that knows a
# hundred charsets takes the few umlauts of a price list for Cyrillic or Turkish.
_CHARSETS = ("cp1252", "cp850", "mac_roman")
_LETTERS = frozenset("äöüÄÖÜßéèêàâçñóáíúîôûëïœæøåÉÈÀÇØÅ€§°²³µ–„“”‚‘’…«»·½×±")
_SAMPLE_BYTES = 100_000
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")

_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
# Unseen: soft hyphens, marks of order and width; surrogates and noncharacters, which no database
# takes.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_SPACES = re.compile(r"[^\S\n]+")


def decode(content: bytes) -> str | None:
    """Return the characters of a text file; None where the bytes are no text."""
    for mark, charset in _MARKS:
        if content.startswith(mark):
            return _decoded(content, charset)
    sample = content[:_SAMPLE_BYTES]
    if b"\x00" in sample:
        # UTF-16 without a mark: in text of the West every second byte is zero.
        for charset, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
            if zeros.count(0) > 0.8 * len(zeros) and sample.count(0) <= len(zeros) + 1:
                return _decoded(content, charset)
        return None
    if sum(byte in _CONTROLS for byte in sample) > len(sample) // 200:
        return None
    text = _decoded(content, "utf-8")
    if text is not None:
        return text
    # In the right charset, characters beyond ASCII are letters of Western Europe and signs of its
    # typography.
    beyond = bytes(byte for byte in sample if byte >= 0x80)

    def count_letters(charset: str) -> int:
        return sum(letter in _LETTERS for letter in beyond.decode(charset, "replace"))

    best = max(_CHARSETS, key=count_letters)
    return content.decode(best, "replace")


def _decoded(content: bytes, charset: str) -> str | None:
    try:
        return content.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return None


def clean(text: str) -> str:
    """Return a text without invisible characters, its lines trimmed.

    Databases and JSON take every result.
    """
    even_lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    visible = _UNSEEN.sub("", even_lines.translate(_LIGATURES))
    lines = (_SPACES.sub(" ", line).strip() for line in visible.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


_ITEM = re.compile(r"\s*(?:[-*•–]|\d{1,2}[.)])\s+\S")
# "3. TERM AND NOTICE", "SOLAR LEASE AGREEMENT", "§ 4 Umzug": a line of its own that names what
# follows.
_HEADING = re.compile(
    r"(?:§ ?\d+|\d{1,2}(?:\.\d+)*[.)]?) [^\W\d_][^.!?;:|]*|[^a-zäöüß.!?;:|\d]{4,}"
)
_LONGEST_HEADING = 60


def paragraphs(text: str) -> list[DocumentBlock]:
    """Return the paragraphs of a text.

    A paragraph is a list if each of its lines begins as an item does; a short line by itself with a
    number or in capitals is the heading of what follows.
    """
    even_lines = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks = []
    pieces = [piece for piece in re.split(r"\n[^\S\n]*\n|\f", even_lines) if piece.strip()]
    for place, piece in enumerate(pieces):
        lines = piece.strip().split("\n")
        is_last = place + 1 == len(pieces)
        if not is_last and _is_heading(piece.strip()):
            blocks.append(DocumentBlock("heading", piece.strip(), None, 2))
        else:
            is_list = all(_ITEM.match(line) for line in lines)
            blocks.append(DocumentBlock("list" if is_list else "text", piece))
    return blocks


def _is_heading(paragraph: str) -> bool:
    is_short = len(paragraph) <= _LONGEST_HEADING and "\n" not in paragraph
    return is_short and _HEADING.fullmatch(paragraph) is not None
