"""Declare the costs of policies on recorded days, as replays stored them."""

from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.replay import DayScore
from luna.energy.refusals import refuse
from luna.energy.timeline import Day
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, TerminalForm, capability
from luna.platform.database import scores
from luna.platform.paging import Cursor, Limit, cut_page, read_text
from luna.words import Numbers, say_policy

OfReplays = Annotated[
    str, Field(max_length=96, pattern=r"^[\w.-]+$", description="the replays to read")
]
FromDay = Annotated[
    Day | None, Field(description="the first local day; default: the first one recorded")
]
ToDay = Annotated[
    Day | None, Field(description="the last local day, included; default: the last one recorded")
]


class ScoreList(Message):
    """Costs of policies, by local day, then policy."""

    scores: Annotated[list[DayScore], Field(description="one per day and policy")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _describe(row: DayScore, numbers: Numbers) -> list[str]:
    numbers = replace(numbers, currency=row.currency)
    carbon = None if row.import_carbon_g is None else row.import_carbon_g / 1e3
    return [
        row.day.isoformat(),
        say_policy(row.policy, language="en"),
        numbers.money(row.cost),
        numbers.money(row.stored_gain),
        numbers.number(carbon, 2),
    ]


def _key_of_score(score: DayScore) -> tuple[str]:
    return (f"{score.day.isoformat()} {score.policy}",)


@capability(
    "GET",
    "/v1/sites/{site_id}/scores",
    noun="replays",
    scope="read",
    command="scores",
    shown=ReplyTable(
        ("day", "policy", "house and battery", "left in batteries", "carbon kg"),
        _describe,
        "scores",
        words=("day", "policy"),
        none="There are no scores yet: run luna replay.",
    ),
    terminal=TerminalForm(options={"from_day": "from", "to_day": "to", "system_id": "system_id"}),
)
def list_scores(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall,
    site_id: SiteName,
    *,
    system_id: OfReplays = "simulation",
    from_day: FromDay = None,
    to_day: ToDay = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> ScoreList:
    """List each policy's cost.

    Return the daily cost of house and battery under each policy, from stored replays. The account
    holds what the whole home paid.
    """
    rows = scores.list_days(
        call.connection,
        site_id,
        system_id=system_id,
        days=(from_day, to_day),
        after=_read_key(cursor),
        limit=limit + 1,
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_score)
    return ScoreList(scores=page, cursor=following)


def _read_key(cursor: str | None) -> tuple[str, str] | None:
    text = read_text(cursor)
    if text is None:
        return None
    day, _, policy = text.partition(" ")
    try:
        return date.fromisoformat(day).isoformat(), policy
    except ValueError as exc:
        raise refuse("no-cursor", field="cursor", value=cursor) from exc


CAPABILITIES = (list_scores,)
