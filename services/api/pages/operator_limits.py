"""Limits of the grid operator on the page Schedule, and all of them as CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from fastapi import Response
from sqlalchemy import Connection

from luna.contracts.operator_limits import StoredLimit
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.house.limit_outcomes import add_outcomes
from luna.platform.database import operator_limits, sites
from luna.platform.database.engine import unit_of_work
from luna.words import Numbers
from luna.words.numbers import EN_DASH
from luna.words.operator_limits import (
    LimitEvent,
    count_limited,
    format_most,
    format_source,
    list_done,
)
from luna.words.pages import PageWords
from services.api.gateway import CurrentGateway
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PageRoute
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

MOST_SHOWN = 10
_COLUMNS = (
    "start",
    "end",
    "import_kw",
    "export_kw",
    "scope",
    "source",
    "acknowledged_at",
    "highest_import_kw",
    "highest_export_kw",
    "less_kwh",
    "devices",
)


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit as the page lists it."""

    most: str
    span: str
    source: str
    holds: bool
    done: list[str]


@dataclass(frozen=True, slots=True)
class LimitsView:
    """The latest limits of a site in the reader's words, and how many there are in all."""

    stored: Sequence[StoredLimit]
    count: int
    site: Site
    now: datetime
    numbers: Numbers
    words: PageWords

    @property
    def rows(self) -> Iterator[LimitRow]:
        """The limits, the latest first."""
        devices = count_limited(self.site)
        numbers = self.numbers
        for stored in self.stored:
            limit = stored.as_limit()
            event = LimitEvent(limit, devices, self.now, stored.summary)
            source = format_source(stored.source, numbers.language)
            yield LimitRow(
                most=format_most(event, numbers),
                span=self._say_span(stored),
                source=self.words("limits_source", source=source),
                holds=limit.holds_at(self.now),
                done=list(list_done(event, numbers)),
            )

    def _say_span(self, stored: StoredLimit) -> str:
        start = self.numbers.moment_with_year(stored.start)
        if stored.end is None:
            return self.words("limits_endless", start=start)
        zone = self.numbers.zone
        same_day = stored.start.astimezone(zone).date() == stored.end.astimezone(zone).date()
        end = self.numbers.moment_with_year(stored.end)
        if same_day:
            end = self.numbers.clock(stored.end)
        return f"{start} {EN_DASH} {end}"


def read_limits(
    connection: Connection, site_id: str, *, now: datetime
) -> tuple[list[StoredLimit], int]:
    """Return a site's latest limits with what became of them, the latest first, and their count."""
    history = _list_history(connection, site_id)
    latest = history[-MOST_SHOWN:]
    latest.reverse()
    return add_outcomes(connection, site_id, latest, now=now), len(history)


def _list_history(connection: Connection, site_id: str) -> list[StoredLimit]:
    """Return a site's limits by start, without those that were withdrawn before they began."""
    history = operator_limits.read_history(connection, site_id)
    return [stored for stored in history if stored.end is None or stored.start < stored.end]


@router.page("GET", "/ui/sites/{site_id}/planning/limits.csv", "read")
def save_limits(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Hand out all limits of a site as CSV."""
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        zone = parse_zone(sites.load(connection, site_id).timezone)
        history = _list_history(connection, site_id)
        limits = add_outcomes(connection, site_id, history, now=now)
    name = f"luna-limits-{now.astimezone(zone):%Y-%m-%d}.csv"
    return Response(
        write_csv(limits, zone),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def write_csv(limits: Sequence[StoredLimit], zone: tzinfo) -> str:
    """Return limits as CSV, a row each; instants have the site's offset, unknown cells are empty.

    A device that drew less is written as "car 11 > 4.2 kW".
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for stored in limits:
        outcome = stored.summary
        done: list[object] = ["", "", "", ""]
        if outcome is not None:
            devices = []
            for device in outcome.devices:
                devices.append(f"{device.device} {device.planned_kw:g} > {device.allowed_kw:g} kW")
            done = [
                _write(outcome.highest_import_kw),
                _write(outcome.highest_export_kw),
                round(outcome.less_kwh, 3),
                ", ".join(devices),
            ]
        writer.writerow(
            [
                _write_instant(stored.start, zone),
                _write_instant(stored.end, zone),
                _write(stored.import_kw),
                _write(stored.export_kw),
                stored.scope,
                stored.source,
                _write_instant(stored.acknowledged_at, zone),
                *done,
            ]
        )
    return text.getvalue()


def _write(power_kw: float | None) -> str:
    return "" if power_kw is None else f"{power_kw:g}"


def _write_instant(instant: datetime | None, zone: tzinfo) -> str:
    return "" if instant is None else instant.astimezone(zone).isoformat()
