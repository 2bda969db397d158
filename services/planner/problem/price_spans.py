"""Split a plan's prices of a market into stretches of one version and one origin."""

from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luna.contracts.plan import PriceOrigin, PriceSpan
from luna.energy.market_publication import PriceVersion, find_publication, find_settled
from luna.energy.timeline import InstantArray, Timeline


def split_spans(
    market: str,
    timeline: Timeline,
    *,
    published_at: InstantArray,
    is_typical: NDArray[np.bool_],
    now: datetime,
) -> list[PriceSpan]:
    """Return the stretches of a market's prices on a timeline.

    Args:
        market: as the tariff names it.
        timeline: quarter-hours.
        published_at: of each price, NaT where Luna expects it.
        is_typical: whether an expected price is a typical one; else it is repeated.
        now: the instant of the plan.
    """
    publication = find_publication(market)
    is_settled = find_settled(publication, timeline.starts, published_at, now)
    kinds: list[tuple[PriceVersion, PriceOrigin]] = []
    for place in range(timeline.count):
        if np.isnat(published_at[place]):
            kinds.append(("forecast", "typical" if is_typical[place] else "repeated"))
        elif is_settled[place]:
            kinds.append(("settled", "published"))
        else:
            version: PriceVersion = "day_ahead" if publication == "day_ahead" else "forecast"
            kinds.append((version, "published"))
    edges = [place for place in range(1, len(kinds)) if kinds[place] != kinds[place - 1]]
    spans = []
    for first, end in pairwise([0, *edges, len(kinds)]):
        version, origin = kinds[first]
        span = PriceSpan(
            market=market,
            from_=timeline.start + first * timeline.step,
            to=timeline.start + end * timeline.step,
            version=version,
            origin=origin,
        )
        spans.append(span)
    return spans
