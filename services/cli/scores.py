"""``luna scores``: what policies cost, day by day, as replays stored it."""

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from luna.words import Numbers, say_policy
from services.cli.console import JsonOption, emit, table
from services.cli.storage import unit_of_work
from services.cli.window import MaybeFirstDayOption, MaybeLastDayOption, SiteOption, find_zone

if TYPE_CHECKING:
    from luna.contracts.replay import DayScore

HEADINGS = ("day", "policy", "cost", "left in batteries", "carbon kg")
NOTHING = "Nothing is scored: luna replay does so."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="scores")(_show_scores)


def _show_scores(
    *,
    site: SiteOption,
    first: MaybeFirstDayOption = None,
    last: MaybeLastDayOption = None,
    system_id: Annotated[str, typer.Option(help="The replays whose scores are shown.")] = "simulation",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 500,
    as_json: JsonOption = False,
) -> None:
    """Show what each policy cost on each local day that was replayed."""
    from luna.platform.database import scores

    with unit_of_work() as connection:
        zone, rows = find_zone(connection, site), scores.list_days(connection, site, system_id=system_id, days=(first, last), limit=limit)
    document = {"site": site, "scores": [row.model_dump(mode="json") for row in rows]}
    emit(document, as_json=as_json, show=lambda: table(HEADINGS, [_row(row, zone) for row in rows], words=HEADINGS[:2], none=NOTHING))


def _row(row: "DayScore", zone: ZoneInfo) -> list[str]:
    numbers = Numbers("en", zone, row.currency)
    carbon = None if row.import_carbon_g is None else row.import_carbon_g / 1e3
    cost, gain = (numbers.money(value) for value in (row.cost, row.stored_gain))
    return [row.day.isoformat(), say_policy(row.policy, language="en"), cost, gain, numbers.number(carbon, 2)]
