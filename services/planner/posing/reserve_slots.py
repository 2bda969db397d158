"""What batteries should hold for a time, on a plan's slots."""

from collections.abc import Sequence

import numpy as np

from luna.contracts.strategy import Reserve
from luna.errors import InvalidInputError
from luna.site import Site
from luna.timeline import FloatArray, Timeline, to_instant


def read_reserves(reserves: Sequence[Reserve], site: Site, timeline: Timeline) -> FloatArray:
    """Return what each battery should hold at the end of each slot, kWh, ``(batteries, slots)``: from a reserve's begin to its end.

    Raises:
        InvalidInputError: a reserve names a battery that the site has not.
    """
    names = [battery.name for battery in site.batteries]
    wanted = np.zeros((len(names), timeline.count))
    ends = timeline.edges[1:]
    for place, reserve in enumerate(reserves):
        if reserve.battery is not None and reserve.battery not in names:
            raise InvalidInputError("the site has no such battery", field=f"reserves.{place}.battery", value=reserve.battery, remedy=f"Name one of: {names}.")
        inside = (ends >= to_instant(reserve.from_)) & (ends <= to_instant(reserve.to))
        for index, battery in enumerate(site.batteries):
            if reserve.battery in (None, battery.name):
                wanted[index, inside] = np.maximum(wanted[index, inside], min(reserve.soc, battery.max_soc) * battery.capacity_kwh)
    return wanted
