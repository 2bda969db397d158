"""Records of what sources of prices corrected after delivery, and of absurd prices left out."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from luna.energy.plausibility import absurd_price
from luna.energy.row_fault import RowFault
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from luna.platform.database import history_changes, quarantine
from luna.platform.database.history_changes import Revision, Rule
from luna.platform.database.quarantine import Refused
from services.ingest.collected_prices import CollectedPrices, Need


def find_concerned(stored_sites: Sequence[Site], need: Need) -> list[Site]:
    """Return the sites that pay by a market in its currency."""
    return [
        site
        for site in stored_sites
        if site.currency == need.currency and need.market in site.tariff.markets
    ]


def record_corrections(
    connection: Connection,
    collected: CollectedPrices,
    concerned: Sequence[Site],
    *,
    before: FloatArray,
    is_corrected: NDArray[np.bool_],
) -> None:
    """Record a source's corrections in the past of each concerned site."""
    starts = collected.need.timeline.starts
    for source in sorted(set(collected.source[is_corrected])):
        chosen = is_corrected & (collected.source == source)
        series = history_changes.name_market(collected.need.market)
        revision = Revision(series, starts[chosen], before[chosen], collected.price[chosen])
        rule = Rule(f"corrected by {source}", fills=False)
        for site in concerned:
            history_changes.record(connection, site.name, revision, rule=rule)


def quarantine_absurd(
    connection: Connection, collected: CollectedPrices, concerned: Sequence[Site]
) -> None:
    """Put absurd prices into quarantine, and take out those that came right meanwhile."""
    need = collected.need
    farthest = absurd_price(need.currency)
    starts = list(need.timeline)
    refused: dict[str, list[Refused]] = {}
    for source in collected.sources:
        rows = []
        for place, price in collected.absurd.get(source, {}).items():
            bound = ("above", farthest) if price > 0 else ("below", -farthest)
            fault = RowFault.of(bound[0], series="spot_price", limit=bound[1], hint="per_kwh")
            raw = {"slot_start": starts[place].isoformat(), "spot_price": price}
            rows.append(Refused(_line_of(starts[place]), fault, raw))
        refused[f"{source} {need.market}"] = rows
    lines = (_line_of(need.timeline.start), _line_of(need.timeline.end))
    for site in concerned:
        quarantine.settle(connection, site.name, refused, lines=lines, kind="prices")


def _line_of(start: datetime) -> int:
    """Return the line by which quarantine knows a quarter-hour: its start in microseconds."""
    return round(start.timestamp() * 1e6)
