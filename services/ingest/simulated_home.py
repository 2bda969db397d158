"""Creation and removal of a simulated home.

Its recorded past, its site, its market, and the files of its process.
"""

from collections.abc import Callable
from datetime import timedelta
from operator import attrgetter

import httpx
import numpy as np

from luna.contracts.data import FetchPricesRequest
from luna.contracts.simulated_home import RemovedHomeReply, SimulatedHomeReply
from luna.energy.observations import SERIES
from luna.energy.refusals import refuse
from luna.energy.timeline import (
    SLOT,
    SLOTS_PER_HOUR,
    FloatArray,
    Timeline,
    floor_to,
    local_midnight,
)
from luna.platform.database import charging_sessions, observations, prices, site_removal, sites
from luna.platform.database.prices import USUAL_CURRENCY
from luna.platform.embedded.state import choose_port
from luna.platform.packages import Progress
from luna.platform.queue import TaskContext
from luna.platform.settings.stored import store_settings
from luna.platform.simulated_home.battery import BatteryCharge
from luna.platform.simulated_home.car import CAR_MODEL, CarState
from luna.platform.simulated_home.files import HomeFiles, HomeSetup, let_go
from luna.platform.simulated_home.heater import HeaterState
from luna.platform.simulated_home.house import BATTERY_MODEL, HomeState, advance
from luna.platform.simulated_home.market import find_price_origin, publish_prices
from luna.platform.simulated_home.recorded_year import RecordedYear
from luna.platform.simulated_home.site import (
    MARKET,
    REAL_MARKET,
    SITE_NAME,
    SUBMETERS,
    ZONE,
    build_site,
    is_simulated,
    list_charging_sessions,
)
from services.ingest import price_collection
from services.ingest.collected_prices import CollectedPrices, Need
from services.ingest.demo_data.demo import load_demo
from services.ingest.listening import StateFile
from services.ingest.sources.prices.registry import market_named

HISTORY = timedelta(weeks=5)
SEED = 2023
_STEP_SECONDS = 60.0
_START_SOC = 0.5
# Meters of each energy of a slot.
_COUNTERS: dict[str, Callable[[HomeState], float]] = {
    name: attrgetter(name) for name in SERIES if name != "soc"
} | {name: attrgetter(counter) for name, counter in SUBMETERS.items()}


def make_home(
    work: TaskContext, *, transport: httpx.BaseTransport | None = None
) -> SimulatedHomeReply:
    """Store the home and its past, then let its process start.

    Args:
        work: the unit of work.
        transport: carries requests for prices; tests hand in one that gives recorded replies.

    Raises:
        MachineError: the recorded year is neither cached nor downloadable.
        ConflictError: Luna speaks to a broker already, or another site has the home's name; nothing
            was changed.
    """
    files = HomeFiles(work.settings.data_folder)
    now = floor_to(work.clock.now(), SLOT)
    if not files.is_there and work.settings.mqtt_url:
        raise refuse("simulated-home-own-broker", field="mqtt_url")
    demo = load_demo(work.settings.cache, progress=work.progress)
    home = demo.sites[0].observations
    year = RecordedYear.of(
        home.starts, ZONE, load_kwh=home.load_kwh, pv_kwh=home.pv_kwh, price=demo.prices.price
    )
    fetched: list[CollectedPrices] = []
    if not files.is_there and work.settings.outside_services:
        # The real market's prices of today, and of tomorrow where they are out; no transaction is
        # open meanwhile.
        asked_at = work.clock.now()
        today = local_midnight(asked_at.astimezone(ZONE).date(), ZONE)
        expected = price_collection.expected_window(asked_at, market_named(REAL_MARKET))
        need = Need(
            REAL_MARKET, USUAL_CURRENCY, Timeline(today, SLOT, (expected.end - today) // SLOT)
        )
        fetched = price_collection.gather_all(
            [need], FetchPricesRequest(market=REAL_MARKET), work.settings, transport=transport
        )
    if SITE_NAME in sites.names(work.connection) and not is_simulated(
        sites.load(work.connection, SITE_NAME)
    ):
        raise refuse("simulated-home-name-taken", field="site", value=SITE_NAME)
    if files.is_there and SITE_NAME in sites.names(work.connection):
        return SimulatedHomeReply(
            site_id=SITE_NAME,
            first=now,
            end=now,
            rows_written=0,
            prices=find_price_origin(work.connection, now=now),
        )
    first = now - HISTORY
    timeline = Timeline(first, SLOT, (now - first) // SLOT)
    past, state = live_past(year, timeline, progress=work.progress)
    sites.save(work.connection, build_site())
    stored = observations.write(work.connection, SITE_NAME, timeline.starts, past)
    for session in list_charging_sessions(now):
        charging_sessions.add(work.connection, SITE_NAME, session, by=SITE_NAME, now=now)
    written = stored.inserted + stored.updated
    price_collection.store_prices(work.connection, fetched, now=work.clock.now())
    written += publish_prices(work.connection, year, since=first, now=work.clock.now())
    if not files.is_there:
        work.on_commit(lambda: _let_live(work, files, year, state))
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
    was_there = files.is_there
    has_site = SITE_NAME in sites.names(work.connection)
    if not was_there:
        return RemovedHomeReply(removed=False)
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


def _let_live(work: TaskContext, files: HomeFiles, year: RecordedYear, state: HomeState) -> None:
    files.make()
    year.save(files.year)
    files.write_state(state)
    setup = HomeSetup(port=choose_port(None), seed=SEED)
    path = work.settings.data_folder / "live" / "notes.json"
    # Of a home of this name that was removed, the recorder would build the slots since then, over
    # the past that was loaded.
    notes = StateFile(path)
    built = dict(notes.read("built_until") or {})
    if built.pop(SITE_NAME, None) is not None:
        notes.write({"built_until": built})
    # From now on its process is started; then Luna listens to it.
    files.write_setup(setup)
    store_settings(work.settings, {"mqtt_url": f"mqtt://127.0.0.1:{setup.port}"})


def _let_go(work: TaskContext, files: HomeFiles, artefacts: list[str]) -> None:
    let_go(work.settings, files)
    for key in artefacts:
        work.objects.remove(key)
