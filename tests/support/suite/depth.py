"""How long a run is: short in ``make test`` and ``make test-system``, long where ``LUNA_TEST_LONG``
is set, as ``make test-long`` does.

A test marked ``long`` is collected in a long run only.
A test that draws cases takes a part of them in a short run.
"""

import os

LONG_VARIABLE = "LUNA_TEST_LONG"
LONG = bool(os.environ.get(LONG_VARIABLE))
PART = 16
LEAST = 3


def draws(count: int) -> int:
    """Return how many of ``count`` drawn cases this run tries."""
    return count if LONG else max(count // PART, min(count, LEAST))
