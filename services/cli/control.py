"""``luna control``: control of a site's devices.

It tells whether they follow the plans, and takes the owner's wishes instead.
"""

from collections.abc import Mapping
from functools import partial
from time import monotonic, sleep
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

import typer

from luna.contracts.control import ControlState, Override
from luna.energy.devices import COMMANDS
from luna.energy.devices.battery import BATTERIES, Mode
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import site_clock
from luna.house.capabilities import control
from luna.house.capabilities.sites import read_site
from luna.house.desk.desk import Desk
from luna.words import Numbers, read_mode
from services.cli.console import JsonOption, emit, out
from services.cli.declared import (
    UTC_ZONE,
    build_group,
    emit_reply,
    open_desk,
    show_parts,
    show_reply,
)
from services.cli.options import SiteOption, compose_request

# The exit code where a device is not confirmed as handed back.
NOT_RELEASED = 3
# An executor looks for changes every five seconds; a device answers within some more.
RELEASE_SECONDS = 10.0
RELEASE_PAUSE_SECONDS = 0.25

# Commands written by hand print more than a reply holds, or take a mode as a plan shows it.
app = build_group(
    "control",
    "Turn control on or off, or override it for a while.",
    by_hand=frozenset({"arm", "disarm", "override-device", "status", "vacation"}),
)

UntilOption = Annotated[
    str,
    typer.Option(help="End, for example 2026-11-20T18:00 in the site's time zone."),
]
DeviceOption = Annotated[
    str,
    typer.Option(help="The device: batteries, pv, or a kind and a name such as load:boiler."),
]

# By how a device is named; batteries have a command of their own.
_MODES = "; ".join(
    f"{kind.key('NAME')}: {', '.join(kind.modes)}"
    for kind in COMMANDS.values()
    if kind.prefix != BATTERIES
)


@app.command()
def arm(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """Turn control on: from now on Luna sends the plan to the site's devices."""
    with open_desk() as desk:
        state = desk.ask(control.arm, {"site_id": site})
        section = desk.ask(read_site, {"site_id": site}).control
    by = "dry_run" if section is None else section.by
    if by == "dry_run":
        effect = "Luna sends nothing, because control.by is dry_run."
    else:
        effect = f"its devices follow the plan through {by}."
    sentence = f"{site}: control is on; {effect}"
    emit(state.model_dump(mode="json"), as_json=as_json, show=partial(out.print, sentence))


@app.command()
def disarm(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """Turn control off, and wait some seconds until each device confirms it.

    Exit code 3 if a device does not confirm. Overrides and pauses end.
    """
    zone = UTC_ZONE
    with open_desk(quiet=as_json) as desk:
        disarmed = desk.ask(control.disarm, {"site_id": site})
        # A gateway of an earlier release does not say how devices stand.
        states = [disarmed] if disarmed.standing is None else _await_release(desk, site)
        left = control.list_unreleased(states)
        if left:
            zone = ZoneInfo(desk.ask(read_site, {"site_id": site}).timezone)
    devices = [state.model_dump(mode="json") for state in states[1:]]
    document = states[0].model_dump(mode="json") | {"released": not left, "devices": devices}

    def show() -> None:
        show_parts(control.format_disarmed(site, states, Numbers("en", zone, "EUR")))

    emit(document, as_json=as_json, show=show)
    if left:
        raise typer.Exit(NOT_RELEASED)


def _await_release(desk: Desk, site: str) -> list[ControlState]:
    """Wait until all devices of a site are released, or cannot be; return their states."""
    deadline = monotonic() + RELEASE_SECONDS
    while True:
        states: list[ControlState] = desk.ask(control.read_control, {"site_id": site}).devices
        steps = {
            state.standing.next
            for state in control.list_unreleased(states)
            if state.standing is not None
        }
        if "released_when_it_answers" not in steps or monotonic() > deadline:
            return states
        sleep(RELEASE_PAUSE_SECONDS)


@app.command()
def override(
    site: SiteOption,
    mode: Annotated[
        str,
        typer.Option(
            help=(
                f"The batteries' mode: {', '.join(get_args(Mode))}, or as a plan shows it, "
                "such as Sell."
            )
        ),
    ],
    *,
    until: UntilOption,
    power_kw: Annotated[
        float | None,
        typer.Option(help="Most grid power while charging or selling, kW."),
    ] = None,
    target_soc: Annotated[
        float | None, typer.Option(help="Stop at this battery level, for example 0.8.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Override the plan of all batteries until a time.

    The safety limits still apply.
    """
    fields = {"mode": read_mode(mode), "power_kw": power_kw, "target_soc": target_soc}
    state, zone = _override(site, BATTERIES, fields, until=until)
    emit_reply(control.override, state, as_json=as_json, zone=zone)


@app.command()
def override_device(
    site: SiteOption,
    device: DeviceOption,
    mode: Annotated[str, typer.Option(help=f"What it does. {_MODES}.")],
    *,
    until: UntilOption,
    power_kw: Annotated[
        float | None, typer.Option(help="Power of the car, or the most that PV may produce, kW.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Override the plan of one device, or of all PV, until a time."""
    state, zone = _override(
        site, device, {"mode": read_mode(mode), "power_kw": power_kw}, until=until
    )
    emit_reply(control.override, state, as_json=as_json, zone=zone)


@app.command()
def status(
    site: SiteOption,
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, help="Show this many of the last decisions.")
    ] = 8,
    as_json: JsonOption = False,
) -> None:
    """Show whether control is on, overrides, and the last decisions."""
    with open_desk() as desk:
        zone = ZoneInfo(desk.ask(read_site, {"site_id": site}).timezone)
        state = desk.ask(control.read_control, {"site_id": site})
        log = desk.ask(control.list_decisions, {"site_id": site, "limit": limit})
    batteries, *devices = [device.model_dump(mode="json") for device in state.devices]
    executor = None if state.executor is None else state.executor.model_dump(mode="json")
    decisions = [entry.model_dump(mode="json") for entry in log.decisions]
    document = {"state": batteries, "devices": devices, "log": decisions, "executor": executor}

    def show() -> None:
        show_reply(control.read_control, state, {}, zone)
        show_reply(control.list_decisions, log, {}, zone)

    emit(document, as_json=as_json, show=show)


@app.command()
def vacation(
    site: SiteOption,
    *,
    end: Annotated[bool, typer.Option("--end", help="End the vacation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a vacation: Luna expects an empty house from now on."""
    vacation_mode = control.VacationMode(vacation=not end)
    with open_desk() as desk:
        desk.ask(control.set_vacation, {"site_id": site, "mode": vacation_mode})
    sentence = f"{site} is on vacation; the next forecast and plan use it."
    if end:
        sentence = f"{site} is not on vacation any more."
    document = {"site": site, "vacation": not end}
    emit(document, as_json=as_json, show=partial(out.print, sentence))


@app.command()
def run() -> None:
    """Send plans to devices from this process until Ctrl-C."""
    from services.executor.__main__ import main

    main([])


def _override(
    site: str, device: str, fields: Mapping[str, Any], *, until: str
) -> tuple[ControlState, ZoneInfo]:
    """Store an override of a device; return the device's state and the site's time zone."""
    with open_desk() as desk:
        zone = ZoneInfo(desk.ask(read_site, {"site_id": site}).timezone)
        try:
            with site_clock(zone):
                order = compose_request(Override, **fields, until=until)
            arguments = {"site_id": site, "device": device, "order": order}
            return desk.ask(control.override, arguments), zone
        except InvalidInputError as error:
            if error.field in {"device", "mode", "until"}:
                # As the option is written.
                error.field = f"--{error.field}"
            raise
