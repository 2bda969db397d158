"""How much a test draws: a part of its cases in everybody's loop, all of them where ``LUNA_TEST_THOROUGH`` is set, as ``make test-system`` does."""

import os

THOROUGH = bool(os.environ.get("LUNA_TEST_THOROUGH"))
PART = 8
LEAST = 6


def draws(count: int) -> int:
    """Return how many of ``count`` drawn cases are tried in this run."""
    return count if THOROUGH else max(count // PART, min(count, LEAST))
