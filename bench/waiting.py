"""Poll until a state is reached."""

import time
from collections.abc import Callable
from contextlib import suppress

PAUSE_SECONDS = 0.05


def wait_until(
    holds: Callable[[], object],
    *,
    seconds: float,
    what: str,
    despite: tuple[type[Exception], ...] = (),
) -> float:
    """Wait until ``holds`` is true; return the seconds.

    Args:
        holds: polled.
        seconds: time limit.
        what: the state in words, for the error.
        despite: exceptions of ``holds`` that mean no.

    Raises:
        TimeoutError: the state is not reached in time.
    """
    begun = time.monotonic()
    while True:
        with suppress(*despite):
            if holds():
                return time.monotonic() - begun
        if time.monotonic() > begun + seconds:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(PAUSE_SECONDS)
