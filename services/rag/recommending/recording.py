"""What readers did, and what the policies learn from it, in one transaction."""

from datetime import datetime

from sqlalchemy import Connection

from luna.contracts.recommendations import BanditPolicy, EventsReply, RecordEventsRequest
from luna.platform.database import recommendations
from luna.platform.database.recommendations import Learned, Observed
from services.rag.recommending.bandit import Statistics
from services.rag.recommending.features import DIMENSIONS
from services.rag.recommending.reward import reward_of


def record_events(connection: Connection, request: RecordEventsRequest, *, now: datetime) -> EventsReply:
    """Store what a reader did and learn from it; who reports at the same time waits, so that no observation is lost.

    Invariants: the same event counts once; what is learned does not depend on the order of events.
    """
    learned = recommendations.hold_learned(connection, dimensions=DIMENSIONS, now=now)
    showings = recommendations.find_showings(connection, request.reader, {each.recommendation_id for each in request.events})
    valid = [each for each in request.events if each.recommendation_id in showings]
    new = recommendations.add_events(connection, request.reader, valid, now=now)
    changed = {each.recommendation_id for each in valid if each.event_id in new}
    observed = recommendations.read_observed(connection, among=changed) if changed else []
    for policy in {each.policy for each in observed}:
        recommendations.save_learned(connection, policy, _learn(learned[policy], [each for each in observed if each.policy == policy]), now=now)
    recommendations.save_rewards(connection, {each.recommendation_id: reward_of(each.actions) for each in observed})
    unknown = [each.event_id for each in request.events if each.recommendation_id not in showings]
    return EventsReply(accepted=len(new), duplicated=len(valid) - len(new), unknown=unknown)


def rebuild_statistics(connection: Connection, *, now: datetime) -> dict[BanditPolicy, int]:
    """Learn everything anew from the log of events; return how many observations each policy has."""
    counts: dict[BanditPolicy, int] = {}
    for policy in recommendations.hold_learned(connection, dimensions=DIMENSIONS, now=now):
        observed = [each for each in recommendations.read_observed(connection, policy=policy) if each.features.size == DIMENSIONS]
        rewards = [reward_of(each.actions) for each in observed]
        learned = recommendations.sum_learned([each.features for each in observed], rewards, dimensions=DIMENSIONS)
        recommendations.save_learned(connection, policy, learned, now=now)
        counts[policy] = learned.count
    return counts


def _learn(learned: Learned, observed: list[Observed]) -> Learned:
    statistics = Statistics(learned.precision, learned.response, learned.count)
    for each in observed:
        # What was shown before the features changed teaches nothing of the ones of now.
        if each.features.size != DIMENSIONS:
            continue
        reward = reward_of(each.actions)
        statistics = statistics.observe(each.features, reward) if each.reward is None else statistics.revise(each.features, reward - each.reward)
    return Learned(statistics.precision, statistics.response, statistics.count)
