"""German compounds as the words that they are made of: Kündigungsfrist is a notice and a period."""

from functools import lru_cache

from services.rag.retrieval.glossary import GLOSSARY

SHORTEST_WORD, SHORTEST_COMPOUND = 4, 8
# What German puts between the parts, and behind the last one.
_LINKS = ("", "s", "n", "en", "es", "e")


@lru_cache(maxsize=100_000)
def split_compound(word: str) -> tuple[str, ...]:
    """Return the words of the glossary that a word is wholly made of, two or more; none where it is no such compound.

    Args:
        word: in lower case, with ss for ß.
    """
    return _split(word, is_whole=True) if len(word) >= SHORTEST_COMPOUND and word.isalpha() else ()


def _split(rest: str, *, is_whole: bool = False) -> tuple[str, ...]:
    """Return the parts of the rest of a compound, the longest first part first; none where letters are left over."""
    if not is_whole and (last := _find_word(rest)):
        return (last,)
    for end in range(len(rest) - SHORTEST_WORD, SHORTEST_WORD - 1, -1):
        first = _find_word(rest[:end])
        others = _split(rest[end:]) if first else ()
        if first and others:
            return (first, *others)
    return ()


def _find_word(text: str) -> str | None:
    """Return the word of the glossary that a text is, but for a link."""
    bare = (text.removesuffix(link) for link in _LINKS if text.endswith(link))
    return next((word for word in bare if word in _words()), None)


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    """Return the German words of the glossary that may be parts."""
    words = {phrase.replace("ß", "ss") for german, _ in GLOSSARY for phrase in german}
    return frozenset(word for word in words if word.isalpha() and len(word) >= SHORTEST_WORD)
