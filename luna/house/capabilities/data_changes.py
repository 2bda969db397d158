"""Declare the list of changes made to a site's past."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.energy.timeline import Instant
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.platform.database import history_changes
from luna.platform.paging import Cursor, From, Limit, To, cut_page, read_number
from luna.words import Numbers, say_instant


class DataChange(Message):
    """A value of the past before and after."""

    series: Annotated[str, Field(description="column of the observations, or market_prices:MARKET")]
    slot_start: Annotated[Instant, Field(description="start of its quarter-hour")]
    before: Annotated[float | None, Field(description="in the series' unit; null: unknown")]
    after: Annotated[float | None, Field(description="in the series' unit; null: unknown")]
    rule: Annotated[str, Field(description="the rule or person that changed it")]
    changed_at: Annotated[Instant, Field(description="when")]


class ChangeList(Message):
    """Changes of recorded data, in the order of their making."""

    changes: Annotated[list[DataChange], Field(description="one per value")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _show(change: DataChange, numbers: Numbers) -> list[str]:
    values = ("–" if value is None else f"{value:.4g}" for value in (change.before, change.after))
    return [change.series, say_instant(change.slot_start, numbers.zone), *values, change.rule]


@capability(
    "GET",
    "/v1/sites/{site_id}/data-changes",
    noun="history",
    scope="read",
    command="data changes",
    shown=ReplyTable(
        ("series", "slot", "before", "after", "rule"),
        _show,
        "changes",
        words=("slot", "rule"),
        none="There are no changes.",
    ),
)
def list_data_changes(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    first: From = None,
    end: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ChangeList:
    """List changes of recorded data.

    Return each changed value from `from` to `to`: before, after, and the rule or person that
    changed it.
    """
    rows = history_changes.read_page(
        call.connection, site_id, slots=(first, end), after=read_number(cursor), limit=limit + 1
    )
    page, following = cut_page(rows, limit=limit, key=lambda row: (row[0],))
    return ChangeList(
        changes=[DataChange.model_validate(change, from_attributes=True) for _, change in page],
        cursor=following,
    )


CAPABILITIES = (list_data_changes,)
