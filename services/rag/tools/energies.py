"""What a site used, made, bought and sold over a period, and what that cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from luna.energy.economics.charges import find_charge
from luna.energy.economics.costs import self_sufficiency, slot_costs
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, local_midnight
from services.rag.tools.declaration import ToolContext
from services.rag.tools.reading import read_energies, read_estimated, read_prices, share_finite, sum_finite

SeriesName = Literal["load", "pv", "import", "export", "charge", "discharge"]
SERIES: tuple[SeriesName, ...] = ("load", "pv", "import", "export", "charge", "discharge")


@dataclass(frozen=True, slots=True)
class Bill:
    """Import cost and export earnings (negative), over ``coverage``, the share of the time with known energies and prices."""

    import_cost: float
    export_cost: float
    coverage: float

    @property
    def total(self) -> float:
        """The sum."""
        return self.import_cost + self.export_cost


@dataclass(frozen=True, slots=True)
class Energies:
    """Quarter-hours of a period by series, NaN where unknown, and which share of each is filled to a meter's total."""

    timeline: Timeline
    values: Mapping[SeriesName, FloatArray]
    estimated: Mapping[SeriesName, float]

    def coverage(self, name: SeriesName) -> float:
        """Return the share of a series' slots that are known."""
        return share_finite(self.values[name])

    def total(self, name: SeriesName) -> float:
        """Return the sum of a series' known slots."""
        return sum_finite(self.values[name])

    def self_sufficiency(self) -> float | None:
        """Return the share of the load that was not bought, over the slots of which both are known."""
        bought, used = self.values["import"], self.values["load"]
        both = np.isfinite(bought) & np.isfinite(used)
        return self_sufficiency(bought[both], used[both])


def read(context: ToolContext, timeline: Timeline) -> Energies:
    """Return the measured energies, up to now where the time is not over."""
    now = floor_to(context.now, SLOT)
    if timeline.start < now < timeline.end:
        timeline = Timeline(timeline.start, SLOT, (now - timeline.start) // SLOT)
    stored = read_energies(context, timeline, tuple(f"{name}_kwh" for name in SERIES))
    estimated = read_estimated(context, timeline)
    shares = {name: float(estimated[f"{name}_kwh"].mean()) for name in SERIES}
    return Energies(timeline, {name: stored[f"{name}_kwh"] for name in SERIES}, shares)


def settle(context: ToolContext, energies: Energies) -> Bill | None:
    """Return what the energies cost by the site's tariff, the month's capacity charge left out; None where nothing of it is known.

    Where a site never measured export, it sold nothing.
    """
    timeline = energies.timeline
    bought, sold = energies.values["import"], energies.values["export"]
    sold = sold if np.isfinite(sold).any() else np.zeros(timeline.count)
    prices = [read_prices(context, timeline, "import"), read_prices(context, timeline, "export")]
    priced = np.isfinite(bought) & np.isfinite(sold) & np.isfinite(prices[0]) & np.isfinite(prices[1])
    if not priced.any():
        return None
    bought, sold, *prices = (np.where(priced, each, 0.0) for each in (bought, sold, *prices))
    costs = slot_costs(
        import_kwh=bought,
        export_kwh=sold,
        throughput_kwh=np.zeros((1, timeline.count)),
        import_price=prices[0],
        export_price=prices[1],
        wear_price=0.0,
    )
    paid, rule = costs.import_cost, context.site.tariff.import_
    charge = find_charge(rule)
    if charge is not None:
        # What later blocks of a tariff add, with what the month had drawn before.
        month = local_midnight(timeline.start.astimezone(context.zone).date().replace(day=1), context.zone)
        drawn = 0.0
        if month < timeline.start:
            past = Timeline(month, SLOT, (timeline.start - month) // SLOT)
            drawn = charge.count_drawn(read_energies(context, past, ("import_kwh",))["import_kwh"], past, zone=context.zone)
        paid = paid + charge.of(rule, drawn).slot_cost(bought, timeline, zone=context.zone)
    return Bill(sum_finite(paid), sum_finite(costs.export_cost), float(priced.mean()))
