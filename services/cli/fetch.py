"""``luna data prices`` and ``luna data weather``: what outside services publish, into the database."""

from typing import Annotated, get_args

import typer

from luna.contracts import FetchPricesReply, FetchPricesRequest, FetchWeatherRequest, SiteWeatherReply
from luna.contracts.data import PriceService
from luna.energy.errors import UnavailableError
from luna.energy.timeline import parse_instant
from luna.platform.clock import SystemClock
from luna.platform.database import engine
from luna.platform.desk.servers import open_database
from luna.platform.settings import load_settings
from services.cli.console import JsonOption, emit, err, out, table
from services.cli.options import SiteOption, compose_request, parse_window

SERVICES = " or ".join(", ".join(get_args(PriceService)).rsplit(", ", 1))
MarketFirst = Annotated[str | None, typer.Option("--from", help="The first instant; without offset, by the market's clock. Default: what is missing.")]
MarketEnd = Annotated[str | None, typer.Option("--to", help="The instant after the last.")]
SiteFirst = Annotated[str, typer.Option("--from", help="The first instant; without offset, by the site's clock.")]
SiteEnd = Annotated[str, typer.Option("--to", help="The instant after the last, at most 15 days ahead.")]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command()(prices)
    app.command()(weather)


def prices(
    *,
    market: Annotated[str, typer.Option(help="The market as tariffs name it: DE-LU, NL, AT, SE3 …")],
    first: MarketFirst = None,
    end: MarketEnd = None,
    source: Annotated[str | None, typer.Option(help=f"{SERVICES} alone; default: one after the other.")] = None,
    currency: Annotated[str | None, typer.Option(help="Default: that of the sites on this market, else EUR.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a market's day-ahead prices; fetching them again changes nothing, revised ones are kept beside the first."""
    from services.ingest.price_collection import fetch_prices
    from services.ingest.sources.prices.registry import market_named

    zone = market_named(market).zone
    window = {"first": first and parse_instant(first, field="--from", zone=zone), "end": end and parse_instant(end, field="--to", zone=zone)}
    request = compose_request(FetchPricesRequest, market=market, source=source, currency=currency, **window)
    with err.status(f"Asking for prices of {market} …"), open_database() as pool:
        reply = fetch_prices(pool, request, load_settings(), clock=SystemClock())
    _require_some(reply, market)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show_prices(reply))


def weather(*, site: SiteOption, first: SiteFirst, end: SiteEnd, as_json: JsonOption = False) -> None:
    """Fetch the weather at a site: what it was, and from now on what is expected. The place is told to the kilometre."""
    from services.ingest.weather_service import fetch_weather

    with err.status(f"Asking for the weather at {site} …"), open_database() as pool:
        with engine.unit_of_work(pool) as connection:
            window = parse_window(connection, site, first, end)
        request = FetchWeatherRequest(site_id=site, first=window[0], end=window[1])
        (reply,) = fetch_weather(pool, request, load_settings(), clock=SystemClock()).sites
    if reply.faults and not reply.written:
        raise UnavailableError(f"no weather came: {reply.faults[0]}", field="site", value=site)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show_weather(reply))


def _require_some(reply: FetchPricesReply, market: str) -> None:
    faults = [fault for entry in reply.markets if not entry.sources and entry.missing for fault in entry.faults]
    if faults:
        raise UnavailableError(f"no prices came: {' '.join(faults)}", field="market", value=market)


def _show_prices(reply: FetchPricesReply) -> None:
    if not reply.markets:
        out.print("Nothing is missing.")
    for entry in reply.markets:
        sources = ", ".join(f"{name} {count:,}" for name, count in entry.sources.items()) or "–"
        row = [entry.market, sources, f"{entry.added:,}", f"{entry.revised:,}", f"{entry.missing:,}"]
        table(["market", "quarter-hours from", "new", "revised", "still unknown"], [row], words=["quarter-hours from"])
        for fault in entry.faults:
            out.print(f"  {fault}", markup=False)


def _show_weather(reply: SiteWeatherReply) -> None:
    out.print(f"{reply.written:,} quarter-hours are new or changed.")
    for fault in reply.faults:
        out.print(f"  {fault}", markup=False)
