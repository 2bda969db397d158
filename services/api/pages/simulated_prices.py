"""Whose prices a simulated home pays today, in words, and why where they are the recorded year's."""

from sqlalchemy import Connection

from luna.energy.site import Site
from luna.platform.simulated_home.market import find_price_origin
from luna.platform.simulated_home.site import REAL_MARKET, is_simulated
from luna.words.pages import PageWords
from services.api.gateway import Gateway


def say_simulated_prices(connection: Connection, site: Site, *, gateway: Gateway, words: PageWords, with_reason: bool) -> str:
    """Return whose prices today's are, and why where nobody has today's; nothing for a site that is not the simulated home."""
    if not is_simulated(site):
        return ""
    if find_price_origin(connection, now=gateway.clock.now()) == "market":
        return words("simulated_prices_market", market=REAL_MARKET)
    if not with_reason:
        return words("simulated_prices_recorded")
    return words("simulated_prices_away", market=REAL_MARKET) if gateway.settings.outside_services else words("simulated_prices_off")
