"""Scenarios at the forecaster's edge: fetch what they rest on, make them, store them beside their forecast."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.forecast_explanation import IssueScenariosReply, IssueScenariosRequest
from luna.energy.outlook import Forecast, Scenarios
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import forecast_activations, forecast_scenarios, past_forecasts, prices, quality, sites
from luna.platform.database.recorded_span import Span
from luna.platform.objects import ObjectStore
from services.forecaster.inputs.solar import limit_output
from services.forecaster.scenarios.past_error import ErrorHistory, days_before
from services.forecaster.scenarios.price_model import MEMORY, MarketAhead, look_beyond
from services.forecaster.scenarios.scenarios import DEFAULT_COUNT, NEEDED_DAYS, make_scenarios
from services.forecaster.service import IssueFacts, choose_speaker, issue_in_parts, read_facts, read_history, read_surroundings

SEED = 0  # the same draws in every issue: a plan made anew changes because the forecast did


@dataclass(frozen=True, slots=True)
class IssuedScenarios:
    """The scenarios of one forecast, and how long they took without reading and storing."""

    scenarios: Scenarios
    seconds: float

    def reply(self) -> IssueScenariosReply:
        """Return the message about them."""
        scenarios = self.scenarios
        return IssueScenariosReply(
            forecast_version=scenarios.version,
            issued_at=scenarios.issued_at,
            count=scenarios.probability.size,
            slots=scenarios.timeline.count,
            reasons=list(scenarios.reasons),
            milliseconds=1000 * self.seconds,
        )


def issue_requested(connection: Connection, request: IssueScenariosRequest, *, objects: ObjectStore) -> IssuedScenarios:
    """Make and store the scenarios of the forecast that was issued last within the hour before the instant asked for.

    Raises:
        NotFoundError: no such site, or no forecast was issued then.
    """
    site = sites.load(connection, request.site_id)
    version = request.forecast_version or forecast_activations.find_active(connection, site).forecast_version
    issued = past_forecasts.read_past(connection, site.name, version=version, instants=[request.at])
    if not issued:
        local_instant = request.at.astimezone(ZoneInfo(site.timezone)).isoformat()
        raise refuse("no-forecast-in-the-hour-before", field="at", value=local_instant, site_id=site.name, version=version, at=local_instant)
    (forecast,), key = issued, sites.key_of(connection, site.name)
    facts = read_facts(connection, {key: site}, [forecast.issued_at])
    past = read_past(connection, facts, {key: version}, forecast.timeline)
    issued_scenarios = make_from_past(connection, past[key], forecast, objects=objects, count=request.count)
    forecast_scenarios.save(connection, site.name, issued_scenarios.scenarios)
    return issued_scenarios


@dataclass(frozen=True)
class PublishedPrices:
    """Prices of markets and of sites' own series as published, by where they are stored, until the end of the horizon ``ahead``.

    What is said of one beyond that is worked out once for all sites of a time zone.
    """

    ahead: Timeline
    published: Mapping[prices.StoredSeries, FloatArray]
    _looked: dict[tuple[prices.StoredSeries, str], MarketAhead] = field(default_factory=dict)

    def look_beyond(self, series: prices.StoredSeries, timezone: str) -> MarketAhead:
        """Return the prices over the horizon."""
        if (series, timezone) not in self._looked:
            self._looked[series, timezone] = look_beyond(self.published[series], _around(self.ahead), timeline=self.ahead, zone=ZoneInfo(timezone))
        return self._looked[series, timezone]


@dataclass(frozen=True, slots=True)
class ForecastPast:
    """Inputs of scenarios besides their forecast: the site's facts, past forecasts of its version, and prices ahead.

    Measurements within ``excluded`` are not used.
    """

    facts: IssueFacts
    issued: Sequence[Forecast]
    excluded: Sequence[Span]
    prices: PublishedPrices


def read_past(connection: Connection, facts: Mapping[int, IssueFacts], versions: Mapping[int, str], ahead: Timeline) -> dict[int, ForecastPast]:
    """Return the inputs of scenarios of sites' forecasts over ``ahead``, by the sites' keys.

    Args:
        connection: to the database.
        facts: of the instant at which the forecasts were issued, the same for all.
        versions: by which.
        ahead: their horizon.
    """
    issued_at = next(iter(facts.values())).instants[0]
    past_instants = days_before(issued_at, ahead.count)
    issued = past_forecasts.read_past_each(connection, versions, past_instants)
    sites_by_key = {key: each.site for key, each in facts.items()}
    excluded = quality.list_excluded_each(connection, sites_by_key, min(past_instants) - past_forecasts.NEAR, ahead.start)
    names = dict.fromkeys(prices.stored_series(site, name) for site in sites_by_key.values() for name in site.tariff.price_series)
    published = PublishedPrices(ahead, prices.read_each(connection, [*names], _around(ahead), known_at=issued_at))
    return {key: ForecastPast(each, issued.get(key, ()), excluded[key], published) for key, each in facts.items()}


def make_from_past(connection: Connection, past: ForecastPast, forecast: Forecast, *, objects: ObjectStore, count: int = DEFAULT_COUNT) -> IssuedScenarios:
    """Return the scenarios of a forecast, from nothing known after its issue; days on which nobody issued one are issued again, where enough was measured."""
    site = past.facts.site
    # How the forecast's version erred at this time of day in the weeks before; with too few issues stored, how it would have.
    needed = max(NEEDED_DAYS, count)
    issued = past.issued if len(past.issued) >= needed else _issue_again(connection, past.facts, forecast, objects=objects, needed=needed)
    measured = past.facts.recorded.without(past.excluded)
    errors = ErrorHistory.of(issued, measured, issued_at=forecast.issued_at, limit_kwh=limit_output(past.facts.site), slots=forecast.timeline.count)
    began = time.perf_counter()
    markets = {name: past.prices.look_beyond(prices.stored_series(site, name), site.timezone) for name in site.tariff.price_series}
    scenarios = make_scenarios(forecast, errors, markets, count=count, seed=SEED)
    return IssuedScenarios(scenarios, time.perf_counter() - began)


def _issue_again(connection: Connection, facts: IssueFacts, forecast: Forecast, *, objects: ObjectStore, needed: int) -> list[Forecast]:
    """Return hindsight forecasts of the version since the site is measured; none for fewer than ``needed`` days."""
    site, span = facts.site, facts.span
    instants = [instant for instant in days_before(forecast.issued_at, forecast.timeline.count) if span is not None and instant >= span[0]]
    if len(instants) < needed:
        return []
    speaker = choose_speaker(site, forecast.version, facts.run, objects=objects)
    context = read_surroundings(connection, site, instants)
    return list(issue_in_parts(speaker.forecaster, read_history(connection, site, instants), instants, context=context)[0])


def _around(ahead: Timeline) -> Timeline:
    return Timeline(ahead.start - MEMORY, SLOT, MEMORY // SLOT + ahead.count)
