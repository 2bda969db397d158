"""Stored series and prices of a site's local days, read in parts that fit into memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.energy.economics.prices import price_slots
from luna.energy.refusals import refuse
from luna.energy.site import ImportRule, Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_day, local_days, parse_zone
from luna.platform.database import observations, prices
from services.ingest.price_repair import PriceRecord

PART_DAYS = 366
# A window outside is a typing error.
YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class StoredDays:
    """Series and prices of local days ``first`` to ``last`` on ``timeline``, NaN: not stored."""

    site: Site
    first: date
    last: date
    timeline: Timeline
    series: Mapping[str, FloatArray]
    prices: Mapping[str, PriceRecord]

    def __iter__(self) -> Iterator[tuple[date, Timeline, slice]]:
        """Yield each day with its 92, 96 or 100 slots, and their place on the timeline."""
        zone = parse_zone(self.site.timezone)
        for number in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=number)
            slots = local_day(day, zone)
            begin = (slots.start - self.timeline.start) // SLOT
            yield day, slots, slice(begin, begin + slots.count)


def read_days(
    connection: Connection, site: Site, first: date, last: date, *, names: tuple[str, ...] = ()
) -> Iterator[StoredDays]:
    """Yield the stored days from ``first`` to ``last``, a year at a time.

    They hold prices and the named columns of ``slot_observations``.

    Raises:
        InvalidInputError: the window is reversed, or outside ``YEARS``.
    """
    if last < first:
        raise refuse("ends-before-start", field="to", value=last.isoformat())
    if first.year not in YEARS or last.year not in YEARS:
        raise refuse(
            "years-outside",
            field="to",
            value=last.isoformat(),
            first=YEARS.start,
            last=YEARS.stop - 1,
        )
    for number in range(0, (last - first).days + 1, PART_DAYS):
        begin = first + timedelta(days=number)
        end = min(begin + timedelta(days=PART_DAYS - 1), last)
        timeline = local_days(begin, end, parse_zone(site.timezone))
        series = observations.read_series(connection, site.name, timeline, names) if names else {}
        rules = dict(
            zip(observations.PRICES, (site.tariff.import_, site.tariff.export), strict=True)
        )
        spot = prices.read_tariff(connection, site, timeline)
        due = price_slots(site.tariff, timeline, zone=parse_zone(site.timezone), spot=spot)
        paid = observations.read_prices(connection, site.name, timeline)
        unknown = np.full(timeline.count, np.nan)
        columns = zip(rules.items(), paid, due, strict=True)
        price_records = {
            name: PriceRecord(recorded, tariff, spot.get(market_of(rule) or "", unknown))
            for (name, rule), recorded, tariff in columns
        }
        yield StoredDays(
            site=site, first=begin, last=end, timeline=timeline, series=series, prices=price_records
        )


def market_of(rule: ImportRule) -> str | None:
    """Return the market that a price rule names first."""
    return rule.markets[0] if rule.markets else None
