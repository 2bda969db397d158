"""``luna session``: when vehicles are at their chargers, and what is wanted of a stay."""

import getpass
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.charging_stays import WEEKDAYS, NewSession
from luna.energy.errors import InvalidInputError
from luna.words import Numbers, say_instant
from services.cli.charging import StayClock, compose_session, read_days, read_number
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import unit_of_work
from services.cli.window import SiteOption, find_zone

if TYPE_CHECKING:
    from luna.contracts.charging_stays import StoredSession
    from luna.energy.site import Site

app = typer.Typer(help="Say when vehicles are at their chargers, and how full they are to leave.", no_args_is_help=True)

HEADINGS = ("session", "vehicle", "from", "to", "comes with", "leaves with", "by")
NOTHING = "No stay of a vehicle is stored."


@app.command()
def add(  # noqa: PLR0913 - one per option
    site: SiteOption,
    end: Annotated[str, typer.Option("--to", help="When it leaves: 07:00 (the next one), 2026-11-20T07:00, or an instant with its offset.")],
    *,
    first: Annotated[str, typer.Option("--from", help="When it comes, in the same forms; 18:00 is the last one before it leaves (default: now).")] = "",
    vehicle: Annotated[str | None, typer.Option(help="By its name (default: the only one).")] = None,
    target: Annotated[str | None, typer.Option(help="How full it is to leave, 0.8 or 80% (default: it takes solar surplus alone).")] = None,
    soc: Annotated[str | None, typer.Option(help="How full it comes, or is now where it is there.")] = None,
    limit: Annotated[str | None, typer.Option(help="Never charged beyond in this stay.")] = None,
    least: Annotated[str | None, typer.Option("--min", help="What it keeps when it supplies the house.")] = None,
    value: Annotated[float | None, typer.Option(help="Worth of a kWh stored beyond the target, in the site's currency.")] = None,
    power_kw: Annotated[float | None, typer.Option(help="Charged with at least this until it is full.")] = None,
    days: Annotated[str, typer.Option(help="Again every week, leaving on these days: mon-fri, or sat,sun (default: once).")] = "",
    as_json: JsonOption = False,
) -> None:
    """Store a stay: the vehicle is planned in it from the next plan on, until it leaves or the stay is taken back."""
    from luna.platform.clock import SystemClock
    from luna.platform.database import charging_stays, sites

    now = SystemClock().now()
    shares = {"target_soc": ("--target", target), "arrival_soc": ("--soc", soc), "limit_soc": ("--limit", limit), "min_soc": ("--min", least)}
    socs = {name: read_number(text, field=option, share=True) for name, (option, text) in shares.items() if text is not None}
    with unit_of_work() as connection:
        described = sites.load(connection, site)
        clock = StayClock(ZoneInfo(described.timezone), now)
        begin, until = clock.read(first, end, fields=("--from", "--to"))
        plain = compose_session(socs | {"extra_value": value, "min_power_kw": power_kw}, begin, until)
        wanted = NewSession.model_validate(plain.model_dump(exclude={"session_id"}) | {"vehicle": vehicle or _find_only(described), "days": read_days(days)})
        stored = charging_stays.add(connection, site, wanted, by=getpass.getuser(), now=now)
    emit(stored.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show([stored], clock.zone))


@app.command("list")
def list_sessions(
    site: SiteOption,
    *,
    history: Annotated[bool, typer.Option("--history", help="Also what is over or was taken back.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the stays that go on or are to come."""
    from luna.platform.clock import SystemClock
    from luna.platform.database import charging_stays

    with unit_of_work() as connection:
        zone, standing = find_zone(connection, site), charging_stays.read_standing(connection, site, first=SystemClock().now())
        sessions = charging_stays.read_history(connection, site) if history else standing
    document = {"sessions": [session.model_dump(mode="json", by_alias=True) for session in sessions]}
    emit(document, as_json=as_json, show=lambda: _show(sessions, zone))


@app.command()
def remove(
    site: SiteOption,
    session: Annotated[int, typer.Option(help="The stay's number, as luna session list shows it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a stay back: it is in no plan from the next one on."""
    from luna.platform.database import charging_stays

    with unit_of_work() as connection:
        removed = charging_stays.remove(connection, site, session, by=getpass.getuser())
    emit(removed.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: out.print(f"Session {session} is in no plan of {site} any more."))


def _find_only(site: "Site") -> str:
    if len(site.vehicles) == 1:
        return site.vehicles[0].name
    names = ", ".join(vehicle.name for vehicle in site.vehicles)
    remedy = f"Name one: {names}." if names else "Describe one in the site's file, under vehicles."
    raise InvalidInputError("whose stay it is must be said" if names else "the site has no vehicle", field="--vehicle", remedy=remedy)


def _show(sessions: "list[StoredSession]", zone: ZoneInfo) -> None:
    table(HEADINGS, [_row(session, zone) for session in sessions], words=HEADINGS, none=NOTHING)


def _row(session: "StoredSession", zone: ZoneInfo) -> list[str]:
    numbers = Numbers("en", zone, "EUR")
    by = session.added_by if session.removed_by is None else f"{session.added_by}, taken back by {session.removed_by}"
    leaves = "sun alone" if session.target_soc is None else numbers.share(session.target_soc)
    span = [say_instant(instant, zone) for instant in (session.from_, session.to)]
    if session.days:
        weekdays = numbers.weekdays([WEEKDAYS.index(day) for day in session.days])
        span = [numbers.clock(session.from_), f"{weekdays} {numbers.clock(session.to)}"]
    return [str(session.session_id), session.device, *span, numbers.share(session.arrival_soc), leaves, by]
