"""``luna plans``: what was planned."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.plan import PlanReply
from luna.contracts.plan_questions import ModeChange, PlanChangesReply, PlanChangesRequest, PlanReason
from luna.energy.errors import InvalidInputError
from luna.platform.clock import SystemClock
from luna.words import Language, Numbers, say_instant, say_mode
from services.cli.console import JsonOption, emit, out, table
from services.cli.declared import build_group
from services.cli.storage import compose_request, unit_of_work
from services.cli.window import EndOption, FirstOption, SiteOption, find_zone, parse_window

HEADINGS = ("from", "to", "device", "before", "now", "because of")
REASON_HEADINGS = ("from", "to", "device", "mode", "reason")


def show_changes(
    *,
    plan: Annotated[str, typer.Option(help="The plan_id of a stored plan.")],
    before: Annotated[str | None, typer.Option(help="The plan to compare with (default: the one issued before it for the same slots).")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the sentences.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which input made a plan other than the one before: prices, forecasts, charge, devices, site, options."""
    from services.cli.storage import unit_of_work
    from services.planner.milp.solver import Solver
    from services.planner.service.plan_diff import compare_stored

    request = compose_request(PlanChangesRequest, plan_id=plan, before_id=before, language=language)
    with unit_of_work() as connection:
        reply = compare_stored(connection, request, solver=Solver())
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply, Numbers(language or "en", ZoneInfo(reply.timezone), reply.currency)))


def _show(reply: PlanChangesReply, numbers: Numbers) -> None:
    for cause in reply.causes:
        out.print(cause.text)
    rows = [
        (_say(numbers, start), _say(numbers, end), each.device, *(say_mode(name, language=numbers.language) for name in (each.before, each.after)), each.cause)
        for each, start, end in join_changes(reply)
    ]
    table(HEADINGS, rows, words=HEADINGS[1:], none="Every mode is as before.")


def _row(change: ModeChange, span: tuple[datetime, datetime], numbers: Numbers) -> list[str]:
    modes = (say_mode(name, language=numbers.language) for name in (change.before, change.after))
    return [*(_say(numbers, instant) for instant in span), change.device, *modes, change.cause]


def join_changes(reply: PlanChangesReply) -> list[tuple[ModeChange, datetime, datetime]]:
    """Return the changes as runs, each with its start and end: the same change of a device in slots that follow each other is one."""
    runs: list[tuple[ModeChange, datetime, datetime]] = []
    for change in sorted(reply.changes, key=lambda each: (each.device, each.start)):
        end = change.start + timedelta(minutes=reply.slot_minutes)
        if runs and runs[-1][2] == change.start and runs[-1][0].model_copy(update={"start": change.start}) == change:
            runs[-1] = (*runs[-1][:2], end)
        else:
            runs.append((change, change.start, end))
    return sorted(runs, key=lambda run: (run[1], run[0].device))


def _say(numbers: Numbers, instant: datetime) -> str:
    return f"{numbers.weekday(instant)} {numbers.clock(instant)}"


app = build_group("plans", "List and show issued plans, say why they are so, compare and check them.")
app.command(name="changes")(show_changes)


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
    from services.planner.service.plan_check import check_plans

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        checked = check_plans(connection, site, *parse_window(connection, site, first, end))
    broken = [(plan_id, each) for plan_id, found in checked.broken.items() for each in found]
    findings = [{"plan_id": plan_id, "what": each.what, "off": each.off, "start": each.start.isoformat() if each.start else None} for plan_id, each in broken]
    document = {"site": site, "plans": checked.plans, "broken": len(checked.broken), "findings": findings}
    rows = [[plan_id, each.what, f"{each.off:.6g}", say_instant(each.start, zone) if each.start else "–"] for plan_id, each in broken]

    def show() -> None:
        out.print(f"{checked.plans} plans, {len(checked.broken)} broken")
        if rows:
            table(["plan", "what", "off", "slot"], rows, words=("what", "slot"))

    emit(document, as_json=as_json, show=show)
    if checked.broken:
        raise typer.Exit(1)
