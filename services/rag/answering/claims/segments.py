"""Clauses of a text with their words, quantities, times, negation and obligation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal

from services.rag.answering.claims.concepts import keys_of, parts_of
from services.rag.answering.claims.items import ClaimedQuantity, Item, Mark, Word, read_items
from services.rag.answering.claims.times import Time
from services.rag.answering.claims.units import find_unit
from services.rag.answering.claims.word_lists import (
    ANAPHORS,
    CONDITIONS,
    FORBIDDEN,
    JOINTS,
    LIGHT,
    MAY,
    MUST,
    NEGATIONS,
    SUBORDINATORS,
)
from services.rag.retrieval.meanings import meanings_of

Duty = Literal["", "must", "may"]
_SPLITTING = frozenset(",;:|–")
# What a quantity's dimension says by itself: an amount of money is a cost, kilograms are a weight.
_IMPLIED = {
    "eur": ("=cost", "=price"),
    "gbp": ("=cost", "=price"),
    "chf": ("=cost", "=price"),
    "mass": ("=weigh",),
    "temperature": ("=temperature",),
}


@dataclass(frozen=True)
class ClaimSegment:
    """A clause: its content words, quantities and times."""

    words: tuple[Word, ...]
    quantities: tuple[ClaimedQuantity, ...]
    times: tuple[Time, ...]
    is_negated: bool = False
    duty: Duty = ""
    refers_back: bool = False
    items: tuple[Item, ...] = ()

    @cached_property
    def keys(self) -> frozenset[str]:
        """Key by which its words and kinds of quantities are compared."""
        keys: set[str] = set()
        for word in self.words:
            keys |= word_keys(word)
            if not word.is_name:
                for part in parts_of(word.text):
                    keys |= keys_of(part)
        for quantity in self.quantities:
            keys.update(_IMPLIED.get(quantity.dimension or "", ()))
        if "=energy" in keys:
            keys.add("=consume")
        return frozenset(keys)

    @property
    def is_subordinate(self) -> bool:
        """Whether it begins with "if", "that" and the like: it belongs to the clause beside it."""
        first = next((item for item in self.items if isinstance(item, Word)), None)
        return first is not None and first.text in SUBORDINATORS

    @property
    def size(self) -> int:
        return len(self.words) + len(self.quantities) + len(self.times)


def word_keys(word: Word) -> frozenset[str]:
    """Return what a word is compared by."""
    if word.is_name or word.text.startswith("§"):
        return frozenset({word.text})
    unit = find_unit(word.text)
    if unit is not None:
        return frozenset({f"unit {unit.dimension} {unit.factor}", *keys_of(word.text)})
    return keys_of(word.text)


def has_word(keys: frozenset[str], word: Word) -> bool:
    """Return whether a word, or each part of a compound, is among the keys."""
    if word_keys(word) & keys:
        return True
    # A word with a listed meaning means that alone: "Arbeitspreis" is not any "Preis".
    if word.is_name or meanings_of(word.text):
        return False
    parts = parts_of(word.text)
    return bool(parts) and all(keys_of(part) & keys for part in parts)


@lru_cache(maxsize=4_000)
def read_segment(text: str) -> ClaimSegment:
    """Return a whole text as one clause."""
    return make_segment(read_items(text))


@lru_cache(maxsize=4_000)
def read_segments(text: str) -> tuple[ClaimSegment, ...]:
    """Return the clauses of a sentence, those too short for a claim joined with the next."""
    return tuple(make_segment(part) for part in _part_items(read_items(text)))


def read_joined(text: str) -> tuple[ClaimSegment, ...]:
    """Return the statements that a sentence joins; one where it is a condition or a relation."""
    items = read_items(text)
    words = [item.text for item in items if isinstance(item, Word)]
    if any(word in SUBORDINATORS for word in words):
        return (make_segment(items),)
    return tuple(make_segment(part) for part in _part_items(items))


def make_segment(items: Sequence[Item]) -> ClaimSegment:
    """Return the clause of some items."""
    words = [item for item in items if isinstance(item, Word)]
    texts = [word.text for word in words]
    # "Neither ... nor" and "no ... without" are not told apart: any negation negates the clause.
    is_negated = any(text in NEGATIONS or text.endswith("n't") for text in texts)
    is_forbidden = any(text in FORBIDDEN for text in texts)
    content = [word for word in words if _is_content(word)]
    if is_forbidden:
        content.append(Word("allowed"))
    quantities = [item for item in items if isinstance(item, ClaimedQuantity)]
    times = [item for item in items if isinstance(item, Time)]
    quantities, content = _take_unit_price(quantities, content)
    return ClaimSegment(
        tuple(content),
        tuple(quantities),
        tuple(times),
        is_negated != is_forbidden,
        _read_duty(texts),
        any(text in ANAPHORS for text in texts),
        tuple(items),
    )


def _is_content(word: Word) -> bool:
    text = word.text
    if word.is_name or text.startswith("§"):
        return True
    is_small = text in LIGHT or text in NEGATIONS or text in FORBIDDEN or text in MAY
    return not is_small and text not in MUST and text not in JOINTS and len(text) > 1


def _read_duty(texts: Sequence[str]) -> Duty:
    if any(text in MUST for text in texts):
        return "must"
    return "may" if any(text in MAY for text in texts) else ""


def _take_unit_price(
    quantities: list[ClaimedQuantity], words: list[Word]
) -> tuple[list[ClaimedQuantity], list[Word]]:
    """Read "a kWh costs 20 ct" as 20 ct per kWh."""
    priced = [quantity for quantity in quantities if quantity.dimension in ("eur", "gbp", "chf")]
    unit_words = [word for word in words if _is_energy_unit(word)]
    single = [
        quantity
        for quantity in quantities
        if quantity.dimension == "energy" and quantity.readings == frozenset({1.0})
    ]
    if not priced or not (unit_words or single):
        return quantities, words
    per = find_unit("kwh")
    taken = []
    for quantity in quantities:
        if quantity in single:
            continue
        is_bare = quantity in priced and quantity.per is None
        taken.append(replace(quantity, per=per) if is_bare else quantity)
    return taken, [word for word in words if word not in unit_words]


def _is_energy_unit(word: Word) -> bool:
    unit = find_unit(word.text)
    return unit is not None and unit.dimension == "energy"


def _part_items(items: Sequence[Item]) -> list[list[Item]]:
    """Return the items between joints and marks; a part that claims nothing joins the next."""
    if items and isinstance(items[0], Word) and items[0].text in CONDITIONS:
        return [list(items)]
    parts: list[list[Item]] = [[]]
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        is_range = isinstance(following, ClaimedQuantity | Time) and following.role == "to"
        is_joint = isinstance(item, Word) and item.text in JOINTS and not is_range
        is_mark = isinstance(item, Mark) and item.text in _SPLITTING
        if is_joint or is_mark:
            parts.append([])
        parts[-1].append(item)
    joined: list[list[Item]] = []
    pending: list[Item] = []
    for part in parts:
        whole = pending + part
        segment = make_segment(whole)
        is_claim = segment.size >= 2 or (segment.is_negated and segment.size >= 1)
        if is_claim:
            joined.append(whole)
            pending = []
        else:
            pending = whole
    if pending and joined:
        joined[-1] += pending
    elif pending:
        joined.append(pending)
    return joined
