"""Turns every device of armed sites when a slot begins, sooner where something is awaited, and once in a while besides."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.health import ControlledSite
from luna.control import BATTERIES
from luna.database import control, sites
from luna.database.engine import unit_of_work
from luna.errors import InvalidInputError, LunaError, UnavailableError
from luna.health import Pulse
from luna.timeline import SLOT, Clock, floor_to
from services.planner.execution.standing import Board, describe_sites
from services.planner.execution.turn import Executor
from services.planner.execution.units import list_units

LOOK = timedelta(seconds=5)
AWAITED_LOOK = timedelta(seconds=1)
# Devices that answer slowly must not keep the others waiting.
AT_ONCE = 16

log = structlog.get_logger("luna.planner.execution")


class Watch:
    """Has each device's turns follow each other, and those of several run side by side."""

    def __init__(self, engine: Engine, executor: Executor, *, clock: Clock) -> None:
        self._engine = engine
        self._executor = executor
        self._clock = clock
        self._running: dict[tuple[str, str], Future[bool]] = {}
        self._board = Board()
        self.sites: tuple[ControlledSite, ...] = ()

    def run(self, pulse: Pulse, *, ending: threading.Event) -> None:
        """Turn until ``ending`` is set; a turn under way ends by itself."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="site") as pool:
            while not ending.is_set():
                pulse.beat()
                self._begin_turns(pool)
                self._look()
                ending.wait(wait_for(self._clock.now(), awaited=self._awaited()).total_seconds())
        self._executor.close()

    def _begin_turns(self, pool: ThreadPoolExecutor) -> None:
        due: list[tuple[str, str]] = []
        try:
            with unit_of_work(self._engine) as connection:
                for state in control.load_active(connection):
                    due += list_turns(connection, state.site)
        except UnavailableError as error:
            log.warning("the sites cannot be read", error=str(error))
            return
        self._running = {whom: turn for whom, turn in self._running.items() if whom in due or not turn.done()}
        for whom in due:
            if whom not in self._running or self._running[whom].done():
                self._running[whom] = pool.submit(self._turn, *whom)

    def _turn(self, site_id: str, key: str) -> bool:
        try:
            return self._executor.turn(site_id, key)
        except LunaError as error:
            log.warning("the slot cannot be followed", site_id=site_id, device=key, error=str(error))
        except Exception:  # the edge of a turn: the others go on
            log.exception("the turn failed", site_id=site_id, device=key)
        return False

    def _awaited(self) -> bool:
        return any(not turn.done() or turn.result() for turn in self._running.values())

    def _look(self) -> None:
        """See how everything stands, for those who watch; after the turns have begun, for it must not delay them."""
        try:
            with unit_of_work(self._engine) as connection:
                self.sites = describe_sites(connection)
        except UnavailableError as error:
            log.warning("the sites cannot be read", error=str(error))
        else:
            self._board.show(self.sites, now=self._clock.now())


def list_turns(connection: Connection, site_id: str) -> list[tuple[str, str]]:
    """Return what is to be turned of a site: what its section ``control`` names, and what was told something before."""
    try:
        site = sites.load(connection, site_id)
    except InvalidInputError as error:
        log.warning("the site cannot be read", site_id=site_id, error=str(error))
        return []
    keys = dict.fromkeys([*list_units(site, site.control), BATTERIES, *control.list_told(connection, site_id)])
    return [(site_id, key) for key in keys]


def wait_for(now: datetime, *, awaited: bool) -> timedelta:
    """Return how long to wait before the next look: never past the start of a slot."""
    return min(AWAITED_LOOK if awaited else LOOK, floor_to(now, SLOT) + SLOT - now)
