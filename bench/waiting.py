"""Waiting for a state, never for a time."""

import time
from collections.abc import Callable
from contextlib import suppress

PAUSE_SECONDS = 0.05


def wait_until(holds: Callable[[], object], *, seconds: float, what: str, despite: tuple[type[Exception], ...] = ()) -> float:
    """Return the seconds that it took until ``holds`` was true.

    Args:
        holds: asked again and again.
        seconds: how long at most.
        what: is waited for, in words.
        despite: what ``holds`` raises where the answer is no.

    Raises:
        TimeoutError: it does not hold in time.
    """
    begun = time.monotonic()
    while True:
        with suppress(*despite):
            if holds():
                return time.monotonic() - begun
        if time.monotonic() > begun + seconds:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(PAUSE_SECONDS)
