"""The reward of a recommendation from a reader's actions."""

from collections.abc import Iterable

from luna.contracts.recommendations import EventAction

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
