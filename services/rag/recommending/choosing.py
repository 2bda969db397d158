"""Which items a reader is shown: candidates by similarity, then the bandit, nothing twice."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.recommendations import BanditPolicy, RecommendReply, RecommendRequest
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray
from luna.platform.database import recommendation_items, recommendations, sites
from luna.platform.database.recommendation_items import Audience, Candidate
from luna.platform.database.recommendations import Showing, Slate
from services.rag.embedding import Embedder, embed_if_there
from services.rag.recommending.bandit import BanditRanking, Statistics
from services.rag.recommending.features import DIMENSIONS, describe_candidates
from services.rag.recommending.interest import Interest, find_same, learn_interest, rate_similarity
from services.rag.recommending.telling import tell
from services.rag.retrieval.terms import terms_of, translate

# What a reader dismissed stays away for so long.
DISMISSED_FOR = timedelta(days=30)
# Habits older than this are no habits any more.
_HABITS = timedelta(days=90)
# How many of the items the policy chooses among: the nearest, and beside them those that save most.
_NEAREST, _WORTHIEST = 30, 20
# How many items that were read last say what a reader is after.
_MOST_READ_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses with a policy, an embedding model where there is one, and chance."""

    policy: BanditPolicy
    embedder: Embedder | None
    rng: np.random.Generator

    def choose(self, connection: Connection, request: RecommendRequest, *, questions: Sequence[str] = (), now: datetime) -> RecommendReply:
        """Return what is worth reading or doing for a reader, and store that it was shown.

        Args:
            connection: in whose transaction it is stored.
            request: for whom, about what, how much.
            questions: the reader's last questions.
            now: when.

        Raises:
            NotFoundError: the reader has no such site.
        """
        if request.site_id is not None and request.sites is not None and request.site_id not in request.sites:
            known = f"Known sites: {', '.join(request.sites)}." if request.sites else "You have no site yet; an admin can give you one."
            raise refuse("no-site-of-asker", field="site", value=request.site_id, remedy=known)
        if request.site_id is not None:
            sites.key_of(connection, request.site_id)
        dismissed = recommendations.list_dismissed(connection, request.reader, since=now - DISMISSED_FOR)
        audience = Audience(request.sites, request.site_id, request.kind, dismissed)
        model = self.embedder.model if self.embedder else None
        items = recommendation_items.list_candidates(connection, audience, model=model)
        if not items:
            return RecommendReply(recommendations=[], policy=self.policy)
        interest = self._interest(connection, request, questions)
        candidates, similarity = _narrow(items, rate_similarity(items, interest), interest)
        habits = recommendations.read_habits(connection, request.reader, since=now - _HABITS)
        features = describe_candidates(candidates, similarity, habits, named=interest.named, reader=(request.language, now))
        showings = self._rank(connection, candidates, features, most=request.k)
        recommendations.add_slate(connection, Slate(request.reader, request.site_id, self.policy, showings), now=now)
        near = {each.item_id: float(value) for each, value in zip(candidates, similarity, strict=True)}
        return RecommendReply(recommendations=tell(connection, showings, request, similarity=near), policy=self.policy)

    def _interest(self, connection: Connection, request: RecommendRequest, questions: Sequence[str]) -> Interest:
        if request.about is not None and request.about.strip():
            return Interest(_stems(request.about), self._embed([request.about]), named=True)
        read_items = recommendation_items.load(connection, recommendations.list_read(connection, request.reader, limit=_MOST_READ_ITEMS)).values()
        model = self.embedder.model if self.embedder else None
        vectors = [each.vector for each in read_items if each.vector is not None and each.model == model]
        question = self._embed(questions)
        return learn_interest([each.terms for each in read_items], vectors if question is None else [*vectors, question], _stems("\n".join(questions)))

    def _embed(self, texts: Sequence[str]) -> FloatArray | None:
        embeddings = embed_if_there(self.embedder, texts, role="query")
        if embeddings is None:
            return None
        mean = np.asarray(embeddings, dtype=float).mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9))

    def _rank(self, connection: Connection, candidates: Sequence[Candidate], features: FloatArray, *, most: int) -> list[Showing]:
        learned = recommendations.read_learned(connection, self.policy, dimensions=DIMENSIONS)
        ranking = BanditRanking(self.policy, features, Statistics(learned.precision, learned.response, learned.count), self.rng)
        remaining, slate_id = np.arange(len(candidates)), uuid.uuid4().hex
        chosen: list[Showing] = []
        while remaining.size and len(chosen) < most:
            place, propensity = ranking.choose(remaining)
            each, first = candidates[place], not chosen
            logged = (features, place) if first else (None, None)
            chosen.append(Showing(uuid.uuid4().hex, slate_id, len(chosen), each.item_id, each.kind, propensity, features[place], *logged))
            remaining = np.setdiff1d(remaining, find_same(candidates, place))
        return chosen


def _narrow(items: Sequence[Candidate], similarity: FloatArray, interest: Interest) -> tuple[list[Candidate], FloatArray]:
    """Return the items that the policy chooses among: the nearest first, and, unless what the reader named is there, those that save most or are newest."""
    most = _NEAREST + _WORTHIEST
    near = [place for place in np.argsort(-similarity, kind="stable")[:most].tolist() if similarity[place] > 0]
    if not (interest.named and near):
        worth = sorted(range(len(items)), key=lambda place: (-(items[place].saving or 0.0), -items[place].created_at.timestamp(), items[place].item_id))
        near = list(dict.fromkeys([*near[:_NEAREST], *worth[:most]]))[:most]
    return [items[place] for place in near], similarity[near]


def _stems(text: str) -> frozenset[str]:
    return frozenset(term for words in (text, *translate(text)) for term in terms_of(words, None))
