"""``luna plans``: what was planned."""

import typer

from services.cli.console import JsonOption, emit, out, table
from services.cli.plan_changes import show_changes
from services.cli.storage import unit_of_work
from services.cli.window import EndOption, FirstOption, SiteOption, parse_window

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
        checked = check_plans(connection, site, *parse_window(connection, site, first, end))
    broken = [(plan_id, each) for plan_id, found in checked.broken.items() for each in found]
    findings = [{"plan_id": plan_id, "what": each.what, "off": each.off, "start": each.start.isoformat() if each.start else None} for plan_id, each in broken]
    document = {"site": site, "plans": checked.plans, "without_inputs": checked.without_inputs, "broken": len(checked.broken), "findings": findings}
    rows = [[plan_id, each.what, f"{each.off:.6g}", f"{each.start:%Y-%m-%d %H:%M}" if each.start else "–"] for plan_id, each in broken]

    def show() -> None:
        out.print(f"{checked.plans} plans, {len(checked.broken)} broken; {checked.without_inputs} without the request they were made from")
        if rows:
            table(["plan", "what", "off", "slot (UTC)"], rows, words=("what", "slot (UTC)"))

    emit(document, as_json=as_json, show=show)
    if checked.broken:
        raise typer.Exit(1)
