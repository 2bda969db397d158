"""Store the simulated home with its past, start its process, and remove it."""

from collections.abc import Callable
from datetime import timedelta
from operator import attrgetter

import numpy as np

from luna.contracts.simulated_home import RemovedHomeReply, SimulatedHomeReply
from luna.drivers.simulated_battery import BatteryCharge
from luna.energy.observations import SERIES
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, SLOTS_PER_HOUR, FloatArray, Timeline, floor_to
from luna.platform.database import charging_sessions, observations, prices, site_removal, sites
from luna.platform.embedded.state import choose_port
from luna.platform.packages import Progress
from luna.platform.queue import TaskContext
from luna.platform.settings.stored import store_settings
from luna.simulated_home.car import CAR_MODEL, CarState
from luna.simulated_home.files import HomeFiles, HomeSetup, let_go
from luna.simulated_home.heater import HeaterState
from luna.simulated_home.house import BATTERY_MODEL, HomeState, advance
from luna.simulated_home.market import find_price_origin, publish_prices
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import (
    MARKET,
    SITE_NAME,
    SUBMETERS,
    build_site,
    is_simulated,
    list_charging_sessions,
)

HISTORY = timedelta(weeks=5)
SEED = 2023
_STEP_SECONDS = 60.0
_START_SOC = 0.5
# Meters of each energy of a slot.
_COUNTERS: dict[str, Callable[[HomeState], float]] = {
    name: attrgetter(name) for name in SERIES if name != "soc"
} | {name: attrgetter(counter) for name, counter in SUBMETERS.items()}


def is_living(work: TaskContext) -> bool:
    """Return whether the home's process runs, or is to run.

    Raises:
        ConflictError: it does not, and Luna speaks to a broker already.
    """
    is_there = HomeFiles(work.settings.data_folder).is_there
    if not is_there and work.settings.mqtt_url:
        raise refuse("simulated-home-own-broker", field="mqtt_url")
    return is_there


def store_home(work: TaskContext, year: RecordedYear) -> SimulatedHomeReply:
    """Store the home and its past, unless both are there; its process starts on the commit.

    Raises:
        ConflictError: another site has the home's name; nothing was changed.
    """
    files = HomeFiles(work.settings.data_folder)
    now = floor_to(work.clock.now(), SLOT)
    has_site = SITE_NAME in sites.names(work.connection)
    if has_site and not is_simulated(sites.load(work.connection, SITE_NAME)):
        raise refuse("simulated-home-name-taken", field="site", value=SITE_NAME)
    first = now if has_site and files.is_there else now - HISTORY
    written = 0
    if first < now:
        timeline = Timeline(first, SLOT, (now - first) // SLOT)
        past, state = live_past(year, timeline, progress=work.progress)
        sites.save(work.connection, build_site())
        stored = observations.write(work.connection, SITE_NAME, timeline.starts, past)
        for session in list_charging_sessions(now):
            charging_sessions.add(work.connection, SITE_NAME, session, by=SITE_NAME, now=now)
        written = stored.inserted + stored.updated
        written += publish_prices(work.connection, year, since=first, now=work.clock.now())
        if not files.is_there:
            work.on_commit(lambda: _start_home(work, files, year, state))
    return SimulatedHomeReply(
        site_id=SITE_NAME,
        first=first,
        end=now,
        rows_written=written,
        prices=find_price_origin(work.connection, now=now),
    )


def remove_home(work: TaskContext) -> RemovedHomeReply:
    """Remove the simulated home with everything derived from it.

    Its devices need no handing back.

    Raises:
        ConflictError: work for it is under way.
    """
    files = HomeFiles(work.settings.data_folder)
    if not files.is_there:
        return RemovedHomeReply(removed=False)
    has_site = SITE_NAME in sites.names(work.connection)
    artefacts = site_removal.remove(work.connection, SITE_NAME, armed=True) if has_site else []
    prices.forget_market(work.connection, MARKET)
    work.on_commit(lambda: _let_go(work, files, artefacts))
    return RemovedHomeReply(removed=True)


def live_past(
    year: RecordedYear, timeline: Timeline, *, progress: Progress
) -> tuple[dict[str, FloatArray], HomeState]:
    """Return the measured columns of a past without control, and the state at its end."""
    rows = year.rows_of(timeline.starts)
    load_kw = year.load_kwh[rows] * SLOTS_PER_HOUR
    pv_kw = year.pv_kwh[rows] * SLOTS_PER_HOUR
    battery = BatteryCharge(_START_SOC * BATTERY_MODEL.capacity_kwh)
    state = HomeState(
        timeline.start.timestamp(),
        battery,
        car=CarState(_START_SOC * CAR_MODEL.capacity_kwh),
        heater=HeaterState(),
    )
    series = {name: np.empty(timeline.count) for name in _COUNTERS | {"soc": None}}
    for slot in range(timeline.count):
        before = state
        for _ in range(int(SLOT.total_seconds() / _STEP_SECONDS)):
            state = advance(
                state,
                load_kw=float(load_kw[slot]),
                pv_kw=float(pv_kw[slot]),
                seconds=_STEP_SECONDS,
                seed=SEED,
            )
        for name, count in _COUNTERS.items():
            series[name][slot] = count(state) - count(before)
        series["soc"][slot] = state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh
        if slot % 96 == 0:
            progress(slot, timeline.count, SITE_NAME)
    return series, state


def _start_home(work: TaskContext, files: HomeFiles, year: RecordedYear, state: HomeState) -> None:
    files.make()
    year.save(files.year)
    files.write_state(state)
    setup = HomeSetup(port=choose_port(None), seed=SEED)
    # From now on its process is started; then Luna listens to it.
    files.write_setup(setup)
    store_settings(work.settings, {"mqtt_url": f"mqtt://127.0.0.1:{setup.port}"})


def _let_go(work: TaskContext, files: HomeFiles, artefacts: list[str]) -> None:
    let_go(work.settings, files)
    for key in artefacts:
        work.objects.remove(key)
