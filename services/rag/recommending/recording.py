"""What readers did, the reward that it is, and what the policies learn from it, in one transaction."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from luna.contracts.recommendations import EventAction, EventsReply, RecordEventsRequest
from luna.platform.database import recommendations
from luna.platform.database.recommendations import Learned
from services.rag.recommending.bandit import Statistics
from services.rag.recommending.features import DIMENSIONS

# Reading for two minutes says as much as can be said without a word.
FULL_READING_SECONDS = 120.0
OPENED, READ_THROUGH = 0.4, 0.8


def reward_of(actions: Iterable[tuple[EventAction, float | None]]) -> float:
    """Return the reward of one showing from all that was done with it.

    Useful is 1. Dismissed is 0 whatever else was done, unless it was useful: what was useful may be put away. Opened is 0.4; reading adds up to another 0.4,
    linearly until two minutes in all. Shown and nothing more is 0.

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
        before = learned[policy]
        statistics = Statistics(before.precision, before.response, before.count)
        for each in observed:
            # What was shown before the features changed teaches nothing of the ones of now.
            if each.policy == policy and each.features.size == DIMENSIONS:
                reward = reward_of(each.actions)
                statistics = statistics.observe(each.features, reward) if each.reward is None else statistics.revise(each.features, reward - each.reward)
        recommendations.save_learned(connection, policy, Learned(statistics.precision, statistics.response, statistics.count), now=now)
    recommendations.save_rewards(connection, {each.recommendation_id: reward_of(each.actions) for each in observed})
    unknown = [each.event_id for each in request.events if each.recommendation_id not in showings]
    return EventsReply(accepted=len(new), duplicated=len(valid) - len(new), unknown=unknown)
