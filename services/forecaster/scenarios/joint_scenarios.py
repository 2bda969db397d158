"""Joint scenarios of load, PV and prices, from a forecast's quantiles and past errors.

The marginal distributions are the forecast's. Their correlation over time, between load and PV, and
with market prices is that of whole days of past errors: each day is a path of ranks, the share of
the forecast distribution below the measurement. A few representative paths take the forecast's
values in the order of their ranks, slot by slot. A site without enough past errors gets paths of a
typical persistence.

Source: Clark et al. (2004), the Schaake shuffle; Pinson et al. (2009), scenarios from probabilistic
forecasts; docs/decisions/0018.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.contracts.forecast_explanation import IssueScenariosReply, IssueScenariosRequest
from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Forecast, Scenarios
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import (
    forecast_activations,
    forecast_scenarios,
    past_forecasts,
    prices,
    quality,
    sites,
)
from luna.platform.database.recorded_span import Span
from luna.platform.objects import ObjectStore
from services.forecaster.forecast_issue import (
    IssueFacts,
    issue_in_parts,
    read_facts,
    read_history,
    read_surroundings,
    select_model,
)
from services.forecaster.inputs.solar import limit_output
from services.forecaster.scenarios.marginal import Marginals
from services.forecaster.scenarios.past_error import ErrorHistory, days_before
from services.forecaster.scenarios.price_model import MEMORY, MarketAhead, look_beyond


def select_paths(paths: FloatArray, count: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the indices and probabilities of ``count`` representatives of ``paths``.

    All paths are equally probable. Each step adds the path that most reduces the sum of distances
    to the nearest representative. A probability is half an equal share and half the share of
    nearest paths, because few paths say little about frequencies (docs/decisions/0018).

    Args:
        paths: shape ``(paths, values)``, in comparable units.

    Invariants: the probabilities are positive and sum to one.

    Source: Heitsch and Römisch (2003), fast forward selection.
    """
    squares = (paths**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * paths @ paths.T, 0))
    nearest = np.full(paths.shape[0], np.inf)
    chosen: list[int] = []
    for _ in range(count):
        total_distance = np.minimum(distance, nearest[:, None]).sum(axis=0)
        total_distance[chosen] = np.inf
        chosen.append(int(total_distance.argmin()))
        nearest = np.minimum(nearest, distance[:, chosen[-1]])
    representatives = np.array(chosen)
    belongs = distance[:, representatives].argmin(axis=1)
    shares = np.bincount(belongs, minlength=count) / belongs.size
    return representatives, (shares + 1 / count) / 2


DEFAULT_COUNT = 10
MOST_PATHS = 30
NEEDED_DAYS = 14
DRAWN_PATHS = 200
FEW_ERRORS = "few_error_paths"


@dataclass(frozen=True, slots=True)
class Persistence:
    """Typical persistence of errors.

    ``share`` of their variance is autoregressive with factor ``fade`` per slot, the rest is white
    noise.
    """

    share: float
    fade: float


# Fitted to 1,000 forecasts of the demo's households (correlations over 1 to 32 slots) and to a
# hundred days of Dutch prices.
LOAD_PERSISTENCE = Persistence(share=0.55, fade=0.9)
PV_PERSISTENCE = Persistence(share=1.0, fade=0.95)
PRICE_PERSISTENCE = Persistence(share=1.0, fade=0.97)


def make_scenarios(
    forecast: Forecast,
    errors: ErrorHistory,
    markets: Mapping[str, MarketAhead],
    *,
    count: int = DEFAULT_COUNT,
    seed: int = 0,
) -> Scenarios:
    """Return ``count`` joint scenarios of a forecast's load and PV and of the markets' prices.

    Args:
        errors: of the forecast's version; with fewer than 14 days, or than ``count``, paths of
            typical persistence are drawn from ``seed``.
        markets: prices ahead by market, on the forecast's timeline.

    Invariants: each slot's weighted mean is that of the forecast's distribution; PV is zero where
        the forecast's is; deterministic.

    Raises:
        InvalidInputError: ``count`` outside 1 … 30.
    """
    if not 1 <= count <= MOST_PATHS:
        raise InvalidInputError(
            "so many scenarios are not made",
            field="count",
            value=count,
            remedy=f"Choose 1 to {MOST_PATHS}.",
        )
    load = Marginals.of(forecast.load_kwh, np.inf)
    pv = Marginals.of(forecast.pv_kwh, errors.limit_kwh)
    has_errors = errors.days_back.size >= max(NEEDED_DAYS, count)
    # Ranks in the distributions by path and slot, as shares.
    if has_errors:
        load_shares = errors.load
        pv_shares = errors.pv
        price_shares = {name: market.recall(errors.days_back) for name, market in markets.items()}
    else:
        load_shares, pv_shares, *usual = _draw_usual(forecast.timeline.count, len(markets), seed)
        price_shares = dict(zip(markets, usual, strict=True))
    drawn = [load.draw(load_shares), pv.draw(pv_shares)]
    drawn += [market.draw(price_shares[name]) for name, market in markets.items()]
    chosen, probability = select_paths(_to_equal_spread(drawn), count)
    reasons = {} if has_errors else {FEW_ERRORS: None}
    arranged = {}
    for name, market in markets.items():
        reasons |= dict.fromkeys(market.reasons)
        arranged[name] = market.arrange(price_shares[name][chosen], probability)
    return Scenarios(
        timeline=forecast.timeline,
        issued_at=forecast.issued_at,
        version=forecast.version,
        probability=probability,
        load_kwh=load.arrange(load_shares[chosen], probability),
        pv_kwh=pv.arrange(pv_shares[chosen], probability),
        spot_price=arranged,
        reasons=tuple(reasons),
    )


def _to_equal_spread(drawn: Sequence[FloatArray]) -> FloatArray:
    """Return a row per path with all energies and prices, scaled to the same spread."""
    scaled = []
    for values in drawn:
        spread = float(np.sqrt(values.var(axis=0).mean()))
        if spread > 0:
            scaled.append(values / spread)
    return np.concatenate(scaled or drawn, axis=1)


@lru_cache(maxsize=8)
def _draw_usual(slots: int, markets: int, seed: int) -> tuple[FloatArray, ...]:
    """Return paths of ranks of load, PV and each market's price by typical persistence.

    They are cached for all sites without past errors.
    """
    rng = np.random.default_rng(seed)
    persistences = [LOAD_PERSISTENCE, PV_PERSISTENCE, *[PRICE_PERSISTENCE] * markets]
    return tuple(draw_shares(slots, persistence, rng) for persistence in persistences)


def draw_shares(slots: int, persistence: Persistence, rng: np.random.Generator) -> FloatArray:
    """Return ``DRAWN_PATHS`` paths of ranks as shares, uniform in each slot.

    Source: Pinson et al. (2009), a Gaussian copula; its covariance here is that of an
    autoregressive process plus white noise.
    """
    lasting = rng.standard_normal((slots, DRAWN_PATHS))
    innovation = np.sqrt(1 - persistence.fade**2)
    for slot in range(1, slots):
        lasting[slot] = persistence.fade * lasting[slot - 1] + innovation * lasting[slot]
    noise = rng.standard_normal(lasting.shape)
    score = np.sqrt(persistence.share) * lasting + np.sqrt(1 - persistence.share) * noise
    # The middle of each path's rank in every slot, as a share; shape `(paths, slots)`.
    rank = np.argsort(np.argsort(score.T, axis=0, kind="stable"), axis=0, kind="stable")
    shares: FloatArray = (rank + 0.5) / score.shape[1]
    return shares


SEED = 0  # the same draws in every issue: a new plan differs only because the forecast does


@dataclass(frozen=True, slots=True)
class IssuedScenarios:
    """The scenarios of one forecast, and the seconds that they took without reading and storing."""

    scenarios: Scenarios
    seconds: float

    def reply(self) -> IssueScenariosReply:
        scenarios = self.scenarios
        return IssueScenariosReply(
            forecast_version=scenarios.version,
            issued_at=scenarios.issued_at,
            count=scenarios.probability.size,
            slots=scenarios.timeline.count,
            reasons=list(scenarios.reasons),
            milliseconds=1000 * self.seconds,
        )


def issue_requested(
    connection: Connection, request: IssueScenariosRequest, *, objects: ObjectStore
) -> IssuedScenarios:
    """Make and store the scenarios of the last forecast within the hour before the request.

    Raises:
        NotFoundError: no such site, or no forecast in that hour.
    """
    site = sites.load(connection, request.site_id)
    version = request.forecast_version
    if not version:
        version = forecast_activations.find_active(connection, site).forecast_version
    issued = past_forecasts.read_past(connection, site.name, version=version, instants=[request.at])
    if not issued:
        local_instant = request.at.astimezone(ZoneInfo(site.timezone)).isoformat()
        raise refuse(
            "no-forecast-in-the-hour-before",
            field="at",
            value=local_instant,
            site_id=site.name,
            version=version,
            at=local_instant,
        )
    (forecast,) = issued
    key = sites.key_of(connection, site.name)
    facts = read_facts(connection, {key: site}, [forecast.issued_at])
    past = read_past(connection, facts, {key: version}, forecast.timeline)
    issued_scenarios = make_from_past(
        connection, past[key], forecast, objects=objects, count=request.count
    )
    forecast_scenarios.save(connection, site.name, issued_scenarios.scenarios)
    return issued_scenarios


@dataclass(frozen=True)
class PublishedPrices:
    """Published prices by stored series, market or own, until the end of the horizon ``ahead``.

    Their extrapolation is computed once per series and time zone.
    """

    ahead: Timeline
    published: Mapping[prices.StoredSeries, FloatArray]
    _looked: dict[tuple[prices.StoredSeries, str], MarketAhead] = field(default_factory=dict)

    def look_beyond(self, series: prices.StoredSeries, timezone: str) -> MarketAhead:
        """Return a series' prices over the horizon, extrapolated beyond the published ones."""
        key = series, timezone
        if key not in self._looked:
            self._looked[key] = look_beyond(
                self.published[series],
                _around(self.ahead),
                timeline=self.ahead,
                zone=ZoneInfo(timezone),
            )
        return self._looked[key]


@dataclass(frozen=True, slots=True)
class ForecastPast:
    """The inputs of scenarios besides their forecast.

    They are the site's facts, past forecasts of its version and prices ahead; measurements within
    ``excluded`` are not used.
    """

    facts: IssueFacts
    issued: Sequence[Forecast]
    excluded: Sequence[Span]
    prices: PublishedPrices


def read_past(
    connection: Connection,
    facts: Mapping[int, IssueFacts],
    versions: Mapping[int, str],
    ahead: Timeline,
) -> dict[int, ForecastPast]:
    """Return the inputs of scenarios of sites' forecasts over ``ahead``, by the sites' keys.

    Args:
        connection: to the database.
        facts: of the forecasts' instant of issue, the same for all.
        versions: forecast version by site key.
        ahead: the forecasts' horizon.
    """
    issued_at = next(iter(facts.values())).instants[0]
    past_instants = days_before(issued_at, ahead.count)
    issued = past_forecasts.read_past_each(connection, versions, past_instants)
    sites_by_key = {key: of_site.site for key, of_site in facts.items()}
    excluded = quality.list_excluded_each(
        connection, sites_by_key, min(past_instants) - past_forecasts.NEAR, ahead.start
    )
    series: dict[prices.StoredSeries, None] = {}
    for site in sites_by_key.values():
        of_site = [prices.stored_series(site, name) for name in site.tariff.price_series]
        series.update(dict.fromkeys(of_site))
    price = prices.read_each(connection, [*series], _around(ahead), known_at=issued_at)
    published = PublishedPrices(ahead, price)
    past = {}
    for key, site_facts in facts.items():
        past[key] = ForecastPast(site_facts, issued.get(key, ()), excluded[key], published)
    return past


def make_from_past(
    connection: Connection,
    past: ForecastPast,
    forecast: Forecast,
    *,
    objects: ObjectStore,
    count: int = DEFAULT_COUNT,
) -> IssuedScenarios:
    """Return the scenarios of a forecast from data known at its issue.

    With too few stored past forecasts, those are made in hindsight.
    """
    site = past.facts.site
    # Forecasts of the same version and time of day in the weeks before.
    issued = past.issued
    needed = max(NEEDED_DAYS, count)
    if len(issued) < needed:
        issued = _issue_again(connection, past.facts, forecast, objects=objects, needed=needed)
    measured = past.facts.recorded.without(past.excluded)
    errors = ErrorHistory.of(
        issued,
        measured,
        issued_at=forecast.issued_at,
        limit_kwh=limit_output(past.facts.site),
        slots=forecast.timeline.count,
    )
    began = time.perf_counter()
    markets = {
        name: past.prices.look_beyond(prices.stored_series(site, name), site.timezone)
        for name in site.tariff.price_series
    }
    scenarios = make_scenarios(forecast, errors, markets, count=count, seed=SEED)
    return IssuedScenarios(scenarios, time.perf_counter() - began)


def _issue_again(
    connection: Connection,
    facts: IssueFacts,
    forecast: Forecast,
    *,
    objects: ObjectStore,
    needed: int,
) -> list[Forecast]:
    """Return forecasts of the version made in hindsight since measurements began.

    There are none for fewer than ``needed`` days, nor of an outside service.
    """
    site = facts.site
    if facts.span is None or forecast.version in forecast_activations.OUTSIDE_VERSIONS:
        return []
    measured_since = facts.span[0]
    days = days_before(forecast.issued_at, forecast.timeline.count)
    instants = [instant for instant in days if instant >= measured_since]
    if len(instants) < needed:
        return []
    selected = select_model(site, forecast.version, facts.run, objects=objects)
    context = read_surroundings(connection, site, instants)
    history = read_history(connection, site, instants)
    batch, _ = issue_in_parts(selected.forecaster, history, instants, context=context)
    return list(batch)


def _around(ahead: Timeline) -> Timeline:
    return Timeline(ahead.start - MEMORY, SLOT, MEMORY // SLOT + ahead.count)
