"""``luna session``: when vehicles are at their chargers, and what is wanted of a session."""

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.charging_sessions import NewSession
from luna.contracts.session_times import SessionClock, read_days
from luna.energy.errors import InvalidInputError
from luna.house.capabilities.sessions import add_session
from luna.house.capabilities.sites import read_site
from luna.platform.clock import SystemClock
from services.cli.charging import compose_session, read_number
from services.cli.console import JsonOption
from services.cli.declared import build_group, emit_reply, open_desk
from services.cli.options import SiteOption

# How a session is said at a terminal - times of the clock alone, shares in per cent, weekdays as a
# range - is no form of a field.
app = build_group(
    "session",
    "Plan when the car is at home and how full it leaves.",
    by_hand=frozenset({"add"}),
)


@app.command()
def add(  # noqa: PLR0913 - one per option
    site: SiteOption,
    end: Annotated[
        str,
        typer.Option(
            "--to",
            help=("Departure: 07:00 (the next one), 2026-11-20T07:00, or with an offset."),
        ),
    ],
    *,
    first: Annotated[
        str,
        typer.Option(
            "--from",
            help=(
                "Arrival, in the same forms; 18:00 is the last one before departure (default: now)."
            ),
        ),
    ] = "",
    vehicle: Annotated[
        str | None, typer.Option(help="The car's name (default: the only one).")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="Battery level at departure, 0.8 or 80% (default: solar surplus only)."),
    ] = None,
    soc: Annotated[
        str | None, typer.Option(help="Battery level at arrival, or now if the car is here.")
    ] = None,
    limit: Annotated[
        str | None, typer.Option(help="Highest battery level in this session.")
    ] = None,
    least: Annotated[
        str | None,
        typer.Option("--min", help="Lowest battery level when the car supplies the house."),
    ] = None,
    value: Annotated[
        float | None,
        typer.Option(help="Value of a kWh above the target, in the site's currency."),
    ] = None,
    power_kw: Annotated[
        float | None,
        typer.Option(help="Charge with at least this power until the car is full, kW."),
    ] = None,
    days: Annotated[
        str,
        typer.Option(
            help="Repeat every week, leaving on these days: mon-fri, or sat,sun (default: once)."
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Add a charging session: Luna plans the car until it leaves or you remove the session."""
    share_options = {
        "target_soc": ("--target", target),
        "arrival_soc": ("--soc", soc),
        "limit_soc": ("--limit", limit),
        "min_soc": ("--min", least),
    }
    fields: dict[str, float | None] = {"extra_value": value, "min_power_kw": power_kw}
    for name, (option, text) in share_options.items():
        if text is not None:
            fields[name] = read_number(text, field=option, share=True)
    with open_desk() as desk:
        described = desk.ask(read_site, {"site_id": site})
        clock = SessionClock(ZoneInfo(described.timezone), SystemClock().now())
        begin, until = clock.read(first, end, fields=("--from", "--to"))
        session = compose_session(fields, begin, until)
        names = [described_vehicle.name for described_vehicle in described.vehicles]
        document = session.model_dump(exclude={"session_id"})
        document["vehicle"] = vehicle or _find_only_vehicle(names)
        document["days"] = read_days(days)
        new_session = NewSession.model_validate(document)
        arguments = {"site_id": site, "session": new_session}
        stored = desk.ask(add_session, arguments)
    emit_reply(add_session, stored, as_json=as_json, zone=clock.zone, arguments=arguments)


def _find_only_vehicle(names: Sequence[str]) -> str:
    """Return the name of the site's only vehicle.

    Raises:
        InvalidInputError: the site has none or several.
    """
    if len(names) == 1:
        return names[0]
    if names:
        reason = "needs the session's car"
        remedy = f"Name one: {', '.join(names)}."
    else:
        reason = "the site has no car"
        remedy = "Add it to the site's file, under vehicles."
    raise InvalidInputError(reason, field="--vehicle", remedy=remedy)
