"""``luna plans``: what was planned."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.plan_reasons import list_plan_reasons
from luna.house.capabilities.plans import read_plan_reasons
from luna.words import Language
from services.cli.console import JsonOption, emit
from services.cli.declared import build_group, emit_reply, open_desk
from services.cli.plan_table import read_stored, show_plan

app = build_group("plans", "List, show, explain, compare and check plans.")


PlanOption = Annotated[
    str | None, typer.Option(help="The plan_id of a stored plan (default: the site's newest one).")
]
MaybeSiteOption = Annotated[
    str | None, typer.Option("--site", help="Show this site's newest plan.")
]
LanguageOption = Annotated[Language, typer.Option(help="Language of the table.")]


@app.command()
def show(
    *,
    plan: PlanOption = None,
    site: MaybeSiteOption = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Show a stored plan."""
    with open_desk() as desk:
        stored = read_stored(desk, plan, site)
    emit(
        stored.model_dump(mode="json", by_alias=True),
        as_json=as_json,
        show=lambda: show_plan(stored, language),
    )


@app.command()
def reasons(
    *,
    plan: PlanOption = None,
    site: MaybeSiteOption = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Show each device's reasons in a plan.

    Quarter-hours in a row with the same reason are one row.
    """
    with open_desk() as desk:
        reply = list_plan_reasons(read_stored(desk, plan, site))
    emit_reply(
        read_plan_reasons,
        reply,
        as_json=as_json,
        zone=ZoneInfo(reply.timezone),
        arguments={"language": language},
    )
