"""Choice of the services to request a market's prices from, in order of preference."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache

import httpx

from luna.contracts.data import PriceService
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.platform.settings import Settings
from services.ingest.sources.prices.declaration import (
    Access,
    Market,
    PriceSourceDeclaration,
    canonical_market,
)
from services.ingest.sources.source import PriceSource
from services.ingest.sources.web import Web, read_token

# Between two requests; Nord Pool needs one for each day.
INTERVAL = timedelta(seconds=0.5)


def price_sources() -> Mapping[PriceService, PriceSourceDeclaration]:
    """Return the declaration of each service, the preferred one first."""
    from services.ingest.sources.prices.all_sources import PRICE_SOURCES

    return PRICE_SOURCES


@cache
def list_markets() -> Mapping[str, Market]:
    """Return every market by name, as the preferred service declares it."""
    markets: dict[str, Market] = {}
    for source in price_sources().values():
        for name in source.codes:
            market = Market(
                name=name,
                clock=source.clock,
                published=source.published,
                currency=source.usual_currency,
                publication=source.publication,
            )
            markets.setdefault(name, market)
    return markets


def market_named(name: str) -> Market:
    """Return the market that a tariff names.

    Raises:
        NotFoundError: none of the services knows it.
    """
    market = list_markets().get(canonical_market(name))
    if market is None:
        remedy = f"Known are {', '.join(list_markets())}; load others by file."
        raise NotFoundError(
            "no service has prices of this market", field="market", value=name, remedy=remedy
        )
    return market


def choose_sources(
    market: Market,
    currency: str,
    settings: Settings,
    *,
    named: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> list[PriceSource]:
    """Return the services with prices of a market in a currency, the preferred one first.

    Args:
        market: from ``market_named``.
        currency: the site's currency.
        settings: hold the tokens; a service that needs one and has none is left out.
        named: only this service.
        transport: carries requests; tests pass one with recorded replies.

    Raises:
        InvalidInputError: the service named does not have this market in this currency, or lacks
            its token.
    """
    able = {
        name: source
        for name, source in price_sources().items()
        if source.publishes(market.name, currency)
    }
    tokens = {}
    for name, source in able.items():
        token = read_token(settings, source.setting)
        if token or source.setting is None:
            tokens[name] = token
    if named is not None:
        if named not in able:
            raise InvalidInputError(
                f"has no prices of {market.name} in {currency}",
                field="source",
                value=named,
                remedy=f"Choose one of {', '.join(able)}.",
            )
        if named not in tokens:
            raise InvalidInputError(
                "needs a token",
                field="source",
                value=named,
                remedy=f"Set {_variable(able[named])}.",
            )
        tokens = {named: tokens[named]}
    sources = []
    for name, token in tokens.items():
        access = Access(Web(name, transport, INTERVAL), token, currency)
        sources.append(able[name].open(access))
    return sources


def lacking_tokens(market: str, currency: str) -> list[str]:
    """Return a fault for each service that has a market's prices for a token alone."""
    name = canonical_market(market)
    return [
        f"{service}: needs a token. Set {_variable(source)}."
        for service, source in price_sources().items()
        if source.setting is not None and source.publishes(name, currency)
    ]


def _variable(source: PriceSourceDeclaration) -> str:
    return f"LUNA_{str(source.setting).upper()}"
