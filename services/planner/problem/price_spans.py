"""Split a plan's prices of a market into stretches of one version and one origin."""

from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luna.contracts.plan import PriceOrigin, PriceSpan
from luna.energy.market_publication import PriceVersion, find_publication, name_versions
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
    versions = name_versions(find_publication(market), timeline.starts, published_at, now)
    kinds: list[tuple[PriceVersion, PriceOrigin]] = []
    for published, typical in zip(versions, is_typical.tolist(), strict=True):
        if published is not None:
            kinds.append((published, "published"))
        else:
            kinds.append(("forecast", "typical" if typical else "repeated"))
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
