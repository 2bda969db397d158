"""What a site's devices ask for over a plan's slots, read from a request."""

from dataclasses import dataclass

import numpy as np

from luna.contracts.plan import OutlookMessage, StateMessage
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.kind import Demand


@dataclass(frozen=True, slots=True)
class Demands:
    """Everything that may be placed."""

    loads: tuple[Demand, ...] = ()

    def any(self) -> bool:
        """Return whether there is anything to place."""
        return bool(self.loads)

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what runs on whatever is planned, shape ``(slots,)``."""
        return sum((demand.forced_kwh(hours) for demand in self.loads), np.zeros(hours.size))


NO_DEMANDS = Demands()


def read_demands(site: Site, state: StateMessage, timeline: Timeline, *, series: OutlookMessage) -> Demands:
    """Return what a site's devices want over a timeline.

    Args:
        series: what lies ahead; what its load includes is not placed.

    Raises:
        InvalidInputError: state of a device that the site does not have, a session without state of charge or upside down.
    """
    found: list[Demand] = []
    for kind in PLANNED_KINDS:
        # Who reads a kind refuses what is said of devices that the site does not have.
        if kind.of(site) or getattr(state, kind.section) or (kind.by_weather and series.heat_demand_kwh):
            found += kind.read(site, state, timeline, series)
    return Demands(tuple(found))
