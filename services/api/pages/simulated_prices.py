"""Explain the source of a simulated home's prices: the market, or the recorded year."""

from sqlalchemy import Connection

from luna.energy.site import Site
from luna.simulated_home.market import find_price_origin
from luna.simulated_home.site import REAL_MARKET, is_simulated
from luna.words.pages import PageWords
from services.api.gateway import Gateway


def say_simulated_prices(
    connection: Connection, site: Site, *, gateway: Gateway, words: PageWords, with_reason: bool
) -> str:
    """Return the source of today's prices in words; "" for other sites.

    ``with_reason``: why they are recorded ones.
    """
    if not is_simulated(site):
        return ""
    if find_price_origin(connection, now=gateway.clock.now()) == "market":
        return words("simulated_prices_market", market=REAL_MARKET)
    if not with_reason:
        return words("simulated_prices_recorded")
    if gateway.settings.outside_services:
        return words("simulated_prices_away", market=REAL_MARKET)
    return words("simulated_prices_off")
