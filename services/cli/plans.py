"""``luna plans``: what was planned."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.plan_questions import ModeChange, PlanChangesReply, PlanChangesRequest
from luna.wording import Language, Numbers, say_instant, say_mode
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import compose_request, unit_of_work
from services.cli.window import EndOption, FirstOption, SiteOption, find_zone, parse_window

HEADINGS = ("from", "to", "device", "before", "now", "because of")


def show_changes(
    *,
    plan: Annotated[str, typer.Option(help="The plan_id of a stored plan.")],
    before: Annotated[str | None, typer.Option(help="The plan to compare with (default: the one issued before it for the same slots).")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the sentences.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which input made a plan other than the one before: prices, forecasts, charge, cars, appliances, site, options."""
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


app = typer.Typer(help="Check issued plans, compare one with the one before it.", no_args_is_help=True)
app.command(name="changes")(show_changes)


@app.callback()
def _plans() -> None:
    """Check issued plans, compare one with the one before it."""


@app.command()
def check(*, site: SiteOption, first: FirstOption, end: EndOption, as_json: JsonOption = False) -> None:
    """Check that every plan issued in a window closes its balance slot by slot and costs what it says; exit 1 where one does not."""
    from services.planner.service.plan_check import check_plans

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        checked = check_plans(connection, site, *parse_window(connection, site, first, end))
    broken = [(plan_id, each) for plan_id, found in checked.broken.items() for each in found]
    findings = [{"plan_id": plan_id, "what": each.what, "off": each.off, "start": each.start.isoformat() if each.start else None} for plan_id, each in broken]
    document = {"site": site, "plans": checked.plans, "without_inputs": checked.without_inputs, "broken": len(checked.broken), "findings": findings}
    rows = [[plan_id, each.what, f"{each.off:.6g}", say_instant(each.start, zone) if each.start else "–"] for plan_id, each in broken]

    def show() -> None:
        out.print(f"{checked.plans} plans, {len(checked.broken)} broken; {checked.without_inputs} without the request they were made from")
        if rows:
            table(["plan", "what", "off", "slot"], rows, words=("what", "slot"))

    emit(document, as_json=as_json, show=show)
    if checked.broken:
        raise typer.Exit(1)
