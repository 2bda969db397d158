"""Shared command-line options and their parsers.

A site's instants and days, documents in files, requests, whether to store.

Commands parse instants only here.
"""

import json
import sys
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import typer
import yaml
from pydantic import ValidationError

from luna.contracts.message import Message
from luna.energy.errors import InvalidInputError
from luna.energy.site import invalid_input
from luna.energy.timeline import parse_day, parse_instant, parse_zone, site_clock
from luna.house.desk.servers import unit_of_work
from services.cli.console import err

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from luna.energy.site import Site
    from luna.energy.site.differences import SiteDifference

RequestT = TypeVar("RequestT", bound=Message)
SiteOption = Annotated[str, typer.Option("--site", help="The site's name.")]
FirstOption = Annotated[
    str,
    typer.Option(
        "--from",
        help="Start: a local day, or a time in the site's time zone or with an offset.",
    ),
]
EndOption = Annotated[
    str, typer.Option("--to", help="End, not included; a day means its midnight.")
]


def _read_first_day(text: str) -> date:
    return parse_day(text, field="--from")


def _read_last_day(text: str) -> date:
    return parse_day(text, field="--to")


FirstDayOption = Annotated[
    date, typer.Option("--from", parser=_read_first_day, metavar="DAY", help="The first local day.")
]
LastDayOption = Annotated[
    date,
    typer.Option(
        "--to", parser=_read_last_day, metavar="DAY", help="The last local day, included."
    ),
]
MaybeFirstDayOption = Annotated[
    date | None,
    typer.Option("--from", parser=_read_first_day, metavar="DAY", help="The first local day."),
]
MaybeLastDayOption = Annotated[
    date | None,
    typer.Option(
        "--to", parser=_read_last_day, metavar="DAY", help="The last local day, included."
    ),
]


def parse_window(
    connection: "Connection", site: str, first: str, end: str
) -> tuple[datetime, datetime]:
    """Parse the ends of a window.

    Instants without an offset are in the site's time zone.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no instant, or the window is empty.
    """
    zone = find_zone(connection, site)
    begins_at = parse_instant(first, field="--from", zone=zone)
    ends_at = parse_instant(end, field="--to", zone=zone)
    if ends_at <= begins_at:
        raise InvalidInputError(
            "the window is empty", field="--to", value=end, remedy="Let it end after it begins."
        )
    return begins_at, ends_at


def parse_site_instants(
    connection: "Connection", site: str, **texts: str | None
) -> dict[str, datetime]:
    """Parse options that are instants.

    Those without an offset are in the site's time zone; options that were not given are left out.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no instant.
    """
    zone = find_zone(connection, site)
    instants = {}
    for name, text in texts.items():
        if text is not None:
            instants[name] = parse_instant(text, field=f"--{name}", zone=zone)
    return instants


def clock_of(site: str | None) -> AbstractContextManager[None]:
    """Read local times within the block in a stored site's time zone.

    It is looked up when first needed. None: every instant needs an offset.
    """
    return site_clock(None if site is None else partial(read_zone, site))


def read_zone(site: str) -> ZoneInfo:
    """Return the time zone of a stored site, by a connection of its own.

    Raises:
        NotFoundError: no such site.
    """
    with unit_of_work() as connection:
        return find_zone(connection, site)


def find_zone(connection: "Connection", site: str) -> ZoneInfo:
    """Return the time zone of a stored site.

    Raises:
        NotFoundError: no such site.
    """
    # A plan from a file needs no database.
    from luna.platform.database import sites

    return parse_zone(sites.load(connection, site).timezone)


def compose_request(kind: type[RequestT], /, **values: Any) -> RequestT:
    """Build a request from options, without those that are None.

    Raises:
        InvalidInputError: names the wrong option, its value and the remedy.
    """
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return kind.model_validate(given)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc


def read_document(
    path: Path, *, form: Literal["JSON", "YAML"] = "JSON", holds: str
) -> dict[str, Any]:
    """Read an object from a JSON or YAML file.

    Args:
        path: of the file; ``-``: standard input.
        form: its format; JSON is valid YAML.
        holds: the expected content, for the remedy of an error.

    Raises:
        InvalidInputError: the file is unreadable, malformed, or holds no object.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        document = json.loads(text) if form == "JSON" else yaml.safe_load(text)
    except OSError as exc:
        raise InvalidInputError(
            f"cannot be read: {exc.strerror}", field=str(path), remedy="Name a readable file."
        ) from exc
    except (json.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError) as exc:
        raise InvalidInputError(
            f"is no {form}: {exc}", field=str(path), remedy="Correct it."
        ) from exc
    if not isinstance(document, dict):
        raise InvalidInputError(f"is no {form} object", field=str(path), remedy=f"Write {holds}.")
    return document


def confirm_differences(
    connection: "Connection", site: "Site", *, yes: bool, quiet: bool
) -> "list[SiteDifference]":
    """Show the differences from the stored site, ask whether to store them, and return them.

    They are shown on standard error; a new site has none.

    Args:
        connection: to the database.
        site: as it is to be stored.
        yes: do not ask; nobody is asked without a terminal either.
        quiet: neither show nor ask.

    Raises:
        typer.Abort: it is not to be stored.
    """
    from luna.energy.site.differences import list_differences
    from luna.platform.database import sites

    stored = sites.read_configurations(connection, [site.name])
    if not stored:
        return []
    document = site.model_dump(mode="json", by_alias=True)
    differences = list_differences(stored[site.name], document)
    if differences and not quiet:
        err.print(f"{site.name} exists; these values change:")
        for difference in differences:
            before = "–" if difference.before is None else difference.before
            after = "–" if difference.after is None else difference.after
            err.print(f"  {difference.field}: {before} → {after}", soft_wrap=True, markup=False)
        if not yes and sys.stdin.isatty():
            typer.confirm("Store it?", abort=True, err=True)
    return differences
