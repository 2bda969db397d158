"""A fortnight of both homes by the second, with the loop and without; see ``bench.steering``.

Run as ``luna bench steering-fortnight --full``, or ``--days 2`` for the short way.
"""

from typing import Any

from bench.steering.fortnight import measure_both


def measure(*, full: bool = False, days: float | None = None) -> dict[str, Any]:
    """Return the figures of both homes.

    Args:
        full: a fortnight instead of two days.
        days: so many days instead.
    """
    return measure_both(full=full, days=days)
