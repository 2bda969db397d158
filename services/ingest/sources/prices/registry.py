"""Which services are asked for a market's prices, in which order."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import httpx
from pydantic import SecretStr

from luna.errors import InvalidInputError
from luna.settings import Settings
from services.ingest.sources.prices.awattar import Awattar
from services.ingest.sources.prices.energy_charts import EnergyCharts
from services.ingest.sources.prices.entsoe import EntsoE
from services.ingest.sources.prices.markets import PREFERENCE, Market
from services.ingest.sources.prices.nord_pool import NordPool
from services.ingest.sources.prices.tibber import Tibber
from services.ingest.sources.source import PriceSource
from services.ingest.sources.web import Web

Open = Callable[[Web, str, str], PriceSource]

# What opens each service, given the way there, its token, and the currency wanted.
OPEN: Mapping[str, Open] = {
    "entsoe": lambda web, token, _: EntsoE(web, token),
    "energy_charts": lambda web, _, __: EnergyCharts(web),
    "nord_pool": lambda web, _, currency: NordPool(web, currency),
    "awattar": lambda web, _, __: Awattar(web),
    "tibber": lambda web, token, _: Tibber(web, token),
}
TOKENS: Mapping[str, Callable[[Settings], SecretStr | None]] = {
    "entsoe": lambda settings: settings.entsoe_token,
    "tibber": lambda settings: settings.tibber_token,
}
# These publish in one currency, whatever the site pays in.
EURO_ALONE = frozenset({"energy_charts", "awattar"})
# Nord Pool is asked day by day: two of them a second.
INTERVAL = timedelta(seconds=0.5)


def choose_sources(
    market: Market, currency: str, settings: Settings, *, named: str | None = None, transport: httpx.BaseTransport | None = None
) -> list[PriceSource]:
    """Return the services to ask for a market in a currency, the preferred one first.

    Args:
        market: as the table has it.
        currency: what the site pays in.
        settings: hold the tokens; a service that needs one and has none is left out.
        named: this service alone.
        transport: carries requests; tests hand in one that gives recorded replies.

    Raises:
        InvalidInputError: the service named does not have this market in this currency, or lacks its token.
    """
    able = [name for name in PREFERENCE if name in market.codes and not (name in EURO_ALONE and currency != "EUR")]
    tokens = {name: read(settings) for name, read in TOKENS.items()}
    ready = [name for name in able if name not in tokens or tokens[name]]
    if named is not None:
        _require(named, able, ready, market=f"{market.name} in {currency}")
        ready = [named]
    return [OPEN[name](Web(name, transport, INTERVAL), _plain(tokens.get(name)), currency) for name in ready]


def _require(named: str, able: list[str], ready: list[str], *, market: str) -> None:
    if named not in able:
        raise InvalidInputError(f"has no prices of {market}", field="source", value=named, remedy=f"Choose one of {', '.join(able)}.")
    if named not in ready:
        raise InvalidInputError("needs a token", field="source", value=named, remedy=f"Set LUNA_{named.upper()}_TOKEN.")


def _plain(token: SecretStr | None) -> str:
    return token.get_secret_value() if token else ""
