"""Northern Illinois through ComEd: the day-ahead market's hours, as a forecast of what is billed.

Customers pay the real-time price, which ``comed`` has afterwards. The day-ahead price of an hour is
what the market expected of it the day before; plans use it where it proved nearer than Luna's own
expectation. Tomorrow's are out at about 16:30.

Source: hourlypricing.comed.com, ``api?type=daynexttoday``, which its documentation does not list;
shape and hour of publication as public clients read them. Its times are those of the local clock,
written as ``Date.UTC`` with months from 0, and are taken as those at which the hours begin. In
autumn the hour that is shown twice stands there twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from pydantic import RootModel, ValidationError

from luna.energy.timeline import SLOT, parse_zone
from services.ingest.sources.prices.comed import CENTS, CLOCK, CODES, PUBLISHED, URL
from services.ingest.sources.prices.declaration import PriceSourceDeclaration
from services.ingest.sources.prices.publication import (
    MINUTE,
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
)
from services.ingest.sources.source import PriceSheet, SourceError
from services.ingest.sources.web import Web

HOUR = timedelta(hours=1)
_INSTANT = re.compile(r"Date\.UTC\(([0-9, ]*)\)")


class _ClockTime(NamedTuple):
    """A time of the local clock; months count from 0."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int

    def is_on(self, day: date) -> bool:
        return (self.year, self.month + 1, self.day) == (day.year, day.month, day.day)


class _Hours(RootModel[list[tuple[_ClockTime, float]]]):
    pass


@dataclass(frozen=True)
class ComEdDayAhead:
    """Forecasts of ComEd's prices; none of quarter-hours that are over."""

    name = "comed_day_ahead"
    web: Web

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        # A quarter-hour that is over has a price, or none: it needs no forecast.
        window = DeliveryWindow(market, max(first, self.web.clock.now() - SLOT + MINUTE), end)
        if window.first >= window.end:
            return []
        products: list[Product] = []
        for day in window.days(parse_zone(CLOCK)):
            parameters = {"type": "daynexttoday", "date": f"{day:%Y%m%d}"}
            answer = self.web.get(URL, parameters).content
            products += self._read_day(answer, day)
        return make_sheets(window, products, Issue("USD", per_kwh=1.0))

    def _read_day(self, answer: bytes, day: date) -> Iterator[Product]:
        """Yield the quarter-hours of a local day's hours, USD per kWh."""
        text = _INSTANT.sub(r"[\1]", answer.decode("utf-8", "replace"))
        try:
            rows = _Hours.model_validate_json(text).root
        except ValidationError as exc:
            raise SourceError(
                f"answers what cannot be read for {day.isoformat()}",
                field=self.name,
                remedy="Try again later.",
            ) from exc
        zone = parse_zone(CLOCK)
        begun: set[int] = set()
        for clock, cents in rows:
            if not clock.is_on(day) or clock.hour not in range(24):
                continue
            local = datetime(day.year, day.month, day.day, clock.hour, tzinfo=zone)
            start = local.replace(fold=int(clock.hour in begun)).astimezone(UTC)
            begun.add(clock.hour)
            # In spring the hour that clocks skip is none.
            if start.astimezone(zone).hour != clock.hour:
                continue
            for part in range(HOUR // SLOT):
                yield Product(start + part * SLOT, SLOT // MINUTE, cents / CENTS)


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: ComEdDayAhead(access.web),
    currencies=frozenset({"USD"}),
    clock=CLOCK,
    published=PUBLISHED,
    publication="forecast",
)
