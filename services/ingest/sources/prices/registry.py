"""Services to ask for a market's prices, in order.

Each declares its markets in its module.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache

import httpx
from pydantic import SecretStr

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
from services.ingest.sources.web import Web

# Nord Pool is asked day by day: two of them a second.
INTERVAL = timedelta(seconds=0.5)


def price_sources() -> Mapping[PriceService, PriceSourceDeclaration]:
    """Return what each service declares, the preferred one first."""
    from services.ingest.sources.prices.all_sources import PRICE_SOURCES

    return PRICE_SOURCES


@cache
def list_markets() -> Mapping[str, Market]:
    """Return every market that a service has, as the preferred one declares it."""
    markets: dict[str, Market] = {}
    for source in price_sources().values():
        for name in source.codes:
            markets.setdefault(name, Market(name, source.clock))
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
    """Return the services to ask for a market in a currency, the preferred one first.

    Args:
        market: as ``market_named`` has it.
        currency: what the site pays in.
        settings: hold the tokens; a service that needs one and has none is left out.
        named: this service alone.
        transport: carries requests; tests hand in one that gives recorded replies.

    Raises:
        InvalidInputError: the service named does not have this market in this currency, or lacks
            its token.
    """
    able = {
        name: source
        for name, source in price_sources().items()
        if source.publishes(market.name, currency)
    }
    ready = {}
    for name, source in able.items():
        stored: SecretStr | None = getattr(settings, source.setting) if source.setting else None
        token = stored.get_secret_value() if stored else ""
        if token or source.setting is None:
            ready[name] = token
    if named is not None:
        if named not in able:
            raise InvalidInputError(
                f"has no prices of {market.name} in {currency}",
                field="source",
                value=named,
                remedy=f"Choose one of {', '.join(able)}.",
            )
        if named not in ready:
            raise InvalidInputError(
                "needs a token",
                field="source",
                value=named,
                remedy=f"Set LUNA_{str(able[named].setting).upper()}.",
            )
        ready = {named: ready[named]}
    return [
        able[name].open(Access(Web(name, transport, INTERVAL), token, currency))
        for name, token in ready.items()
    ]
