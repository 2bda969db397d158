"""Scenarios at the forecaster's edge: fetch what they rest on, make them, store them beside their forecast."""

import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.forecast_explanation import IssueScenariosReply, IssueScenariosRequest
from luna.database import forecast_activations, forecast_scenarios, past_forecasts, prices, quality, recorded_span, sites
from luna.errors import NotFoundError
from luna.objects import ObjectStore
from luna.outlook import Forecast, Scenarios
from luna.site import Site
from luna.timeline import SLOT, Timeline
from services.forecaster.inputs.solar import limit_output
from services.forecaster.scenarios.past_error import ErrorHistory, days_before
from services.forecaster.scenarios.price_model import MEMORY, MarketAhead, look_beyond
from services.forecaster.scenarios.scenarios import DEFAULT_COUNT, NEEDED_DAYS, make_scenarios
from services.forecaster.service import choose_speaker, issue_in_parts, read_history, read_surroundings

SEED = 0  # the same draws in every issue: a plan made anew changes because the forecast did


@dataclass(frozen=True, slots=True)
class IssuedScenarios:
    """The scenarios of one forecast, and how long they took without reading and storing."""

    scenarios: Scenarios
    seconds: float

    def reply(self) -> IssueScenariosReply:
        """Return the message about them."""
        made = self.scenarios
        return IssueScenariosReply(
            forecast_version=made.version,
            issued_at=made.issued_at,
            count=made.probability.size,
            slots=made.timeline.count,
            reasons=list(made.reasons),
            milliseconds=1000 * self.seconds,
        )


def issue_asked(connection: Connection, request: IssueScenariosRequest, *, objects: ObjectStore) -> IssuedScenarios:
    """Make and store the scenarios of the forecast that was issued last within the hour before the instant asked for.

    Raises:
        NotFoundError: no such site, or no forecast was issued then.
    """
    site = sites.load(connection, request.site_id)
    version = request.forecast_version or forecast_activations.find_active(connection, site).forecast_version
    issued = past_forecasts.read_past(connection, site.name, version=version, instants=[request.at])
    if not issued:
        asked = request.at.astimezone(ZoneInfo(site.timezone)).isoformat()
        remedy = f"Issue one: luna forecast issue --site {site.name} --version {version} --at {asked}"
        raise NotFoundError("no forecast was issued in the hour before", field="at", value=asked, remedy=remedy)
    return issue_scenarios(connection, site, issued[0], objects=objects, count=request.count)


def issue_scenarios(connection: Connection, site: Site, forecast: Forecast, *, objects: ObjectStore, count: int = DEFAULT_COUNT) -> IssuedScenarios:
    """Make the scenarios of a forecast from nothing known after its issue, and store them; made again, they take the place of the first."""
    errors = read_errors(connection, site, forecast, objects=objects, needed=max(NEEDED_DAYS, count))
    known = _read_markets(connection, site, forecast)
    began = time.perf_counter()
    markets = {market: look_ahead(price, forecast, site) for market, price in known.items()}
    made = make_scenarios(forecast, errors, markets, count=count, rng=np.random.default_rng(SEED))
    seconds = time.perf_counter() - began
    forecast_scenarios.save(connection, site.name, made)
    return IssuedScenarios(made, seconds)


def read_errors(connection: Connection, site: Site, forecast: Forecast, *, objects: ObjectStore, needed: int) -> ErrorHistory:
    """Return how the forecast's version erred at this time of day in the weeks before; where fewer than ``needed`` issues are stored, as it would have erred.

    Days judged ``exclude`` are left out.
    """
    wanted = days_before(forecast.issued_at, forecast.timeline.count)
    past = past_forecasts.read_past(connection, site.name, version=forecast.version, instants=wanted)
    if len(past) < needed:
        past = _issue_again(connection, site, forecast, objects=objects, needed=needed)
    start = min((each.timeline.start for each in past), default=forecast.timeline.start - SLOT)
    seen = quality.read_trusted(connection, site, Timeline(start, SLOT, (forecast.timeline.start - start) // SLOT))
    return ErrorHistory.of(past, seen, issued_at=forecast.issued_at, limit_kwh=limit_output(site), slots=forecast.timeline.count)


def _issue_again(connection: Connection, site: Site, forecast: Forecast, *, objects: ObjectStore, needed: int) -> list[Forecast]:
    """Return what the version would have said since the site is measured; nothing where that is not ``needed`` days."""
    span = recorded_span.of_site(connection, site.name)
    wanted = [instant for instant in days_before(forecast.issued_at, forecast.timeline.count) if span is not None and instant >= span[0]]
    if len(wanted) < needed:
        return []
    speaker = choose_speaker(connection, site, forecast.version, before=forecast.issued_at, objects=objects)
    context = read_surroundings(connection, site, wanted)
    return list(issue_in_parts(speaker.forecaster, read_history(connection, site, wanted), wanted, context=context)[0])


def _read_markets(connection: Connection, site: Site, forecast: Forecast) -> dict[str, np.ndarray]:
    """Return the prices that the site's tariff names as published when the forecast was issued, over ``_around`` the forecast, NaN where none was."""
    return prices.read_tariff(connection, site, _around(forecast), known_at=forecast.issued_at)


def look_ahead(price: np.ndarray, forecast: Forecast, site: Site) -> MarketAhead:
    """Return a market's prices over the forecast's horizon, from those of ``_read_markets``."""
    return look_beyond(price, _around(forecast), timeline=forecast.timeline, zone=ZoneInfo(site.timezone))


def _around(forecast: Forecast) -> Timeline:
    return Timeline(forecast.timeline.start - MEMORY, SLOT, MEMORY // SLOT + forecast.timeline.count)
