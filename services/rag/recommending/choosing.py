"""Chooses items for a reader by similarity and a bandit, and learns from the reader's actions.

Items are compared with a reader's interest by their words, and by vectors where there is an
embedding model. Actions, their reward and the updated statistics are stored in one transaction.
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
from luna.energy.timeline import FloatArray, parse_zone
from luna.platform.database import recommendation_items, recommendations, sites
from luna.platform.database.recommendation_items import Audience, Candidate
from luna.platform.database.recommendations import (
    EarlierShowing,
    Learned,
    Observed,
    Showing,
    Slate,
)
from luna.words import Numbers
from luna.words.recommendations import say_reason, say_recommendation
from services.rag.embedding import Embedder, embed_if_there
from services.rag.recommending.bandit import BanditRanking, Statistics
from services.rag.recommending.features import DIMENSIONS, describe_candidates
from services.rag.retrieval.terms import terms_of, translate

# Reading for two minutes says as much as can be said without a word.
FULL_READING_SECONDS = 120.0
USEFUL = 1.0
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
        return USEFUL
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
    ids = {event.recommendation_id for event in request.events}
    showings = recommendations.find_showings(connection, request.reader, ids)
    valid = [event for event in request.events if event.recommendation_id in showings]
    new = recommendations.add_events(connection, request.reader, valid, now=now)
    changed = {event.recommendation_id for event in valid if event.event_id in new}
    observed = recommendations.read_observed(connection, among=changed) if changed else []
    for policy in {showing.policy for showing in observed}:
        own = [showing for showing in observed if showing.policy == policy]
        updated = _learn(learned[policy], own)
        recommendations.save_learned(connection, policy, updated, now=now)
    rewards = {showing.recommendation_id: reward_of(showing.actions) for showing in observed}
    recommendations.save_rewards(connection, rewards)
    others = [event for event in request.events if event.recommendation_id not in showings]
    return EventsReply(
        accepted=len(new),
        duplicated=len(valid) - len(new),
        unknown=[event.event_id for event in others],
    )


def _learn(learned: Learned, observed: Sequence[Observed]) -> Learned:
    """Return a policy's statistics with the rewards of these showings."""
    statistics = Statistics(learned.precision, learned.response, learned.count)
    for showing in observed:
        # Showings from before the features changed teach nothing about the present ones.
        if showing.features.size != DIMENSIONS:
            continue
        reward = reward_of(showing.actions)
        if showing.reward is None:
            statistics = statistics.observe(showing.features, reward)
        else:
            statistics = statistics.revise(showing.features, reward - showing.reward)
    return Learned(statistics.precision, statistics.response, statistics.count)


# From this cosine of their vectors, or share of common words, two items are the same for a reader.
SAME_VECTOR = 0.95
SAME_WORDS = 0.8
# The most frequent words of the items that were read stand for their subject.
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
    """Return a reader's interest by the items that they read and the stems of their questions."""
    counts: Counter[str] = Counter()
    for terms_of_item in item_terms:
        counts.update(terms_of_item)
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
    """Return each candidate's similarity to an interest, 0 to 1, shape ``(candidates,)``.

    It is the mean of words and vectors; words alone where a vector is missing. A word's weight is
    its rarity among the candidates; counted is the weight in common, as a share of the lighter
    side's.
    """
    counts: Counter[str] = Counter()
    for candidate in candidates:
        counts.update(candidate.terms)
    rarity = {term: math.log1p(len(candidates) / count) for term, count in counts.items()}
    interest_weight = sum(rarity.get(term, 0.0) for term in interest.terms)
    similarity = np.zeros(len(candidates))
    for place, candidate in enumerate(candidates):
        shared = candidate.terms & interest.terms
        if shared:
            weight = sum(rarity[term] for term in candidate.terms)
            shared_weight = sum(rarity[term] for term in shared)
            similarity[place] = shared_weight / min(interest_weight, weight)
    if interest.vector is None:
        return similarity
    places = []
    vectors = []
    for place, candidate in enumerate(candidates):
        if candidate.vector is not None and candidate.vector.size == interest.vector.size:
            places.append(place)
            vectors.append(candidate.vector)
    if places:
        cosines = np.clip(np.array(vectors) @ interest.vector, 0.0, 1.0)
        similarity[places] = (similarity[places] + cosines) / 2
    return similarity


def find_same(candidates: Sequence[Candidate], chosen: int) -> list[int]:
    """Return the places of the chosen candidate and of those that a reader takes for the same."""
    same = []
    for place, candidate in enumerate(candidates):
        if place == chosen or _is_same(candidate, candidates[chosen]):
            same.append(place)
    return same


def _is_same(one: Candidate, other: Candidate) -> bool:
    if _cosine(one.vector, other.vector) > SAME_VECTOR:
        return True
    together = len(one.terms | other.terms)
    return together > 0 and len(one.terms & other.terms) / together > SAME_WORDS


def _cosine(one: FloatArray | None, other: FloatArray | None) -> float:
    """Return the cosine of two unit vectors; 0 where one is missing or of another model."""
    if one is None or other is None or one.size != other.size:
        return 0.0
    return float(one @ other)


# From this similarity on, the reader's interest is given as the reason.
_NEAR = 0.1


def tell(
    connection: Connection,
    showings: Sequence[Showing | EarlierShowing],
    request: RecommendRequest,
    *,
    similarity: Mapping[str, float],
) -> list[Recommendation]:
    """Return recommendations in the reader's language, in the order in which they are shown."""
    items = recommendation_items.load(connection, [showing.item_id for showing in showings])
    is_named = request.about is not None and bool(request.about.strip())
    replies = []
    for showing in showings:
        item = items[showing.item_id]
        # Instants have no part in these words.
        numbers = Numbers(request.language, ZoneInfo("UTC"), item.currency or "EUR")
        words = say_recommendation(item.code, item.figures, numbers)
        if similarity[showing.item_id] >= _NEAR:
            reason = "named" if is_named else "similar"
        elif item.saving_cost_per_year is not None:
            reason = "saving"
        else:
            reason = "offered" if item.code == "tariff_offer" else "other"
        reply = Recommendation(
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
            departure_id=item.figures.get("departure_id"),
            reason=say_reason(reason, numbers, saving=item.saving_cost_per_year),
        )
        replies.append(reply)
    return replies


# Time for which a dismissed item is not shown again.
DISMISSED_FOR = timedelta(days=30)
# Age from which a document is shown to who did not ask.
_NEW_DOCUMENT = timedelta(days=1)
# Older actions are no habits any more.
_HABITS = timedelta(days=90)
# Number of the candidates: the nearest items, and beside them those that save most.
_NEAREST = 30
_WORTHIEST = 20
# Number of items read last from which the interest of a reader is learned.
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
        """Return recommendations for a reader, and store that they were shown.

        Args:
            connection: in whose transaction it is stored.
            request: for whom, about what, how much.
            questions: the reader's last questions.
            now: when.

        Raises:
            NotFoundError: the reader has no such site.
        """
        if request.site_id is not None:
            _require_site(request.site_id, request.sites)
            sites.key_of(connection, request.site_id)
        items = self._list_items(connection, request, now)
        if not items:
            return RecommendReply(recommendations=[], policy=self.policy)
        interest = self._interest(connection, request, questions)
        all_similarities = rate_similarity(items, interest)
        all_ids = [item.item_id for item in items]
        by_item = dict(zip(all_ids, all_similarities.tolist(), strict=True))
        earlier = _find_of_today(connection, request, now)
        if earlier is not None:
            # Found useful or no longer to be shown: the day has had its recommendation.
            is_open = earlier.item_id in by_item and earlier.reward != USEFUL
            again = [earlier] if is_open else []
            replies = tell(connection, again, request, similarity=by_item)
            return RecommendReply(recommendations=replies, policy=self.policy)
        places = _choose_places(items, all_similarities, named=interest.named)
        candidates = [items[place] for place in places]
        similarity = all_similarities[places]
        habits = recommendations.read_habits(connection, request.reader, since=now - _HABITS)
        features = describe_candidates(
            candidates, similarity, habits, named=interest.named, reader=(request.language, now)
        )
        showings = self._rank(connection, candidates, features, most=request.k)
        recommendations.add_slate(
            connection, Slate(request.reader, request.site_id, self.policy, showings), now=now
        )
        replies = tell(connection, showings, request, similarity=by_item)
        return RecommendReply(recommendations=replies, policy=self.policy)

    def _list_items(
        self, connection: Connection, request: RecommendRequest, now: datetime
    ) -> list[Candidate]:
        """Return the items that a reader may be shown."""
        dismissed = recommendations.list_dismissed(
            connection, request.reader, since=now - DISMISSED_FOR
        )
        audience = Audience(request.sites, request.site_id, request.kind, dismissed)
        model = self.embedder.model if self.embedder else None
        items = recommendation_items.list_candidates(connection, audience, model=model)
        if not request.unasked:
            return items
        # Who has just added a document need not be told of it.
        newest = now - _NEW_DOCUMENT
        return [item for item in items if item.kind != "document" or item.created_at <= newest]

    def _interest(
        self, connection: Connection, request: RecommendRequest, questions: Sequence[str]
    ) -> Interest:
        if request.about is not None and request.about.strip():
            return Interest(_stems(request.about), self._embed([request.about]), named=True)
        recent = recommendations.list_recent_items(connection, request.reader, limit=_MOST_ITEMS)
        items = list(recommendation_items.load(connection, recent).values())
        model = self.embedder.model if self.embedder else None
        own = [item for item in items if item.model == model]
        vectors = [item.vector for item in own if item.vector is not None]
        question = self._embed(questions)
        if question is not None:
            vectors.append(question)
        item_terms = [item.terms for item in items]
        return learn_interest(item_terms, vectors, _stems("\n".join(questions)))

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
            # Only the first showing is evaluated later, so only it keeps all candidates.
            logged = (None, None) if chosen else (features, place)
            showing = Showing(
                uuid.uuid4().hex,
                slate_id,
                len(chosen),
                candidates[place].item_id,
                candidates[place].kind,
                propensity,
                features[place],
                *logged,
            )
            chosen.append(showing)
            remaining = np.setdiff1d(remaining, find_same(candidates, place))
        return chosen


def _find_of_today(
    connection: Connection, request: RecommendRequest, now: datetime
) -> EarlierShowing | None:
    """Return what an unasked reader was already shown today, by the site's clock."""
    if not request.unasked or request.site_id is None:
        return None
    zone = parse_zone(sites.load(connection, request.site_id).timezone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return recommendations.find_first_showing(
        connection, request.reader, request.site_id, since=midnight
    )


def _require_site(site_id: str, own: Sequence[str] | None) -> None:
    """Check that a site is among the asker's (None: all)."""
    if own is None or site_id in own:
        return
    if own:
        remedy = f"Known sites: {', '.join(own)}."
    else:
        remedy = "You have no home yet; ask an admin to give you access to one."
    raise refuse("no-site-of-asker", field="site", value=site_id, remedy=remedy)


def _choose_places(items: Sequence[Candidate], similarity: FloatArray, *, named: bool) -> list[int]:
    """Return the places of the items that a policy chooses among.

    They are the nearest, and, unless some are near to a named interest, those that save most or are
    newest.
    """
    most = _NEAREST + _WORTHIEST
    nearest = np.argsort(-similarity, kind="stable")[:most].tolist()
    places = [place for place in nearest if similarity[place] > 0]
    if named and places:
        return places

    def worth_of(place: int) -> tuple[float, float, str]:
        item = items[place]
        return -(item.saving or 0.0), -item.created_at.timestamp(), item.item_id

    worthiest = sorted(range(len(items)), key=worth_of)
    distinct = dict.fromkeys([*places[:_NEAREST], *worthiest[:most]])
    return list(distinct)[:most]


def _stems(text: str) -> frozenset[str]:
    stems = set(terms_of(text, None))
    for other in translate(text):
        stems.update(terms_of(other, None))
    return frozenset(stems)
