"""Turns every armed site when a slot begins, sooner where something is awaited, and once in a while besides."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from luna.contracts.control import ControlState
from luna.database import control
from luna.database.engine import unit_of_work
from luna.errors import LunaError, UnavailableError
from luna.health import Pulse
from luna.timeline import SLOT, Clock, floor_to
from services.planner.execution.metrics import ARMED, CONFIRMED
from services.planner.execution.turn import Executor

LOOK = timedelta(seconds=5)
AWAITED_LOOK = timedelta(seconds=1)
# Sites whose inverters answer slowly must not keep the others waiting.
AT_ONCE = 8

log = structlog.get_logger("luna.planner.execution")


class Watch:
    """Has each site's turns follow each other, and those of several sites run side by side."""

    def __init__(self, engine: Engine, executor: Executor, *, clock: Clock) -> None:
        self._engine = engine
        self._executor = executor
        self._clock = clock
        self._running: dict[str, Future[bool]] = {}
        self._shown: set[str] = set()

    def run(self, pulse: Pulse, *, ending: threading.Event) -> None:
        """Turn until ``ending`` is set; a turn under way ends by itself."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="site") as pool:
            while not ending.is_set():
                pulse.beat()
                self._begin_turns(pool)
                ending.wait(wait_for(self._clock.now(), awaited=self._awaited()).total_seconds())
        self._executor.close()

    def _begin_turns(self, pool: ThreadPoolExecutor) -> None:
        try:
            with unit_of_work(self._engine) as connection:
                states = control.load_active(connection)
        except UnavailableError as error:
            log.warning("the sites cannot be read", error=str(error))
            return
        self._show(states)
        known = {state.site for state in states}
        self._running = {site_id: turn for site_id, turn in self._running.items() if site_id in known or not turn.done()}
        for state in states:
            if state.site not in self._running or self._running[state.site].done():
                self._running[state.site] = pool.submit(self._turn, state.site)

    def _turn(self, site_id: str) -> bool:
        try:
            return self._executor.turn(site_id)
        except LunaError as error:
            log.warning("the site's slot cannot be followed", site_id=site_id, error=str(error))
        except Exception:  # the edge of a turn: the other sites go on
            log.exception("the site's turn failed", site_id=site_id)
        return False

    def _awaited(self) -> bool:
        return any(not turn.done() or turn.result() for turn in self._running.values())

    def _show(self, states: list[ControlState]) -> None:
        armed = {state.site for state in states if state.armed_at is not None}
        for site_id in self._shown - armed:
            ARMED.remove(site_id)
            CONFIRMED.remove(site_id)
        for site_id in armed - self._shown:
            ARMED.labels(site_id).set(1)
            CONFIRMED.labels(site_id).set(self._clock.now().timestamp())
        self._shown = armed


def wait_for(now: datetime, *, awaited: bool) -> timedelta:
    """Return how long to wait before the next look: never past the start of a slot."""
    return min(AWAITED_LOOK if awaited else LOOK, floor_to(now, SLOT) + SLOT - now)
