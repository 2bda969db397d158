"""Joint courses of load, PV and prices: the forecast's own distributions, in an order over time that errors really took.

The distributions are those of the forecast that was issued. What a course has in common from slot to slot, between load and PV, and between both and the
market, comes from whole days of past errors: each day is a course, kept as the share of what was said that lay below what happened. A few of those courses
stand for all; slot by slot they take the forecast's values in their order. A site without such a past gets courses of a usual persistence.

Source: Clark et al. (2004), the Schaake shuffle; Pinson et al. (2009), scenarios from probabilistic forecasts; docs/decisions/0018.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Forecast, Scenarios
from luna.energy.timeline import FloatArray
from services.forecaster.scenarios.marginal import Marginals
from services.forecaster.scenarios.past_error import ErrorHistory
from services.forecaster.scenarios.price_model import MarketAhead


def select_paths(paths: FloatArray, count: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Return which ``count`` of equally probable ``paths`` stand for all of them, and how probable each of those is.

    Paths are taken one by one, each the one that brings all of them nearest to one that is taken; a path's probability is half an equal share and half
    the share of paths nearest to it: few paths say little about how often such a course comes (docs/decisions/0018).

    Args:
        paths: shape ``(paths, values)``, in units that may be compared.

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


DEFAULT_COUNT, MOST_PATHS = 10, 30
NEEDED_DAYS = 14
DRAWN_PATHS = 200
FEW_ERRORS = "few_error_paths"


@dataclass(frozen=True, slots=True)
class Persistence:
    """How errors last where nothing is known of a site's own: ``share`` of their variance fades by ``fade`` a slot, the rest is new in every slot."""

    share: float
    fade: float


# Fitted to 1,000 forecasts of the demo's households (correlations over 1 to 32 slots) and to a hundred days of Dutch prices.
LOAD_PERSISTENCE = Persistence(share=0.55, fade=0.9)
PV_PERSISTENCE = Persistence(share=1.0, fade=0.95)
PRICE_PERSISTENCE = Persistence(share=1.0, fade=0.97)


def make_scenarios(forecast: Forecast, errors: ErrorHistory, markets: Mapping[str, MarketAhead], *, count: int = DEFAULT_COUNT, seed: int = 0) -> Scenarios:
    """Return ``count`` joint courses of what ``forecast`` says and of the markets' prices.

    Args:
        errors: of the forecast's version; with fewer than 14 days, or than ``count``, courses of a usual persistence are drawn from ``seed``.
        markets: prices ahead by market, on the forecast's timeline.

    Invariants: each slot's weighted mean is that of the forecast's distribution; PV is zero where the forecast says night; the same input gives the same.

    Raises:
        InvalidInputError: ``count`` outside 1 … 30.
    """
    if not 1 <= count <= MOST_PATHS:
        raise InvalidInputError("so many scenarios are not made", field="count", value=count, remedy=f"Choose 1 to {MOST_PATHS}.")
    load, pv = Marginals.of(forecast.load_kwh, np.inf), Marginals.of(forecast.pv_kwh, errors.limit_kwh)
    has_errors = errors.days_back.size >= max(NEEDED_DAYS, count)
    # Shares of the distributions by course and slot.
    if has_errors:
        load_shares, pv_shares, price_shares = errors.load, errors.pv, {name: market.recall(errors.days_back) for name, market in markets.items()}
    else:
        load_shares, pv_shares, *usual = _draw_usual(forecast.timeline.count, len(markets), seed)
        price_shares = dict(zip(markets, usual, strict=True))
    # Every course as one row of values, energies and prices brought to the same spread.
    parts = [load.draw(load_shares), pv.draw(pv_shares), *(market.draw(price_shares[name]) for name, market in markets.items())]
    spreads = [float(np.sqrt(part.var(axis=0).mean())) for part in parts]
    rows = np.concatenate([part / spread for part, spread in zip(parts, spreads, strict=True) if spread > 0] or parts, axis=1)
    chosen, probability = select_paths(rows, count)
    reasons = {} if has_errors else {FEW_ERRORS: None}
    reasons |= {reason: None for market in markets.values() for reason in market.reasons}
    return Scenarios(
        forecast.timeline,
        forecast.issued_at,
        forecast.version,
        probability,
        load.arrange(load_shares[chosen], probability),
        pv.arrange(pv_shares[chosen], probability),
        {name: market.arrange(price_shares[name][chosen], probability) for name, market in markets.items()},
        tuple(reasons),
    )


@lru_cache(maxsize=8)
def _draw_usual(slots: int, markets: int, seed: int) -> tuple[FloatArray, ...]:
    """Return courses of load, PV and the price of each market: the same for all sites of which nothing is known."""
    rng = np.random.default_rng(seed)
    return tuple(draw_shares(slots, persistence, rng) for persistence in (LOAD_PERSISTENCE, PV_PERSISTENCE, *[PRICE_PERSISTENCE] * markets))


def draw_shares(slots: int, persistence: Persistence, rng: np.random.Generator) -> FloatArray:
    """Return 200 courses of shares, each slot's spread evenly over zero to one.

    Source: Pinson et al. (2009), a Gaussian copula; its covariance here that of an autoregressive process beside noise.
    """
    lasting = rng.standard_normal((slots, DRAWN_PATHS))
    for slot in range(1, slots):
        lasting[slot] = persistence.fade * lasting[slot - 1] + np.sqrt(1 - persistence.fade**2) * lasting[slot]
    score = np.sqrt(persistence.share) * lasting + np.sqrt(1 - persistence.share) * rng.standard_normal(lasting.shape)
    # The middle of the rank of each course at every slot, as a share; shape `(courses, slots)`.
    rank = np.argsort(np.argsort(score.T, axis=0, kind="stable"), axis=0, kind="stable")
    shares: FloatArray = (rank + 0.5) / score.shape[1]
    return shares
