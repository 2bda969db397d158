"""Which items a reader is shown, in the reader's language: candidates by similarity, then the
bandit, nothing twice; and what the policies learn from readers.

How near items are to a reader's interest is rated by vectors where there is an embedding model, by
their words always. What readers did, the reward that it is, and what follows from it are stored in
one transaction.
"""

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.recommendations import (
    BanditPolicy,
    EventAction,
    EventsReply,
    Recommendation,
    RecommendReply,
    RecommendRequest,
    RecordEventsRequest,
)
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray
from luna.platform.database import recommendation_items, recommendations, sites
from luna.platform.database.recommendation_items import Audience, Candidate
from luna.platform.database.recommendations import Learned, Showing, Slate
from luna.words import Numbers
from luna.words.recommendations import say_reason, say_recommendation
from services.rag.embedding import Embedder, embed_if_there
from services.rag.recommending.bandit import BanditRanking, Statistics
from services.rag.recommending.features import DIMENSIONS, describe_candidates
from services.rag.retrieval.terms import terms_of, translate

# Reading for two minutes says as much as can be said without a word.
FULL_READING_SECONDS = 120.0
OPENED = 0.4
READ_THROUGH = 0.8


def reward_of(actions: Iterable[tuple[EventAction, float | None]]) -> float:
    """Return the reward of one showing from all that was done with it.

    Useful is 1. Dismissed is 0 whatever else was done, unless it was useful: what was useful may be
    put away. Opened is 0.4; reading adds up to another 0.4, linearly until two minutes in all.
    Shown and nothing more is 0.

    Args:
        actions: each with its reading time in seconds, None where there is none.

    Invariants: between 0 and 1; the order of the actions does not matter.
    """
    reported = list(actions)
    kinds = {action for action, _ in reported}
    if "useful" in kinds:
        return 1.0
    if "dismissed" in kinds or not kinds & {"opened", "read"}:
        return 0.0
    seconds = sum(sorted(seconds or 0.0 for action, seconds in reported if action == "read"))
    return OPENED + (READ_THROUGH - OPENED) * min(seconds / FULL_READING_SECONDS, 1.0)


def record_events(
    connection: Connection, request: RecordEventsRequest, *, now: datetime
) -> EventsReply:
    """Store what a reader did and learn from it.

    Who reports at the same time waits, so that no observation is lost.

    Invariants: the same event counts once; what is learned does not depend on the order of events.
    """
    learned = recommendations.hold_learned(connection, dimensions=DIMENSIONS, now=now)
    showings = recommendations.find_showings(
        connection, request.reader, {each.recommendation_id for each in request.events}
    )
    valid = [each for each in request.events if each.recommendation_id in showings]
    new = recommendations.add_events(connection, request.reader, valid, now=now)
    changed = {each.recommendation_id for each in valid if each.event_id in new}
    observed = recommendations.read_observed(connection, among=changed) if changed else []
    for policy in {each.policy for each in observed}:
        before = learned[policy]
        statistics = Statistics(before.precision, before.response, before.count)
        for each in observed:
            # What was shown before the features changed teaches nothing of the ones of now.
            if each.policy == policy and each.features.size == DIMENSIONS:
                reward = reward_of(each.actions)
                statistics = (
                    statistics.observe(each.features, reward)
                    if each.reward is None
                    else statistics.revise(each.features, reward - each.reward)
                )
        recommendations.save_learned(
            connection,
            policy,
            Learned(statistics.precision, statistics.response, statistics.count),
            now=now,
        )
    recommendations.save_rewards(
        connection, {each.recommendation_id: reward_of(each.actions) for each in observed}
    )
    unknown = [each.event_id for each in request.events if each.recommendation_id not in showings]
    return EventsReply(accepted=len(new), duplicated=len(valid) - len(new), unknown=unknown)


# Two items are the same for a reader from here on: cosine of their vectors, or share of words that
# they have in common.
SAME_VECTOR = 0.95
SAME_WORDS = 0.8
# What was read consists of many words; the ones that most of it shares say what it is about.
_MOST_TERMS = 60


@dataclass(frozen=True, slots=True)
class Interest:
    """A reader's interest: stems of words, and a vector of unit length where there is a model.

    ``named``: stated by the reader in this request.
    """

    terms: frozenset[str] = frozenset()
    vector: FloatArray | None = None
    named: bool = False


def learn_interest(
    item_terms: Iterable[frozenset[str]],
    vectors: Sequence[FloatArray],
    question_stems: Iterable[str],
) -> Interest:
    """Return a reader's interest, from the items that they read and the stems of their
    questions.
    """
    counts = Counter(term for terms in item_terms for term in terms)
    counts.update(dict.fromkeys(question_stems, len(counts)))
    terms = frozenset(term for term, _ in counts.most_common(_MOST_TERMS))
    sizes = Counter(vector.size for vector in vectors)
    if not sizes:
        return Interest(terms)
    size = sizes.most_common(1)[0][0]
    mean = np.mean([vector for vector in vectors if vector.size == size], axis=0)
    length = float(np.linalg.norm(mean))
    return Interest(terms, np.asarray(mean / length) if length > 0 else None)


def rate_similarity(candidates: Sequence[Candidate], interest: Interest) -> FloatArray:
    """Return how near each candidate is to an interest, 0 to 1, shape ``(candidates,)``: the mean
    of words and vectors, words alone where a vector is missing.

    Words count by how rare they are among the candidates; of the rarer words of the shorter side,
    the share that the longer one has.
    """
    counts = Counter(term for each in candidates for term in each.terms)
    rarity = {term: math.log1p(len(candidates) / count) for term, count in counts.items()}
    own = sum(rarity.get(term, 0.0) for term in interest.terms)
    words = np.zeros(len(candidates))
    for place, each in enumerate(candidates):
        if shared := each.terms & interest.terms:
            words[place] = sum(rarity[term] for term in shared) / min(
                own, sum(rarity[term] for term in each.terms)
            )
    if interest.vector is None:
        return words
    rows = [
        (place, each.vector)
        for place, each in enumerate(candidates)
        if each.vector is not None and each.vector.size == interest.vector.size
    ]
    if rows:
        places = [place for place, _ in rows]
        words[places] = (
            words[places]
            + np.clip(np.array([vector for _, vector in rows]) @ interest.vector, 0.0, 1.0)
        ) / 2
    return words


def find_same(candidates: Sequence[Candidate], chosen: int) -> list[int]:
    """Return the places of the candidates that a reader would take for the chosen one, itself among
    them.
    """
    return [
        place
        for place, each in enumerate(candidates)
        if place == chosen or _same(each, candidates[chosen])
    ]


def _same(one: Candidate, other: Candidate) -> bool:
    if (
        one.vector is not None
        and other.vector is not None
        and one.vector.size == other.vector.size
        and float(one.vector @ other.vector) > SAME_VECTOR
    ):
        return True
    together = len(one.terms | other.terms)
    return together > 0 and len(one.terms & other.terms) / together > SAME_WORDS


# From here on what was read or named is the reason.
_NEAR = 0.1


def tell(
    connection: Connection,
    showings: Sequence[Showing],
    request: RecommendRequest,
    *,
    similarity: Mapping[str, float],
) -> list[Recommendation]:
    """Return recommendations in the reader's language, in the order in which they are shown."""
    items = recommendation_items.load(connection, [each.item_id for each in showings])
    near = "named" if request.about is not None and request.about.strip() else "similar"
    replies = []
    for showing in showings:
        item = items[showing.item_id]
        # Instants have no part in these words.
        numbers = Numbers(request.language, ZoneInfo("UTC"), item.currency or "EUR")
        words = say_recommendation(item.code, item.figures, numbers)
        other = (
            "saving"
            if item.saving_cost_per_year is not None
            else "offered"
            if item.code == "tariff_offer"
            else "other"
        )
        reason = near if similarity[showing.item_id] >= _NEAR else other
        replies.append(
            Recommendation(
                recommendation_id=showing.recommendation_id,
                item_id=item.item_id,
                kind=item.kind,
                title=words.title,
                text=words.text,
                saving_cost_per_year=item.saving_cost_per_year,
                saving_low=item.saving_low,
                saving_high=item.saving_high,
                currency=item.currency,
                evidence=list(words.evidence),
                document_id=item.document_id,
                what_if_id=item.what_if_id,
                reason=say_reason(reason, numbers, saving=item.saving_cost_per_year),
            )
        )
    return replies


# What a reader dismissed stays away for so long.
DISMISSED_FOR = timedelta(days=30)
# Habits older than this are no habits any more.
_HABITS = timedelta(days=90)
# How many of the items the policy chooses among: the nearest, and beside them those that save most.
_NEAREST = 30
_WORTHIEST = 20
# How many items that were read last say what a reader is after.
_MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses with a policy, an embedding model where there is one, and chance."""

    policy: BanditPolicy
    embedder: Embedder | None
    rng: np.random.Generator

    def choose(
        self,
        connection: Connection,
        request: RecommendRequest,
        *,
        questions: Sequence[str] = (),
        now: datetime,
    ) -> RecommendReply:
        """Return what is worth reading or doing for a reader, and store that it was shown.

        Args:
            connection: in whose transaction it is stored.
            request: for whom, about what, how much.
            questions: the reader's last questions.
            now: when.

        Raises:
            NotFoundError: the reader has no such site.
        """
        if (
            request.site_id is not None
            and request.sites is not None
            and request.site_id not in request.sites
        ):
            remedy = (
                f"Known sites: {', '.join(request.sites)}."
                if request.sites
                else "You have no site yet; an admin can give you one."
            )
            raise refuse("no-site-of-asker", field="site", value=request.site_id, remedy=remedy)
        if request.site_id is not None:
            sites.key_of(connection, request.site_id)
        dismissed = recommendations.list_dismissed(
            connection, request.reader, since=now - DISMISSED_FOR
        )
        audience = Audience(request.sites, request.site_id, request.kind, dismissed)
        model = self.embedder.model if self.embedder else None
        items = recommendation_items.list_candidates(connection, audience, model=model)
        if not items:
            return RecommendReply(recommendations=[], policy=self.policy)
        interest = self._interest(connection, request, questions)
        near_interest = rate_similarity(items, interest)
        # The policy chooses among the nearest, and, unless what the reader named is there, those
        # that save most or are newest.
        most = _NEAREST + _WORTHIEST
        places = [
            place
            for place in np.argsort(-near_interest, kind="stable")[:most].tolist()
            if near_interest[place] > 0
        ]
        if not (interest.named and places):
            worth = sorted(
                range(len(items)),
                key=lambda place: (
                    -(items[place].saving or 0.0),
                    -items[place].created_at.timestamp(),
                    items[place].item_id,
                ),
            )
            places = list(dict.fromkeys([*places[:_NEAREST], *worth[:most]]))[:most]
        candidates = [items[place] for place in places]
        similarity = near_interest[places]
        habits = recommendations.read_habits(connection, request.reader, since=now - _HABITS)
        features = describe_candidates(
            candidates, similarity, habits, named=interest.named, reader=(request.language, now)
        )
        showings = self._rank(connection, candidates, features, most=request.k)
        recommendations.add_slate(
            connection, Slate(request.reader, request.site_id, self.policy, showings), now=now
        )
        near = {
            each.item_id: float(value) for each, value in zip(candidates, similarity, strict=True)
        }
        return RecommendReply(
            recommendations=tell(connection, showings, request, similarity=near), policy=self.policy
        )

    def _interest(
        self, connection: Connection, request: RecommendRequest, questions: Sequence[str]
    ) -> Interest:
        if request.about is not None and request.about.strip():
            return Interest(_stems(request.about), self._embed([request.about]), named=True)
        items = recommendation_items.load(
            connection,
            recommendations.list_recent_items(connection, request.reader, limit=_MOST_ITEMS),
        ).values()
        model = self.embedder.model if self.embedder else None
        vectors = [each.vector for each in items if each.vector is not None and each.model == model]
        question = self._embed(questions)
        return learn_interest(
            [each.terms for each in items],
            vectors if question is None else [*vectors, question],
            _stems("\n".join(questions)),
        )

    def _embed(self, texts: Sequence[str]) -> FloatArray | None:
        embeddings = embed_if_there(self.embedder, texts, role="query")
        if embeddings is None:
            return None
        mean = np.asarray(embeddings, dtype=float).mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9))

    def _rank(
        self,
        connection: Connection,
        candidates: Sequence[Candidate],
        features: FloatArray,
        *,
        most: int,
    ) -> list[Showing]:
        learned = recommendations.read_learned(connection, self.policy, dimensions=DIMENSIONS)
        ranking = BanditRanking(
            self.policy,
            features,
            Statistics(learned.precision, learned.response, learned.count),
            self.rng,
        )
        remaining = np.arange(len(candidates))
        slate_id = uuid.uuid4().hex
        chosen: list[Showing] = []
        while remaining.size and len(chosen) < most:
            place, propensity = ranking.choose(remaining)
            each = candidates[place]
            first = not chosen
            logged = (features, place) if first else (None, None)
            chosen.append(
                Showing(
                    uuid.uuid4().hex,
                    slate_id,
                    len(chosen),
                    each.item_id,
                    each.kind,
                    propensity,
                    features[place],
                    *logged,
                )
            )
            remaining = np.setdiff1d(remaining, find_same(candidates, place))
        return chosen


def _stems(text: str) -> frozenset[str]:
    return frozenset(term for words in (text, *translate(text)) for term in terms_of(words, None))
