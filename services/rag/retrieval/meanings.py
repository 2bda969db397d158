"""Words of one meaning in German, English and Dutch, as ``meanings.txt`` lists them."""

from functools import lru_cache
from pathlib import Path


def _read_meanings() -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """Return the meanings of whole words, and of beginnings of words."""
    whole: dict[str, set[str]] = {}
    beginnings: dict[str, str] = {}
    text = Path(__file__).with_name("meanings.txt").read_text(encoding="utf-8")
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


_WHOLE, _BEGINNINGS = _read_meanings()
_LONGEST_BEGINNING = max(map(len, _BEGINNINGS))


@lru_cache(maxsize=50_000)
def meanings_of(word: str) -> frozenset[str]:
    """Return the meanings of a word in lower case; none for an unknown word."""
    if word in _WHOLE:
        return _WHOLE[word]
    for end in range(min(len(word), _LONGEST_BEGINNING), 1, -1):
        if word[:end] in _BEGINNINGS:
            return frozenset({_BEGINNINGS[word[:end]]})
    return frozenset()


def is_listed(word: str) -> bool:
    """Return whether a word, or words that begin so, have a listed meaning."""
    return word in _WHOLE or word in _BEGINNINGS
