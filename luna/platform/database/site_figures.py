"""Read the figures of a site's data, forecasts and savings that a monitor watches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import Connection, func, select

from luna.energy.errors import LunaError
from luna.energy.quality_verdict import may_use
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database import forecast_scores, quality
from luna.platform.database.forecast_activations import find_active
from luna.platform.database.savings import read_savings
from luna.platform.database.schema.series import slot_observations
from luna.platform.database.schema.sites import sites as site_table

# Days that judge data, forecasts and savings; a month holds every kind of weather and of week.
DAYS = 30
BALANCE_SPAN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ForecastError:
    """Mean pinball loss of the version that drives the planner, kWh per slot.

    Of the last day that was scored, and the median over the days before.
    """

    last: float
    usual: float | None


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """A site's figures. None: not known.

    Attributes:
        residual_ratio: what its meters leave unexplained of the last day's load, share.
        excluded_days: days of the last thirty whose data are not trusted.
        saved: Luna's saving over the inverter alone, in ``currency``, on the counted days of the
            last thirty under its control.
        saved_days: how many those are.
        forecast_errors: by series.
    """

    site: str
    currency: str
    residual_ratio: float | None
    excluded_days: int
    saved: float | None
    saved_days: int
    forecast_errors: dict[str, ForecastError] = field(default_factory=dict)


def newest_observations(connection: Connection, *, most: int) -> dict[str, datetime | None]:
    """Return the last measurement of ``most`` sites, those longest ago; None: never."""
    start = slot_observations.c.slot_start
    newest = (
        select(start)
        .where(slot_observations.c.site_key == site_table.c.site_key)
        .order_by(start.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(site_table.c.name, newest.label("newest"))
        .order_by(newest.asc().nulls_first())
        .limit(most)
    )
    return {name: at and at.astimezone(UTC) for name, at in rows}


def read(connection: Connection, sites: Sequence[Site], *, now: datetime) -> list[SiteFigures]:
    """Return the figures of some sites.

    A site that cannot be judged has unknown ones.
    """
    return [_read(connection, site, now) for site in sites]


def _read(connection: Connection, site: Site, now: datetime) -> SiteFigures:
    today = now.astimezone(parse_zone(site.timezone)).date()
    first = today - timedelta(days=DAYS)
    last = today - timedelta(days=1)
    verdicts = quality.read(connection, site.name, first, last)
    try:
        savings = read_savings(connection, site, first=first, last=last)
        saved = savings.done.saved
        counted = len(savings.done.counted)
    except LunaError:
        saved = None
        counted = 0
    table = slot_observations.c
    share = func.sum(func.abs(table.residual_kwh)) / func.nullif(func.sum(table.load_kwh), 0)
    site_key = select(site_table.c.site_key).where(site_table.c.name == site.name).scalar_subquery()
    residual_share = connection.scalar(
        select(share).where(
            table.site_key == site_key,
            table.slot_start > now - BALANCE_SPAN,
            table.slot_start <= now,
        )
    )
    return SiteFigures(
        site=site.name,
        currency=site.currency,
        residual_ratio=None if residual_share is None else float(residual_share),
        excluded_days=sum(not may_use(day.verdict) for day in verdicts),
        saved=saved,
        saved_days=counted,
        forecast_errors=_read_errors(connection, site),
    )


def _read_errors(connection: Connection, site: Site) -> dict[str, ForecastError]:
    scored = forecast_scores.last_day(connection, site.name)
    if scored is None:
        return {}
    version = find_active(connection, site).forecast_version
    losses: dict[str, list[float]] = {}
    first = scored - timedelta(days=DAYS)
    for score in forecast_scores.read(connection, site.name, first, scored):
        if score.forecast_version == version:
            losses.setdefault(score.series, []).append(score.pinball)
    errors = {}
    for series, (*earlier, last) in losses.items():
        errors[series] = ForecastError(last, median(earlier) if earlier else None)
    return errors
