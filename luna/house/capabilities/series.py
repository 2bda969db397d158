"""Declare the list of a site's stored series."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.energy.timeline import Instant
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.platform.database import recorded_span
from luna.platform.paging import Cursor, Limit, cut_page, read_text
from luna.words import Numbers, say_instant


class SeriesSpan(Message):
    """A series of a site, and of when it is known."""

    series: Annotated[str, Field(description="its name, as in the route of its values")]
    unit: Annotated[str | None, Field(description="of its values; null: unknown")]
    first: Annotated[Instant, Field(description="start of the first known value")]
    end: Annotated[Instant, Field(description="end of the last known value")]


class SeriesList(Message):
    """Series of a site, in order of the names."""

    series: Annotated[list[SeriesSpan], Field(description="of all known series")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _show(row: SeriesSpan, numbers: Numbers) -> list[str]:
    return [
        row.series,
        row.unit or "–",
        say_instant(row.first, numbers.zone),
        say_instant(row.end, numbers.zone),
    ]


@capability(
    "GET",
    "/v1/sites/{site_id}/series",
    noun="series",
    scope="read",
    command="data series",
    shown=ReplyTable(
        ("series", "unit", "from", "to"),
        _show,
        "series",
        none="There is no data yet: run luna data load or luna data backfill.",
    ),
)
def list_series(
    call: CapabilityCall, site_id: SiteName, *, limit: Limit = 100, cursor: Cursor = None
) -> SeriesList:
    """List a site's series.

    Return each series with its known period: measured values, sensors' readings, market prices,
    forecasts and plans.
    """
    spans = recorded_span.list_series(call.connection, site_id)
    after = read_text(cursor)
    rows = []
    for span in spans:
        if after is None or span.series > after:
            first, end = span.span
            rows.append(SeriesSpan(series=span.series, unit=span.unit, first=first, end=end))
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.series,))
    return SeriesList(series=page, cursor=following)


CAPABILITIES = (list_series,)
