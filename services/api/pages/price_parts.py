"""What a kWh of today and tomorrow is made of: chart, legend and table for the page Schedule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from markupsafe import Markup
from sqlalchemy import Connection

from luna.energy.economics.charges import ChargedComponent, find_charges
from luna.energy.economics.device_kwh import DeviceKwh
from luna.energy.economics.price_parts import PricePart
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, parse_zone
from luna.house.price_explanations import read_device_kwh
from luna.house.price_parts import read_price_parts
from luna.words import Numbers
from luna.words.account import format_price_part
from luna.words.charts.price_parts import PartsView, colour_class, draw_parts
from luna.words.pages import PageWords
from luna.words.price_reasons import describe_device_kwh

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DayParts:
    """The parts of a site's import price over today and tomorrow, by quarter-hour.

    ``devices``: what the next kWh of devices with a price of their own costs beside it.
    """

    site: Site
    timeline: Timeline
    now: datetime
    parts: Sequence[PricePart]
    devices: Sequence[DeviceKwh] = ()


def read_day_parts(connection: Connection, site: Site, *, now: datetime) -> DayParts:
    """Return the parts of today's and tomorrow's prices."""
    zone = parse_zone(site.timezone)
    today = now.astimezone(zone).date()
    timeline = local_days(today, today + timedelta(days=1), zone)
    parts = read_price_parts(connection, site, timeline, now=now)
    devices = read_device_kwh(connection, site, now, now=now)
    return DayParts(site=site, timeline=timeline, now=now, parts=parts, devices=devices)


@dataclass(frozen=True)
class PricePartsView:
    """The parts of a price in the reader's words and drawings."""

    read: DayParts
    numbers: Numbers
    words: PageWords

    @property
    def is_shown(self) -> bool:
        """Whether the price has several parts, or devices have one of their own."""
        return len(self.read.parts) > 1 or bool(self.read.devices)

    @property
    def devices(self) -> list[str]:
        """What a kWh costs now for devices with a price of their own, as sentences."""
        if np.isnan(self._total_now):
            return []
        described = describe_device_kwh(self.read.devices, self._total_now, self.numbers)
        return [sentence.text for sentence in described]

    @property
    def has_blocks(self) -> bool:
        """Whether the price rises with the energy drawn in a month."""
        return any(charged.charge.counts_month for charged in self._charged)

    @property
    def has_allowance(self) -> bool:
        """Whether the price rises with the energy drawn in a day."""
        return any(not charged.charge.counts_month for charged in self._charged)

    @property
    def _charged(self) -> list[ChargedComponent]:
        """The components in force whose price depends on the energy drawn before."""
        zone = parse_zone(self.read.site.timezone)
        charged = find_charges(self.read.site.tariff.import_)
        return [part for part in charged if part.holds_within(self.read.timeline, zone)]

    @property
    def names(self) -> list[str]:
        """The names of the parts."""
        language = self.numbers.language
        return [format_price_part(part.code, part.name, language) for part in self.read.parts]

    @property
    def legend(self) -> list[tuple[str, str, str]]:
        """Each part's colour, name and present price."""
        slot = (self.read.now - self.read.timeline.start) // SLOT
        entries = []
        for place, (part, name) in enumerate(zip(self.read.parts, self.names, strict=True)):
            price = self._say(float(part.price[slot]))
            entries.append((colour_class(place), name, price))
        return entries

    @property
    def price_now(self) -> str:
        """The sum of the present prices."""
        return self.numbers.price_per_kwh(self._total_now)

    @property
    def _total_now(self) -> float:
        slot = (self.read.now - self.read.timeline.start) // SLOT
        return sum(float(part.price[slot]) for part in self.read.parts)

    @property
    def lacks_prices(self) -> bool:
        """Whether a price is not known yet."""
        return bool(np.isnan(self._by_hour).any())

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each hour's name, the price of each part, and their sum."""
        for hour, prices in enumerate(self._by_hour.T.tolist()):
            cells = [self._say(price) for price in [*prices, sum(prices)]]
            yield self._say_hour(hour), cells

    def draw(self) -> list[Markup]:
        """Draw the chart, wide and narrow."""
        label = self.words("parts_label")
        view = PartsView(
            prices=self._by_hour,
            instant=self._instant,
            titles=self._titles(),
            numbers=self.numbers,
            label=label,
        )
        return [draw_parts(view, narrow=narrow) for narrow in (False, True)]

    @cached_property
    def _by_hour(self) -> FloatArray:
        """Mean price of each part by hour, shape ``(parts, hours)``."""
        quarters = np.array([part.price for part in self.read.parts])
        firsts = np.arange(0, self.read.timeline.count, HOUR // SLOT)
        counts = np.diff([*firsts.tolist(), self.read.timeline.count])
        means: FloatArray = np.add.reduceat(quarters, firsts, axis=1) / counts
        return means

    def _titles(self) -> list[str]:
        titles = []
        for name, cells in self.rows():
            texts = [f"{part} {cell}" for part, cell in zip(self.columns, cells, strict=True)]
            *parts, total = texts
            titles.append(f"{name}: {total} = {', '.join(parts)}")
        return titles

    @property
    def columns(self) -> list[str]:
        """The names of the table's columns of prices."""
        return [*self.names, self.words("parts_total")]

    def _instant(self, hour: int) -> datetime:
        return self.read.timeline.start + hour * HOUR

    def _say_hour(self, hour: int) -> str:
        start = self._instant(hour)
        return f"{self.numbers.weekday(start)} {self.numbers.clock(start)}"

    def _say(self, price: float) -> str:
        return self.numbers.price(price, decimals=1)
