"""Words of one meaning: by their stems, the listed meanings and the glossary."""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

from services.rag.retrieval.meanings import is_listed, meanings_of
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


@lru_cache(maxsize=50_000)
def keys_of(word: str) -> frozenset[str]:
    """Return what a word is compared by: its stems and meanings, those of translations too."""
    meanings = {f"={name}" for name in meanings_of(word)}
    if meanings:
        # A listed word has the listed meaning alone, so that opposites never share a stem.
        return frozenset(meanings | {_without_accents(word)})
    keys = _stems(word)
    for other in translate(word):
        if " " not in other:
            keys |= _stems(other.lower())
            keys |= {f"={name}" for name in meanings_of(other.lower())}
    return frozenset(keys)


@lru_cache(maxsize=50_000)
def parts_of(word: str) -> tuple[str, ...]:
    """Return the two parts of a compound of known words; empty for any other word."""
    for end in range(len(word) - SHORTEST_PART, SHORTEST_PART - 1, -1):
        first = _known_first(word[:end])
        rest = word[end:]
        if first and meanings_of(rest):
            return (first, rest)
    return split_compound(word.replace("ß", "ss"))


def _known_first(text: str) -> str | None:
    for link in _LINKS:
        word = text.removesuffix(link)
        is_known = text.endswith(link) and is_listed(word)
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
