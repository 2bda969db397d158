"""Options that name a site and a time."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Connection

SiteOption = Annotated[str, typer.Option("--site", help="The site's name.")]
FirstOption = Annotated[str, typer.Option("--from", help="The first instant; without offset, by the site's clock.")]
EndOption = Annotated[str, typer.Option("--to", help="The instant after the last.")]


def parse_window(connection: "Connection", site: str, first: str, end: str) -> tuple[datetime, datetime]:
    """Return the instants named, by the site's clock where they carry no offset.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: not ISO 8601.
    """
    from luna.database import sites
    from luna.timeline import parse_instant, parse_zone

    zone = parse_zone(sites.load(connection, site).timezone)
    return parse_instant(first, field="--from", zone=zone), parse_instant(end, field="--to", zone=zone)
