"""Whether statements of a source make the claims of a sentence.

Each claim needs its words, figures with unit, period and bound, times, negation and duty in one
place of the source. Words may be shared by clauses that do not speak of another thing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.rag.answering.claims.concepts import keys_of
from services.rag.answering.claims.items import ClaimedQuantity, Item, Word
from services.rag.answering.claims.segments import (
    ClaimSegment,
    has_word,
    read_joined,
    read_segment,
    word_keys,
)
from services.rag.answering.claims.statements import Statement
from services.rag.answering.claims.times import Time
from services.rag.answering.claims.word_lists import AGENT_MARKS, COMPARATIVES, PARTIES, THAN

# So many words of a claim may come from the sentence that the source's sentence refers back to.
MOST_LENT = 3
# A clause of this size has its own verb: it shares no more than the subject of one before it.
WHOLE = 3
# An amount of money says these by itself.
IMPLIED = frozenset({"=cost", "=price"})


def is_claimed(sentence: str, statements: Sequence[Statement]) -> bool:
    """Return whether statements make all claims of a sentence."""
    plain = _plain(sentence)
    if any(plain == _plain(statement.text) for statement in statements):
        return bool(plain)
    whole = read_segment(sentence)
    if _is_made(whole, whole, statements):
        return True
    parts = read_joined(sentence)
    return len(parts) > 1 and all(_is_made(part, whole, statements) for part in parts)


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".!")


def _is_made(claim: ClaimSegment, whole: ClaimSegment, statements: Sequence[Statement]) -> bool:
    """Return whether any statement makes a claim; a row of a table has to be named."""
    if not claim.words and not claim.quantities:
        return False
    for statement in statements:
        if statement.label is not None and not _names_row(whole, statement.label):
            continue
        if _makes(statement, claim):
            return True
    return False


def _names_row(whole: ClaimSegment, label: ClaimSegment) -> bool:
    """Return whether a sentence names the row: each word and number of its label."""
    words = [word for word in label.words if not has_word(whole.keys, word)]
    numbers = [number for number in label.quantities if not _is_any(number, whole.quantities)]
    return not words and not numbers


def _makes(statement: Statement, claim: ClaimSegment) -> bool:
    segments = statement.segments
    if statement.before is not None:
        segments = (statement.before, *segments)
    first = 0 if statement.before is None else 1
    return any(
        _makes_at(
            segments,
            place,
            claim,
            statement.head,
            first=first,
            is_table=statement.label is not None,
        )
        for place in range(first, len(segments))
    )


def _makes_at(
    segments: Sequence[ClaimSegment],
    place: int,
    claim: ClaimSegment,
    head: ClaimSegment,
    *,
    first: int,
    is_table: bool,
) -> bool:
    """Return whether the clause at a place makes a claim, with what other clauses share."""
    own = segments[place]
    others = [segment for segment in segments if segment is not own]
    rivals = [segment for segment in others if _is_rival(segment, own, claim)]
    for segment in segments[first:]:
        is_other = segment is not own and segment not in rivals
        if is_other and _are_both_whole(segment, own):
            rivals.append(segment)
    shared = [segment for segment in others if segment not in rivals]
    lenders = [segment for segment in rivals if segments.index(segment) < place]
    near = own.keys.union(head.keys, *(segment.keys for segment in shared))
    missing = [word for word in claim.words if not has_word(near, word)]
    if _read_relation(claim) and _read_relation(own):
        missing = [word for word in missing if _find_comparative(word_keys(word)) is None]
    lent_keys = frozenset[str]().union(*(segment.keys for segment in lenders))
    if len(missing) > MOST_LENT or not all(has_word(lent_keys, word) for word in missing):
        return False
    if own.size >= WHOLE and not _are_leading(missing, lenders, segments[:first]):
        return False
    borrowed = [word for word in claim.words if not has_word(own.keys | head.keys, word)]
    if borrowed and not _is_about(claim, own, others):
        return False
    if not (claim.words or is_table or claim.times):
        return False
    touched = [segment for segment in shared if _adds_words(segment, own, claim)]
    return (
        _has_quantities(claim, own, shared)
        and _has_times(claim, own, shared, lenders)
        and _has_polarity(claim, own, touched)
        and _keeps_order(claim, own, touched)
        and _has_relation(claim, own)
    )


def _is_rival(other: ClaimSegment, own: ClaimSegment, claim: ClaimSegment) -> bool:
    """Return whether another clause speaks of another thing in the same way."""
    for quantity in claim.quantities:
        dimension = quantity.dimension
        here = {item.readings for item in own.quantities if item.dimension == dimension}
        there = {item.readings for item in other.quantities if item.dimension == dimension}
        if here and there and here != there:
            return True
    own_times = {(time.kind, time.parts) for time in own.times}
    other_times = {(time.kind, time.parts) for time in other.times}
    own_kinds = {kind for kind, _ in own_times}
    if any(kind in own_kinds and (kind, parts) not in own_times for kind, parts in other_times):
        return True
    if other.is_negated != own.is_negated:
        return True
    if claim.quantities:
        return False
    alike = sum(has_word(own.keys, word) for word in other.words)
    return alike > 0 and len(other.words) > alike


def _are_both_whole(other: ClaimSegment, own: ClaimSegment) -> bool:
    """Return whether two clauses beside each other each have a subject and a verb."""
    is_part = other.is_subordinate or own.is_subordinate
    return not is_part and other.size >= WHOLE and own.size >= WHOLE


def _is_about(claim: ClaimSegment, own: ClaimSegment, others: Sequence[ClaimSegment]) -> bool:
    """Return whether a claim names what the clause speaks of, unlike the clauses beside it.

    That is the clause's first word that the others lack.
    """
    other_keys = frozenset[str]().union(*(segment.keys for segment in others))
    for word in own.words:
        is_own = not has_word(other_keys, word) and not keys_of(word.text) & IMPLIED
        if is_own:
            return has_word(claim.keys, word)
    # Where a claim has no figure, its time is what it claims.
    return not own.times or bool(claim.quantities and claim.times)


def _are_leading(
    words: Sequence[Word], lenders: Sequence[ClaimSegment], context: Sequence[ClaimSegment]
) -> bool:
    """Return whether words are the subjects of other clauses, or of the sentence before."""
    leading = frozenset[str]().union(*(segment.keys for segment in context))
    for segment in lenders:
        for word in _list_leading(segment):
            leading |= word_keys(word)
    return all(has_word(leading, word) for word in words)


def _list_leading(segment: ClaimSegment) -> list[Word]:
    """Return the words of a clause's subject, and of the whole that a share in it is of."""
    words = list(segment.words[:1])
    second = segment.words[1:2]
    if second and second[0].is_capital and not words[0].is_capital:
        words += second
    shares = [
        place
        for place, item in enumerate(segment.items)
        if isinstance(item, ClaimedQuantity) and item.dimension == "ratio"
    ]
    for place in shares:
        after = [item for item in segment.items[place:] if item in segment.words]
        words += [item for item in after[:1] if isinstance(item, Word)]
    return words


def _has_quantities(claim: ClaimSegment, own: ClaimSegment, shared: Sequence[ClaimSegment]) -> bool:
    further = [item for segment in shared for item in segment.quantities]
    for quantity in claim.quantities:
        if not _is_any(quantity, own.quantities) and not _is_any(quantity, further):
            return False
    if not claim.quantities:
        return True
    # The clause itself has one of the figures, else the claim is made elsewhere.
    return any(_is_any(quantity, own.quantities) for quantity in claim.quantities)


def _is_any(quantity: ClaimedQuantity, others: Iterable[ClaimedQuantity]) -> bool:
    return any(_is_same(quantity, other) for other in others)


def _is_same(claim: ClaimedQuantity, source: ClaimedQuantity) -> bool:
    """Return whether a source's quantity is the claim's; the source may say its period as well."""
    if not claim.readings & source.readings or claim.dimension != source.dimension:
        return False
    if claim.per is not None and claim.per != source.per:
        return False
    if claim.bound != source.bound or claim.every != source.every:
        return False
    if claim.role == source.role:
        return True
    # "rises from 85 to 97": it is 97 afterwards. A fortnight before is not a fortnight.
    is_amount = claim.dimension not in ("time", "months")
    return is_amount and "from" not in (claim.role, source.role)


def _has_times(
    claim: ClaimSegment,
    own: ClaimSegment,
    shared: Sequence[ClaimSegment],
    lenders: Sequence[ClaimSegment],
) -> bool:
    """Return whether each time of a claim is the clause's, or of a clause if it has none."""
    for time in claim.times:
        near = [other for other in own.times if other.kind == time.kind]
        for segment in (*shared, *reversed(lenders)):
            if not near:
                near = [other for other in segment.times if other.kind == time.kind]
        if not any(_is_same_time(time, other) for other in near):
            return False
    return True


def _is_same_time(claim: Time, source: Time) -> bool:
    roles = {claim.role, source.role}
    return claim.is_within(source) and (claim.role in ("", source.role) or roles == {"", "to"})


def _adds_words(segment: ClaimSegment, own: ClaimSegment, claim: ClaimSegment) -> bool:
    """Return whether a claim has words of a clause that its own clause lacks."""
    for word in claim.words:
        if has_word(segment.keys, word) and not has_word(own.keys, word):
            return True
    return False


def _has_polarity(claim: ClaimSegment, own: ClaimSegment, touched: Sequence[ClaimSegment]) -> bool:
    """Return whether negation and duty are the same; "need not" is no "must not"."""
    is_negated = own.is_negated or any(segment.is_negated for segment in touched)
    if claim.is_negated != is_negated:
        return False
    duties = {own.duty, *(segment.duty for segment in touched)} - {""}
    if claim.duty == "must" and "may" in duties:
        return False
    return not (claim.is_negated and claim.duty == "may" and duties == {"must"})


def _keeps_order(claim: ClaimSegment, own: ClaimSegment, touched: Sequence[ClaimSegment]) -> bool:
    """Return whether the same party acts: who pays whom is not reversed."""
    items = [*own.items]
    for segment in touched:
        items += segment.items
    actor = _find_actor(claim.items)
    source_actor = _find_actor(items)
    if actor is None or source_actor is None:
        return True
    mentioned = _list_parties(items)
    return actor == source_actor or actor not in mentioned or len(_list_parties(claim.items)) < 2


def _list_parties(items: Sequence[Item]) -> list[str]:
    parties = []
    for item in items:
        if isinstance(item, Word):
            parties += sorted(keys_of(item.text) & PARTIES)
    return parties


def _find_actor(items: Sequence[Item]) -> str | None:
    """Return the party that acts: the one after "by", else the first."""
    words = [item for item in items if isinstance(item, Word)]
    for place, word in enumerate(words):
        if word.text in AGENT_MARKS:
            following = _list_parties(words[place + 1 : place + 3])
            if following:
                return following[0]
    parties = _list_parties(words)
    return parties[0] if parties else None


def _has_relation(claim: ClaimSegment, own: ClaimSegment) -> bool:
    """Return whether "A is higher than B" is not claimed of "B is higher than A"."""
    claimed = _read_relation(claim)
    stated = _read_relation(own)
    return claimed is None or stated is None or claimed.agrees_with(stated)


@dataclass(frozen=True, slots=True)
class Relation:
    """A comparison: whether the first is more, and what stands before and after "than" alone."""

    is_more: bool
    before: frozenset[object]
    after: frozenset[object]

    def agrees_with(self, other: "Relation") -> bool:
        """Return whether both compare in the same order, or in reverse order the other way."""
        opposite = other.before if self.is_more == other.is_more else other.after
        return not self.after & opposite


def _read_relation(segment: ClaimSegment) -> Relation | None:
    is_more = _find_comparative(segment.keys)
    places = [
        place
        for place, item in enumerate(segment.items)
        if isinstance(item, Word) and item.text in THAN
    ]
    if is_more is None or not places:
        return None
    before = _list_marks(segment.items[: places[-1]])
    after = _list_marks(segment.items[places[-1] + 1 :])
    return Relation(is_more, before - after, after - before)


def _find_comparative(keys: frozenset[str]) -> bool | None:
    for more, less in COMPARATIVES:
        if more in keys or less in keys:
            return more in keys
    return None


def _list_marks(items: Sequence[Item]) -> frozenset[object]:
    marks: set[object] = set()
    for item in items:
        if isinstance(item, Time):
            marks.add((item.kind, item.parts))
        elif isinstance(item, Word):
            marks |= word_keys(item)
    return frozenset(marks)
