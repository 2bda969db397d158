"""``luna control``: whether a site's batteries are told what its plans say, and what the owner wants instead."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from luna.control import Mode
from luna.errors import InvalidInputError
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import unit_of_work
from services.cli.window import SiteOption

if TYPE_CHECKING:
    from luna.contracts.control import ControlEntry, ControlState

app = typer.Typer(help="Arm a site so that its batteries follow its plans, override them, see what was sent.", no_args_is_help=True)

HEADINGS = ("slot (UTC)", "by", "why", "told", "confirmed")


@app.command()
def arm(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """Let commands be sent to a site's batteries from the executor's next look on; before this nothing ever is."""
    from luna.database import control, sites
    from luna.timeline import SystemClock

    with unit_of_work() as connection:
        stored = sites.load(connection, site)
        if stored.control is None:
            remedy = "Describe how its batteries are told, as in config/site.yaml, and add it again: luna site add --file site.yaml."
            raise InvalidInputError("the site has no section control", field="control", value=site, remedy=remedy)
        control.arm(connection, site, at=SystemClock().now(), by=getpass.getuser())
        state = control.load(connection, site)
    words = "nothing is sent: control.by is dry_run." if stored.control.by == "dry_run" else f"its batteries follow its plans by {stored.control.by}."
    emit(state.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"{site} is armed; {words}"))


@app.command()
def disarm(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """Hand a site's batteries back to their inverters; after that nothing is sent."""
    from luna.database import control

    with unit_of_work() as connection:
        control.disarm(connection, site)
        state = control.load(connection, site)
    emit(state.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"{site} is not armed any more; an override has ended with it."))


@app.command()
def override(
    site: SiteOption,
    mode: Annotated[Mode, typer.Option(help="What every battery does.")],
    *,
    until: Annotated[str, typer.Option(help="Until when, such as 2026-11-20T18:00; without offset, by the site's clock.")],
    power_kw: Annotated[float | None, typer.Option(help="At most this much exchange with the grid while charging or exporting.")] = None,
    target_soc: Annotated[float | None, typer.Option(help="Where that exchange ends, a share such as 0.8.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Have all batteries of a site do something else than its plan says, until an instant; the safety layer bounds it like any other."""
    from luna.contracts.control import Override
    from luna.database import control, sites
    from luna.timeline import SystemClock, parse_instant, parse_zone
    from services.cli.requests import compose_request

    with unit_of_work() as connection:
        end = parse_instant(until, field="--until", zone=parse_zone(sites.load(connection, site).timezone))
        if end <= SystemClock().now():
            raise InvalidInputError("this has passed", field="--until", value=until, remedy="Name an instant that is still to come.")
        wanted = compose_request(Override, mode=mode, power_kw=power_kw, target_soc=target_soc, until=end, by=getpass.getuser())
        control.override(connection, site, wanted)
        state = control.load(connection, site)
    unarmed = "" if state.armed_at else " It is not armed, so nothing is sent."
    emit(state.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"{site} does {mode} until {end:%Y-%m-%d %H:%M} UTC.{unarmed}"))


@app.command()
def resume(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """End an override: the plan is followed again."""
    from luna.database import control

    with unit_of_work() as connection:
        control.override(connection, site, None)
        state = control.load(connection, site)
    emit(state.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"{site} follows its plan again."))


@app.command()
def status(
    site: SiteOption,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the last decisions.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """Show whether a site is armed, its override, and what was decided last and came of it."""
    from luna.database import control
    from luna.timeline import SystemClock

    with unit_of_work() as connection:
        state, entries = control.load(connection, site), control.read_log(connection, site, limit=limit)
    if state.override is not None and state.override.until <= SystemClock().now():
        state = state.model_copy(update={"override": None})
    document = {"state": state.model_dump(mode="json"), "log": [entry.model_dump(mode="json") for entry in entries]}
    emit(document, as_json=as_json, show=lambda: _show(state, entries))


@app.command()
def run() -> None:
    """Act in this process until Ctrl-C: tell the batteries of armed sites what their plans say."""
    from services.planner.execution.__main__ import main

    main([])


def _show(state: "ControlState", entries: "list[ControlEntry]") -> None:
    armed = f"armed since {state.armed_at:%Y-%m-%d %H:%M} UTC by {state.armed_by}" if state.armed_at else "not armed: nothing is sent"
    out.print(f"{state.site} is {armed}.")
    if state.override is not None:
        out.print(f"Override by {state.override.by}: {state.override.mode} until {state.override.until:%Y-%m-%d %H:%M %Z}.")
    table(HEADINGS, [_row(entry) for entry in entries], words=HEADINGS)


def _row(entry: "ControlEntry") -> list[str]:
    told = ", ".join(f"{battery}: {setpoint['mode']}" for battery, setpoint in entry.allowed.items())
    return [f"{entry.slot_start:%Y-%m-%d %H:%M}", entry.decided_by, entry.reason, told, "no" if entry.confirmed is None else "yes"]
