"""Create the simulated home from a recorded year and today's prices."""

import httpx

from luna.contracts.data import FetchPricesRequest
from luna.contracts.simulated_home import SimulatedHomeReply
from luna.energy.timeline import SLOT, Timeline, local_midnight
from luna.platform.database.prices import USUAL_CURRENCY
from luna.platform.queue import TaskContext
from luna.simulated_home.creation import is_living, store_home
from luna.simulated_home.recorded_year import RecordedYear
from luna.simulated_home.site import REAL_MARKET, SITE_NAME, ZONE
from services.ingest import price_collection
from services.ingest.collected_prices import CollectedPrices, Need
from services.ingest.demo_data.demo import load_demo
from services.ingest.listening import StateFile
from services.ingest.sources.prices.registry import market_named


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
    is_new = not is_living(work)
    demo = load_demo(work.settings.cache, progress=work.progress)
    home = demo.sites[0].observations
    year = RecordedYear.of(
        home.starts, ZONE, load_kwh=home.load_kwh, pv_kwh=home.pv_kwh, price=demo.prices.price
    )
    if is_new:
        if work.settings.outside_services:
            # No transaction is open meanwhile.
            fetched = _fetch_prices(work, transport)
            price_collection.store_prices(work.connection, fetched, now=work.clock.now())
        work.on_commit(lambda: _forget_built_slots(work))
    return store_home(work, year)


def _fetch_prices(
    work: TaskContext, transport: httpx.BaseTransport | None
) -> list[CollectedPrices]:
    """Return the real market's prices of today, and of tomorrow where they are out."""
    asked_at = work.clock.now()
    today = local_midnight(asked_at.astimezone(ZONE).date(), ZONE)
    expected = price_collection.expected_window(asked_at, market_named(REAL_MARKET))
    timeline = Timeline(today, SLOT, (expected.end - today) // SLOT)
    return price_collection.gather_all(
        [Need(REAL_MARKET, USUAL_CURRENCY, timeline)],
        FetchPricesRequest(market=REAL_MARKET),
        work.settings,
        transport=transport,
    )


def _forget_built_slots(work: TaskContext) -> None:
    # Of a home of this name that was removed, the recorder would build the slots since then, over
    # the past that was loaded.
    notes = StateFile(work.settings.data_folder / "live" / "notes.json")
    built = dict(notes.read("built_until") or {})
    if built.pop(SITE_NAME, None) is not None:
        notes.write({"built_until": built})
