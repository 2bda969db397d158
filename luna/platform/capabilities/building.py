"""Quarter-hours built of what a site's sensors said."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from luna.contracts.data import BuildSlotsReply, BuildSlotsRequest
from luna.contracts.message import Message
from luna.energy.history import require_window
from luna.energy.timeline import Instant
from luna.platform.capability import CapabilityCall, SiteName, TextTable, capability
from luna.platform.database import sites
from luna.words import Numbers

LONGEST = timedelta(days=3_660)


class HistoryWindow(Message):
    """The time that is meant."""

    from_: Annotated[Instant, Field(alias="from", description="the first instant; without offset by the site's clock")]
    to: Annotated[Instant, Field(description="the instant after the last")]


class SlotsOrder(HistoryWindow):
    """The quarter-hours to build."""

    accept: Annotated[bool, Field(description="replace also days that were known and become something else: by a factor, turned around or half gone")] = False


def _show(reply: BuildSlotsReply, _: Numbers) -> Iterator[str | TextTable]:
    rows = [
        [name, f"{series.known:,}", f"{series.interpolated:,}", f"{series.filled:,}", f"{sum(series.rejected.values()):,}"]
        for name, series in reply.series.items()
    ]
    yield TextTable(("series", "known", "interpolated", "filled to the meter's total", "readings refused"), rows)
    yield f"{reply.slots_written:,} quarter-hours new or changed, {reply.slots_withdrawn:,} values withdrawn, {reply.quarantined:,} entries in quarantine."
    for name, series in reply.series.items():
        yield from (f"  {name}: {count:,} × {reason}" for reason, count in series.rejected.items())
    if reply.missing_sensors:
        yield f"Nothing was ever heard of {', '.join(reply.missing_sensors)}: check the names under input_sensors."


@capability("POST", "/v1/sites/{site_id}/slots", noun="history", scope="data", command="data slots", shown=_show, status=202)
def build_slots(call: CapabilityCall, site_id: SiteName, window: SlotsOrder) -> BuildSlotsRequest:
    """Build quarter-hours.

    Build quarter-hours from stored readings, as a job; building them again changes nothing.
    """
    require_window(window.from_, window.to, longest=LONGEST)
    sites.key_of(call.connection, site_id)
    return BuildSlotsRequest(site_id=site_id, first=window.from_, end=window.to, accept=window.accept)


BUILDING = (build_slots,)
