"""``luna plans``: what was planned."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.plan import PlanReply
from luna.contracts.plan_questions import PlanReason
from luna.energy.errors import InvalidInputError
from luna.platform.capabilities.plans import check_plans
from luna.platform.clock import SystemClock
from luna.words import Language, Numbers, say_instant, say_mode
from services.cli.console import JsonOption, emit, out, table
from services.cli.declared import build_group, compose_given, open_desk
from services.cli.storage import unit_of_work
from services.cli.window import EndOption, FirstOption, SiteOption

REASON_HEADINGS = ("from", "to", "device", "mode", "reason")


app = build_group("plans", "List and show issued plans, say why they are so, compare and check them.", by_hand=frozenset({"check"}))


PlanOption = Annotated[str | None, typer.Option(help="The plan_id of a stored plan (default: the site's newest one).")]
MaybeSiteOption = Annotated[str | None, typer.Option("--site", help="The site whose newest plan it is.")]
LanguageOption = Annotated[Language, typer.Option(help="Language of the table; reasons are in that of the plan.")]


@app.command()
def show(*, plan: PlanOption = None, site: MaybeSiteOption = None, language: LanguageOption = "en", as_json: JsonOption = False) -> None:
    """Show an issued plan, as luna plan showed it."""
    from services.cli.plan_table import show_plan

    found = _load(plan, site)
    emit(found.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: show_plan(found, language))


@app.command()
def reasons(*, plan: PlanOption = None, site: MaybeSiteOption = None, language: LanguageOption = "en", as_json: JsonOption = False) -> None:
    """Show why each device does what it does in an issued plan; slots in a row with one reason are one row."""
    from luna.contracts.plan_reasons import list_reasons

    found = _load(plan, site)
    reply, numbers = list_reasons(found), Numbers(language, ZoneInfo(found.timezone), found.currency)
    rows = [
        [say_instant(each.from_, numbers.zone), say_instant(each.to, numbers.zone), each.device, "" if each.mode is None else _mode(each, numbers), each.text]
        for each in reply.reasons
    ]
    emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: table(REASON_HEADINGS, rows, words=REASON_HEADINGS))


def _mode(reason: PlanReason, numbers: Numbers) -> str:
    return say_mode(str(reason.mode), language=numbers.language)


def _load(plan: str | None, site: str | None) -> PlanReply:
    """Return a plan by its id, or the newest one of a site.

    Raises:
        InvalidInputError: neither is named, or both.
        NotFoundError: no such plan or site, or the site has none yet.
    """
    from luna.platform.database import plans

    if (plan is None) == (site is None):
        raise InvalidInputError("give either --plan or --site", field="--plan", remedy="luna plans list shows which there are.")
    with unit_of_work() as connection:
        return plans.load(connection, plan or plans.latest_id(connection, str(site), now=SystemClock().now()))


@app.command()
def check(*, site: SiteOption, first: FirstOption, end: EndOption, as_json: JsonOption = False) -> None:
    """Check that every plan issued in a window closes its balance slot by slot and costs what it says; exit 1 where one does not."""
    with open_desk(quiet=as_json) as desk:
        zone = ZoneInfo(desk.read_site(site).timezone)
        reply = desk.ask(check_plans, compose_given(check_plans, {"site_id": site, "from_": first, "to": end}, lambda: zone))
    rows = [[each.plan_id, each.what, f"{each.off:.6g}", say_instant(each.start, zone) if each.start else "–"] for each in reply.findings]

    def show() -> None:
        out.print(f"{reply.plans} plans, {reply.broken} broken")
        if rows:
            table(["plan", "what", "off", "slot"], rows, words=("what", "slot"))

    emit(reply.model_dump(mode="json"), as_json=as_json, show=show)
    if reply.broken:
        raise typer.Exit(1)
