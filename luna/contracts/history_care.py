"""Care for the past of a site: gaps, repairs and comparison with the source."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo

from luna.contracts.forecast import SiteId
from luna.contracts.message import Message, Request
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Day, Instant

Energy = Annotated[float, Field(description="kWh over the hours that both sides know")]


# As many as a task reads within its time.
MOST_DAYS = 3_660


def _after_first(last: date, info: ValidationInfo) -> date:
    first = info.data.get("from_day", last)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise invalid_part("window-of-days", days=MOST_DAYS)
    return last


FirstDay = Annotated[Day, Field(description="the first local day of the site")]
LastDay = Annotated[
    Day,
    AfterValidator(_after_first),
    Field(description="the last local day of the site, itself included"),
]


class SeriesGap(Message):
    """Quarter-hours in a row in which a series that the site has is unknown."""

    series: Annotated[str, Field(description="column of the observations, or market_prices:MARKET")]
    first: Annotated[Instant, Field(description="start of the first unknown quarter-hour")]
    last: Annotated[Instant, Field(description="start of the last unknown quarter-hour")]
    slots: Annotated[int, Field(description="how many quarter-hours")]


class GapsReply(Message):
    """The gaps of a site, by series, then time."""

    site_id: Annotated[str, Field(description="the site's name")]
    gaps: Annotated[
        list[SeriesGap],
        Field(description="empty: all that sensors, tariff or files ever told of is known"),
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = (
        None
    )


class FindGapsRequest(Request):
    """Find the quarter-hours in which a series of the site is unknown.

    They are those from ``first`` on, before ``end``.
    """

    task: ClassVar[str] = "ingest.gaps.find"
    reply: ClassVar[type[Message]] = GapsReply

    site_id: SiteId
    first: Annotated[Instant, Field(description="the first instant")]
    end: Annotated[Instant, Field(description="the instant after the last")]
    limit: Annotated[
        int | None, Field(ge=1, le=500, description="how many gaps at most; default: all")
    ] = None
    cursor: Annotated[
        str | None, Field(max_length=400, description="of the page before; default: the first page")
    ] = None


class RepairedSeries(Message):
    """The repairs of a series on one day, with their rule."""

    series: Annotated[str, Field(description="column of the observations, or market_prices:MARKET")]
    day: Annotated[date, Field(description="local day of the site")]
    rule: Annotated[str, Field(description="the rule that found and filled them")]
    slots: Annotated[int, Field(description="how many quarter-hours")]


class RepairReply(Message):
    """The repairs that were made, or would be."""

    site_id: Annotated[str, Field(description="the site's name")]
    dry_run: Annotated[bool, Field(description="true: nothing was changed")]
    slots: Annotated[int, Field(description="quarter-hours in all")]
    repairs: Annotated[list[RepairedSeries], Field(description="by day and series")]


class RepairRequest(Request):
    """Fill prices of zero that stand for missing ones, and short gaps.

    Gaps are in energies that came as slots; repairing twice is repairing once.
    """

    task: ClassVar[str] = "ingest.history.repair"
    reply: ClassVar[type[Message]] = RepairReply
    public: ClassVar[bool] = True

    site_id: SiteId
    from_day: FirstDay
    to_day: LastDay
    dry_run: Annotated[bool, Field(description="say what would be done and change nothing")] = False


class DayComparison(Message):
    """One series on one local day beside what the source counted."""

    day: Annotated[date, Field(description="local day of the site")]
    series: Annotated[str, Field(description="column of the observations")]
    source_kwh: Energy
    stored_kwh: Energy
    difference_kwh: Annotated[float, Field(description="stored less source, kWh")]
    difference_share: Annotated[
        float | None,
        Field(
            description=(
                "the same as a share of what the source counted; null where it counted nothing"
            )
        ),
    ]
    hours: Annotated[int, Field(description="hours of the day that both sides know")]
    day_hours: Annotated[int, Field(description="hours the day has: 23, 24 or 25")]
    beyond_tolerance: Annotated[bool, Field(description="whether it is more than rounding")]


class VerifyReply(Message):
    """The days that were compared."""

    site_id: Annotated[str, Field(description="the site's name")]
    days: Annotated[list[DayComparison], Field(description="by day and series")]


class VerifyRequest(Request):
    """Compare the stored slots with what Home Assistant counted, per local day."""

    task: ClassVar[str] = "ingest.history.verify"
    reply: ClassVar[type[Message]] = VerifyReply
    public: ClassVar[bool] = True

    site_id: SiteId
    from_day: FirstDay
    to_day: LastDay
