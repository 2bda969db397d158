"""Options that name a site and a time."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection

SiteOption = Annotated[str, typer.Option("--site", help="The site's name.")]
FirstOption = Annotated[str, typer.Option("--from", help="The first instant: with its offset, a local day, or a time of the site's clock.")]
EndOption = Annotated[str, typer.Option("--to", help="The instant after the last.")]


def parse_window(connection: "Connection", site: str, first: str, end: str) -> tuple[datetime, datetime]:
    """Return the instants named, by the site's clock where they carry no offset.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no instant.
    """
    from luna.timeline import parse_instant

    zone = find_zone(connection, site)
    return parse_instant(first, field="--from", zone=zone), parse_instant(end, field="--to", zone=zone)


def parse_site_instants(connection: "Connection", site: str, **texts: str | None) -> dict[str, datetime]:
    """Return the instants that options name, by the site's clock where they carry no offset; what was not given is left out.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: no instant.
    """
    from luna.timeline import parse_instant

    zone = find_zone(connection, site)
    return {name: parse_instant(text, field=f"--{name}", zone=zone) for name, text in texts.items() if text is not None}


def find_zone(connection: "Connection", site: str) -> ZoneInfo:
    """Return where a stored site's clock stands.

    Raises:
        NotFoundError: no such site.
    """
    from luna.database import sites
    from luna.timeline import parse_zone

    return parse_zone(sites.load(connection, site).timezone)
