"""Words of one meaning: by their stems, the lists of ``concepts.txt`` and the glossary."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import snowballstemmer

from services.rag.retrieval.terms import split_compound, translate

SHORTEST_PART = 3
SHORTEST_VERB = 4
# "gestoppt", "geopend", "eingereicht" and "einzureichen": the infinitive is beside them.
_PARTICIPLE = re.compile(
    r"(ein|an|auf|aus|ab|zu|vor|mit|nach|um|weg|op|uit|aan|in|af|toe|door|over)?"
    r"(?:ge|zu)(\w{3,}(?:t|d|en))"
)
_LINKS = ("", "s", "n", "en", "es", "e", "ungs", "er")
_STEMMERS = tuple(snowballstemmer.stemmer(name) for name in ("german", "english", "dutch"))


def _read_concepts() -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """Return the concepts of whole words, and of beginnings of words."""
    whole: dict[str, set[str]] = {}
    beginnings: dict[str, str] = {}
    text = Path(__file__).with_name("concepts.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, words = line.split(" = ")
        for word in words.split():
            if word.endswith("*"):
                beginnings[word.removesuffix("*")] = name
            else:
                whole.setdefault(word, set()).add(name)
    return {word: frozenset(names) for word, names in whole.items()}, beginnings


_WHOLE, _BEGINNINGS = _read_concepts()
_LONGEST_BEGINNING = max(map(len, _BEGINNINGS))


@lru_cache(maxsize=50_000)
def concepts_of(word: str) -> frozenset[str]:
    """Return the meanings of a word in lower case; none for an unknown word."""
    if word in _WHOLE:
        return _WHOLE[word]
    for end in range(min(len(word), _LONGEST_BEGINNING), 1, -1):
        if word[:end] in _BEGINNINGS:
            return frozenset({_BEGINNINGS[word[:end]]})
    return frozenset()


@lru_cache(maxsize=50_000)
def keys_of(word: str) -> frozenset[str]:
    """Return what a word is compared by: its stems and meanings, those of translations too."""
    meanings = {f"={name}" for name in concepts_of(word)}
    if meanings:
        # A listed word has the listed meaning alone, so that opposites never share a stem.
        return frozenset(meanings | {_without_accents(word)})
    keys = _stems(word)
    for other in translate(word):
        if " " not in other:
            keys |= _stems(other.lower())
            keys |= {f"={name}" for name in concepts_of(other.lower())}
    return frozenset(keys)


@lru_cache(maxsize=50_000)
def parts_of(word: str) -> tuple[str, ...]:
    """Return the two parts of a compound of known words; empty for any other word."""
    for end in range(len(word) - SHORTEST_PART, SHORTEST_PART - 1, -1):
        first = _known_first(word[:end])
        rest = word[end:]
        if first and concepts_of(rest):
            return (first, rest)
    return split_compound(word.replace("ß", "ss"))


def _known_first(text: str) -> str | None:
    for link in _LINKS:
        word = text.removesuffix(link)
        is_known = text.endswith(link) and (word in _WHOLE or word in _BEGINNINGS)
        if is_known and len(word) >= SHORTEST_PART:
            return word
    return None


def _stems(word: str) -> set[str]:
    plain = word.replace("ß", "ss")
    forms = [plain]
    participle = _PARTICIPLE.fullmatch(plain)
    if participle:
        forms.append((participle[1] or "") + participle[2])
    # "prüft", "gestoppt": German stems keep the ending that infinitives lack.
    for form in forms[:]:
        if len(form) > SHORTEST_VERB and form.endswith(("t", "d")):
            forms.append(f"{form.removesuffix('t').removesuffix('d').removesuffix('e')}en")
    stems = set()
    for form in forms:
        stems |= {_without_accents(stemmer.stemWord(form)) for stemmer in _STEMMERS}
    return stems


def _without_accents(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
