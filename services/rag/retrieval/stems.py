"""Stems of German, English and Dutch words, without accents."""

import unicodedata
from functools import lru_cache
from typing import Any

import snowballstemmer

from luna.contracts.documents import DocumentLanguage
from luna.words import Language

_STEMMERS: dict[Language, Any] = {
    "de": snowballstemmer.stemmer("german"),
    "en": snowballstemmer.stemmer("english"),
    "nl": snowballstemmer.stemmer("dutch"),
}


def list_stems(word: str, language: DocumentLanguage | None) -> tuple[str, ...]:
    """Return a word's stem, in an unknown language those of each, once."""
    if language:
        return (stem_of(word, language),)
    return tuple(dict.fromkeys(stem_of(word, name) for name in _STEMMERS))


@lru_cache(maxsize=200_000)
def stem_of(word: str, language: Language) -> str:
    """Return a word's stem without accents."""
    letters = unicodedata.normalize("NFKD", _STEMMERS[language].stemWord(word))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
