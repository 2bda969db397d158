"""Read a stored site's present figures for a monitor.

Power by flow, state of charge, prices, and the cost of today so far.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.energy.economics.prices import price_slots
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, local_day, parse_zone
from luna.house.account import read_account, read_account_slots
from luna.platform.database import observations, prices

# A quarter-hour is built after its end; an older one is no present any more.
RECENT_SLOTS = 2
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SitePresent:
    """A site's present figures; what is unknown is left out or None.

    Attributes:
        power_kw: mean power by flow of the account in the last quarter-hour that is known.
        soc: of all batteries together, 0–1.
        import_price: of the running quarter-hour, currency per kWh.
        export_price: of the running quarter-hour, currency per kWh.
        cost_today: the account's cost of energy since local midnight.
    """

    site: str
    currency: str
    power_kw: Mapping[str, float]
    soc: float | None
    import_price: float | None
    export_price: float | None
    cost_today: float | None


def read_present(connection: Connection, site: Site, *, now: datetime) -> SitePresent:
    """Return the present figures of a stored site."""
    zone = parse_zone(site.timezone)
    running = floor_to(now, SLOT)
    today = local_day(now.astimezone(zone).date(), zone)
    recent = Timeline(running - RECENT_SLOTS * SLOT, SLOT, RECENT_SLOTS)
    lately = read_account_slots(connection, site, recent, now=now)
    powers = {name: _last_known(energy) for name, energy in lately.energy_kwh.items()}
    soc = _last_known(observations.read_series(connection, site.name, recent, ("soc",))["soc"])
    import_price, export_price = read_prices_now(connection, site, now=now)
    account = read_account(connection, site, today, now=now)
    return SitePresent(
        site=site.name,
        currency=site.currency,
        power_kw={
            name: energy * (HOUR / SLOT) for name, energy in powers.items() if energy is not None
        },
        soc=soc,
        import_price=import_price,
        export_price=export_price,
        cost_today=None if account is None else account.energy_cost,
    )


def read_prices_now(
    connection: Connection, site: Site, *, now: datetime
) -> tuple[float | None, float | None]:
    """Return import and export price of the running quarter-hour, currency per kWh.

    None where no price was published.
    """
    this_slot = Timeline(floor_to(now, SLOT), SLOT, 1)
    spot = prices.read_tariff(connection, site, this_slot)
    imported, exported = price_slots(
        site.tariff, this_slot, zone=parse_zone(site.timezone), spot=spot
    )
    return _last_known(imported), _last_known(exported)


def _last_known(values: FloatArray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else None
