"""Hand devices back when the process ends: each by itself, all within seconds.

Devices that do not answer are named in the log.
"""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

import structlog

from luna.energy.errors import LunaError
from services.executor.control_step import Executor

RELEASE_SECONDS = 5.0
# The time that a home automation needs until it reports a new value.
_PAUSE_SECONDS = 0.25
UnitKey = tuple[str, str]

log = structlog.get_logger("luna.executor")


def release_units(
    executor: Executor,
    running: Mapping[UnitKey, "Future[bool]"],
    *,
    within_s: float = RELEASE_SECONDS,
) -> list[UnitKey]:
    """Hand units back and return those without a confirmation; sites stay armed.

    Args:
        executor: runs their control steps.
        running: the last control step of each unit, which may still run.
        within_s: time for all of them, in seconds.
    """
    deadline = time.monotonic() + within_s
    released: set[UnitKey] = set()

    def release(unit: UnitKey, step: "Future[bool]") -> None:
        if _hand_back(executor, unit, step, deadline=deadline):
            released.add(unit)

    threads = [
        threading.Thread(target=release, args=unit_and_step, name="release", daemon=True)
        for unit_and_step in running.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    left = sorted(running.keys() - released)
    for site_id, key in left:
        remedy = (
            "Set it to its own mode in its app or at its display; Luna takes it up again at "
            "its next start."
        )
        log.error(
            "a device is not handed back: it did not confirm",
            site_id=site_id,
            device=key,
            remedy=remedy,
        )
    return left


def _hand_back(executor: Executor, unit: UnitKey, step: "Future[bool]", *, deadline: float) -> bool:
    """Hand a unit back once its running step has ended.

    Return whether that was confirmed in time.
    """
    try:
        step.result(max(deadline - time.monotonic(), 0))
        while time.monotonic() < deadline:
            if executor.hand_back(*unit):
                return True
            time.sleep(_PAUSE_SECONDS)
    except (LunaError, FutureTimeoutError) as error:
        log.warning(
            "a device cannot be handed back", site_id=unit[0], device=unit[1], error=str(error)
        )
    return False
