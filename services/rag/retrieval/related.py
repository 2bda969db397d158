"""Words of one topic in three languages: by ``related.txt`` and the glossary's groups.

They find places that speak of a question's subject in other words; no claim is checked by them.
"""

from functools import lru_cache
from pathlib import Path

from services.rag.retrieval.glossary import GLOSSARY
from services.rag.retrieval.stems import list_stems

# A shorter word is no part of a compound.
SHORTEST_PART = 5
# A longer one is no compound: of every part three stems are made.
LONGEST_COMPOUND = 60


@lru_cache(maxsize=1)
def _list_groups() -> dict[str, frozenset[str]]:
    """Return the groups of each listed word's stems."""
    groups: dict[str, set[str]] = {}
    for number, sides in enumerate(GLOSSARY):
        for phrase in (*sides[0], *sides[1]):
            if " " not in phrase:
                _add(groups, phrase, f"~g{number}")
    text = Path(__file__).with_name("related.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for number, line in enumerate(lines):
        for word in line.split():
            _add(groups, word, f"~r{number}")
    return {stem: frozenset(names) for stem, names in groups.items()}


def _add(groups: dict[str, set[str]], word: str, name: str) -> None:
    for stem in _all_stems(word):
        groups.setdefault(stem, set()).add(name)


@lru_cache(maxsize=50_000)
def related_of(word: str) -> frozenset[str]:
    """Return the groups of a word in lower case, else those of the parts of a compound."""
    groups = _list_groups()
    own = frozenset[str]().union(*(groups.get(stem, frozenset()) for stem in _all_stems(word)))
    if own or len(word) > LONGEST_COMPOUND:
        return own
    return frozenset().union(*(groups.get(part, frozenset()) for part in _parts(word)))


def _parts(word: str) -> set[str]:
    """Return the stems of a word's beginnings and ends that may be words of their own."""
    parts: set[str] = set()
    for place in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        parts.update(_all_stems(word[place:]), _all_stems(word[:place]))
    return parts


def _all_stems(word: str) -> tuple[str, ...]:
    return list_stems(word.replace("ß", "ss"), None)
