"""A month to be replayed under a tariff that counts what is drawn, and its bill by a clerk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from luna.energy.economics.charges import count_drawn, find_charges, period_begin
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, parse_zone
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData
from tests.support.billing.cases import read_made_up_meter
from tests.support.billing.reference import Reading, bill_month

ZONE = "Europe/Berlin"
# Without losses and wear: a replay's cost is the bill.
BATTERY = {
    "capacity_kwh": 6,
    "charge_limit_kw": 3,
    "discharge_limit_kw": 3,
    "charge_efficiency": 1,
    "discharge_efficiency": 1,
    "wear_price": 0,
}
DAY_SLOTS = 96


@dataclass(frozen=True)
class CountedMonth:
    """A local month of a home, and what its meter counted on the day before."""

    tariff: Mapping[str, Any]
    month: tuple[int, int]
    before_kwh: float = 0.3

    @property
    def starts(self) -> list[datetime]:
        """When each quarter-hour begins."""
        return [start for start, _, _ in read_made_up_meter(ZONE, self.month)]

    @property
    def window(self) -> Timeline:
        """The quarter-hours of the month."""
        starts = self.starts
        return Timeline(starts[0].astimezone(UTC), SLOT, len(starts))

    def scene(self, **changes: Any) -> ReplayData:
        """Return the month as a replay has it, everything known."""
        site = parse_site(
            {
                "name": "home",
                "timezone": ZONE,
                "batteries": [BATTERY],
                "pv": [{"peak_kw": 6}],
                "tariff": self.tariff,
            }
            | changes
        )
        _, bought, sold = zip(*read_made_up_meter(ZONE, self.month), strict=True)
        window = self.window
        # The horizon after the month is like its last days, those before it like its first.
        known = np.arange(-8 * DAY_SLOTS, window.count + HORIZON // SLOT)
        place = np.abs(known)
        place = np.where(place < window.count, place, place - HORIZON // SLOT)
        around = Timeline(window.start - 8 * DAY_SLOTS * SLOT, SLOT, known.size)
        foresight = PerfectForesight(around, np.array(bought)[place], np.array(sold)[place])
        return ReplayData(
            site,
            window,
            foresight,
            SitePrices(site, around, {}),
            ForecastArchive(()),
            drawn_kwh=self.count_before(site.tariff.import_),
        )

    def count_before(self, rule: Any) -> dict[str, float]:
        """Return what the tariff's running periods had drawn when the month began."""
        zone = parse_zone(ZONE)
        begin = period_begin(find_charges(rule), self.window.start, zone)
        if begin is None or begin == self.window.start:
            return {}
        past = Timeline(begin, SLOT, (self.window.start - begin) // SLOT)
        return count_drawn(rule, np.full(past.count, self.before_kwh), past, zone=zone)

    def bill(
        self,
        import_kwh: FloatArray,
        export_kwh: FloatArray,
        before: Sequence[Reading] | None = None,
    ) -> Decimal:
        """Return what the clerk asks for the month's energies, after those of the day before."""
        readings = zip(self.starts, import_kwh.tolist(), export_kwh.tolist(), strict=True)
        earlier = self.readings_before() if before is None else before
        return bill_month(self.tariff, ZONE, list(readings), {}, {}, earlier).total

    def readings_before(self) -> Sequence[Reading]:
        """Return the quarter-hours of the day before the month."""
        begin = self.starts[0] - timedelta(days=1)
        return [(begin + number * SLOT, self.before_kwh, 0.0) for number in range(DAY_SLOTS)]
